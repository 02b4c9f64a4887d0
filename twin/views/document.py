"""What the page's own HTML says: Solara's, made ours, and what a browser may load meanwhile.

The first picture needs Solara's own modules and the page's scripts. Asked for by the HTML, they
come while Solara starts, not when the first widget wants them.
"""

import re
from collections.abc import Callable
from types import ModuleType

from solara.server import settings

from twin.views import bundle
from twin.views.guard import NONCE, SEARCH

type Read = Callable[..., str | None]
type Ahead = Callable[[str], None]

_SCRIPTS = f"/static/assets/{bundle.SCRIPTS.name}"
_MODULES = {
    "jupyter-vuetify/extension": "jupyter-vuetify/nodeps",
    "jupyter-vue/extension": "jupyter-vue/nodeps",
    "anywidget/extension": "anywidget/index",
}
"""Of each extension of Solara's page, the script that the first widget waits for."""

_VIEWPORT = re.compile(r'<meta[^>]*name="viewport"[^>]*>')
_SCRIPTS_MAP = re.compile(r"(map: \{\s*'\*': \{)")
_ANYWIDGET = "'anywidget': 'nbextensions/anywidget/index',"
"""Said with the page: anywidget's own extension may come after the first widget asks for it."""

_STILL = """<style>
    #loader-container * { animation: none !important; }
    .solara-transition-leave-active { display: none; }
</style>"""
"""While Solara starts nothing moves: what draws an animation is not there for the first picture."""

_PREPARE = """<script type="module" async>
    import {{ prepare }} from "{scripts}";
    prepare();
</script>"""
"""What the first picture needs whatever its run is (js/src/stage/early.js)."""

_THEME = """<script>
    (() => {
        const kept = localStorage.getItem("orbital-twin-theme");
        const dark = kept ? kept === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
        localStorage.setItem(":solara:theme.variant", JSON.stringify(dark ? "dark" : "light"));
        document.documentElement.dataset.theme = dark ? "dark" : "light";
    })();
</script>"""
"""The stage's theme (js/src/theme.js) from the start: to change it later draws all again."""


def ours(read_root: Read, server: ModuleType, ahead: Ahead) -> Read:
    """Return Solara's maker of HTML as one that makes our page's.

    Parameters
    ----------
    read_root : callable
        `solara.server.server.read_root`.
    server : module
        `solara.server.server`.
    ahead : callable
        Called with what the address of the stage's page asks for, when its HTML is.
    """
    settings.assets.extra_locations = [*settings.assets.extra_locations, str(bundle.STATIC)]
    scripts = f"{_SCRIPTS}?v={server.file_content_hash(bundle.SCRIPTS)}"
    bundle.served_at(scripts)
    waited_for = [
        f"{_MODULES[name]}.js?{server.nbextension_hash(name)}"
        for name in server.get_nbextension_names()
        if name in _MODULES
    ]

    def read(path: str, root_path: str = "", *more: object, **named: object) -> str | None:
        html = read_root(path, root_path, *more, **named)
        if not html:
            return html
        early = [f'<link rel="modulepreload" href="{root_path}{scripts}">', _STILL]
        early += [
            f'<link rel="preload" as="script" href="{root_path}/jupyter/nbextensions/{module}">'
            for module in waited_for
        ]
        if path in ("", "/"):
            ahead(SEARCH.get())
            early += [_THEME, _PREPARE.format(scripts=f"{root_path}{scripts}")]
        return _marked(html, early)

    return read


def _marked(html: str, early: list[str]) -> str:
    """Solara's own page: its scripts marked and found, its language said, fit to be enlarged."""
    html = html.replace("<head>", "\n".join(["<head>", *early]), 1)
    html = html.replace("<script", f'<script nonce="{NONCE.get()}"')
    html = html.replace("<html>", '<html lang="en">', 1)
    html = _SCRIPTS_MAP.sub(rf"\1 {_ANYWIDGET}", html, count=1)
    return _VIEWPORT.sub('<meta name="viewport" content="width=device-width">', html)
