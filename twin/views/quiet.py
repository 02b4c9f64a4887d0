"""Settings of Solara's server that every page of ours wants."""

from solara.server import settings


def prepare() -> None:
    """Before the server answers its first request: a page of ours, and no calls to other hosts."""
    settings.main.mode = "production"
    settings.telemetry.mixpanel_enable = False
    settings.theme.variant = settings.ThemeVariant.dark
    settings.theme.title = "Orbital Twin"
    settings.theme.show_banner = False
    # A tab that lost its connection may come back within this; then its session ends.
    settings.kernel.cull_timeout = "60s"
