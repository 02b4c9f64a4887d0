"""The form of a new run: from a run, a TOML or element sets, kept when it is refused."""

import numpy as np
import pytest
from page_actions import READY_MS, choose, keep, settle

from agents.run import run_scenario
from twin.scenario import loader
from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
CHANGES = {"simulation.steps": 4, "constellation.altitude_km": 900.0, "workload.retries": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("form")
    run_scenario(loader.load("small", CHANGES), runs_dir=made / "runs", run_id="high")
    return made


@pytest.fixture
def form(folder, browser, watched):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(folder) as address, watched(page):
        page.goto(f"{address}/?run=high")
        page.wait_for_selector(".tw-stage[data-ready='4']", timeout=READY_MS)
        page.click("text=New run")
        page.wait_for_selector(".tw-form .tw-run")
        yield page
    page.close()


def field(page, label):
    return page.locator(".tw-form").get_by_label(label, exact=True)


def started(page, folder):
    """The run that the form starts, when it is complete."""
    before = {each.name for each in (folder / "runs").iterdir()}
    page.click(".tw-form .tw-run")
    page.wait_for_selector(".tw-form", state="detached", timeout=READY_MS)
    page.wait_for_function(
        "!document.querySelector('.tw-note') && "
        "document.querySelector('.tw-stage').dataset.runs !== 'high'",
        timeout=READY_MS,
    )
    (new,) = {each.name for each in (folder / "runs").iterdir()} - before
    return loader.load(folder / "runs" / new / "scenario.toml")


def test_a_run_is_started_from_and_what_is_wrong_stands_at_its_field(form, folder, serious):
    choose(form, "Start from", "run small")
    form.wait_for_function("document.querySelector('.tw-form').innerText.includes('900')")
    field(form, "seed").fill("-1")
    form.wait_for_selector(".tw-form .tw-run[disabled]")
    assert "greater than or equal to 0" in form.inner_text(".tw-form")
    field(form, "seed").fill("5")
    form.wait_for_selector(".tw-form .tw-run:not([disabled])")
    # Closed by chance: what was entered is there.
    form.keyboard.press("Escape")
    form.wait_for_selector(".tw-form", state="detached")
    form.click("text=New run")
    assert field(form, "seed").input_value() == "5"
    for width in (390, 1400):
        form.set_viewport_size({"width": width, "height": 900})
        settle(form)
        assert serious(form) == [], width
        keep(form, f"form-{width}")
    scenario = started(form, folder)
    assert (scenario.simulation.seed, scenario.workload.retries) == (5, 2)
    assert scenario.constellation.altitude_km == 900.0


def dropped(page, path, on):
    """Drop a file on the form, as a hand would."""
    box = page.locator(on).bounding_box()
    tools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    at = {"x": box["x"] + 20, "y": box["y"] + 20, "data": data}
    for kind in ("dragEnter", "dragOver", "drop"):
        tools.send("Input.dispatchDragEvent", {"type": kind, **at})


def test_what_finds_no_room_is_refused_in_the_form(form, folder):
    before = [*(folder / "runs").iterdir()]
    field(form, "memory, GB").fill("0.000001")
    field(form, "steps").fill("17")
    form.click(".tw-form .tw-run")
    form.get_by_text("raise compute.memory_gb").wait_for(timeout=READY_MS)
    assert field(form, "steps").input_value() == "17"
    assert [*(folder / "runs").iterdir()] == before


def test_a_toml_file_is_dropped_and_run(form, folder, tmp_path):
    fields = {"simulation.steps": 3, "placement.strategy": "joint", "name": "mine"}
    text = loader.to_toml(loader.load("small", fields))
    (tmp_path / "mine.toml").write_text(text)
    form.click(".tw-form-toml summary")
    dropped(form, tmp_path / "mine.toml", ".tw-form-toml .tw-file")
    form.wait_for_function("document.querySelector('.tw-form').innerText.includes('TOML: mine')")
    scenario = started(form, folder)
    assert scenario.name == "mine"
    assert scenario.placement.strategy == "joint"
    assert scenario.simulation.steps == 3


def test_a_toml_that_names_a_file_of_the_server_s_is_refused(form):
    field(form, "steps").fill("17")
    form.click(".tw-form-toml summary")
    field(form, "or paste it").fill('[activations]\nfile = "/etc/passwd"')
    field(form, "or paste it").press("Tab")
    form.get_by_text("reads no files of the server").wait_for(timeout=READY_MS)
    assert field(form, "steps").input_value() == "17"


def test_element_sets_are_dropped_and_run_or_refused_in_words(
    form, folder, element_sets, tmp_path, serious
):
    choose(form, "Start from", "oneweb")
    wrong = tmp_path / "wrong.tle"
    wrong.write_text("nothing of the kind")
    form.wait_for_selector(".tw-elements .tw-file", timeout=READY_MS)
    dropped(form, wrong, ".tw-elements .tw-file")
    form.get_by_text("constellation.tle: wrong.tle, line 1").wait_for(timeout=READY_MS)
    settle(form)
    assert serious(form) == []
    keep(form, "form-elements")
    rows = np.arange(48)
    turns = (rows // 8 * 30.0, rows % 8 * 45.0)
    right = element_sets(np.full(48, 86.4), *turns, np.full(48, 14.3), name="mine.tle")
    form.set_input_files(".tw-elements input", right)
    form.get_by_text("Element sets: mine.tle, 48 satellites").wait_for(timeout=READY_MS)
    field(form, "steps").fill("3")
    choose(form, "model", "toy-8x4")
    scenario = started(form, folder)
    assert scenario.name == "oneweb"
    assert scenario.constellation.tle.endswith("mine.tle.gz")
