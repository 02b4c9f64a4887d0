"""A server with two runs, and a page that refuses outside requests and console errors."""

import os
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agents.run import run_scenario
from twin.scenario import loader
from twin.views import stage
from twin.views.picture import CHROMIUM, CHROMIUM_ARGS, WINDOW
from twin.views.server import served

READY_MS = 60_000
AXE = Path(stage.__file__).parent / "js" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if not CHROMIUM.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"no {CHROMIUM}")
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return browser_context_args | {"viewport": WINDOW, "color_scheme": "dark"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the server keeps its runs; three short ones are there from the start."""
    made = tmp_path_factory.mktemp("served")
    short = ["simulation.steps=30", "simulation.record_tokens_per_step=4"]
    cases = {
        "short-faults": [
            "faults.model=exponential",
            "faults.availability=0.9",
            "faults.mean_down_s=600",
            "controller.policy=on-event",
            'controller.params={events="fault"}',
            "controller.migration_share=0.001",
            "ground.users=cities",
            "ground.minimum_elevation_deg=10.0",
        ],
        "short-rand-intra": ["placement.strategy=rand-intra"],
        "short-space-xnet": ["placement.strategy=space-xnet"],
    }
    for run_id, overrides in cases.items():
        scenario = loader.load("small", [*short, *overrides])
        run_scenario(scenario, runs_dir=made / "runs", run_id=run_id)
    return made


@pytest.fixture(scope="session")
def address(folder):
    # What a closed tab was computing goes on for less time than on a server of users.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORBITAL_TWIN_GRACE_S", "12")
        with served(folder) as url:
            yield url


@pytest.fixture
def fresh(page, address):
    """A page of a session of its own, with a run on its globe."""
    with _watched(page, address):
        yield page


@pytest.fixture(scope="session")
def _shared(browser, address):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with _watched(page, address) as troubles:
        yield page, troubles
    page.close()


@pytest.fixture
def opened(_shared):
    """A page that tests share, as it looks at first but for the camera."""
    page, troubles = _shared
    page.keyboard.press("Escape")
    page.click("[data-tab=charts]")
    page.click("[data-colour=layer]")
    for what in ("tokens", "ring", "live", "acquiring", "migrations", "shadow", "labels"):
        _switch(page, f"[data-show={what}]", on=True)
    for what in ("down", "sizeByLoad"):
        _switch(page, f"[data-show={what}]", on=False)
    for view, on in (("globe", True), ("map", False), ("ring", True)):
        _switch(page, f"[data-view={view}]", on=on)
    page.click("[data-fixed=false]")
    yield page
    assert troubles == []


def _switch(page, selector, *, on):
    if page.get_attribute(selector, "aria-pressed") != str(on).lower():
        page.click(selector)


@contextmanager
def _watched(page, address):
    """Open the page on a run, and watch it."""
    with _watching(page) as troubles:
        page.goto(f"{address}/?run=short-space-xnet")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        yield troubles


@pytest.fixture(scope="session")
def axe():
    if not AXE.is_file() and os.environ.get("CI") != "true":
        pytest.skip("axe-core is not there: npm --prefix twin/views/js ci")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def serious(axe):
    """What axe finds on a page that is serious or worse, and headings that leave out a level."""

    def found(page):
        page.evaluate(axe)
        # Colours that are on their way from one to another have no contrast of their own.
        page.wait_for_function(
            "document.getAnimations().every(one => !(one instanceof CSSTransition))"
        )
        told = page.evaluate(
            "tags => axe.run(document, {resultTypes: ['violations'], runOnly: tags})", RULES
        )
        return [
            (each["id"], node["html"])
            for each in told["violations"]
            if each["impact"] in ("serious", "critical") or each["id"] == "heading-order"
            for node in each["nodes"]
        ]

    return found


@pytest.fixture(scope="session")
def watched():
    return _watching


@contextmanager
def _watching(page):
    """Whatever a page asks of others, and any error on it, fails the test."""
    troubles = []
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", lambda m: troubles.append(f"console: {m.text}") if m.type == "error" else 0)
    page.on("request", lambda request: troubles.extend(_outside(request.url)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on("response", lambda r: troubles.append(f"{r.status}: {r.url}") if r.status > 399 else 0)
    yield troubles
    assert troubles == []


def _outside(url):
    parts = urlsplit(url)
    inside = parts.scheme in ("data", "blob") or parts.hostname in ("localhost", "127.0.0.1")
    return [] if inside else [f"outside request: {url}"]
