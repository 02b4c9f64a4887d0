"""A plant, its mirror and the page: what is mirrored grows, an alarm is acknowledged for good."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from page_actions import READY_MS, screen, settle

from twin.live import handled
from twin.scenario import loader
from twin.views.mirrored import growing
from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
CHANGES = {
    "simulation.orbits": None,
    "simulation.step_s": 60.0,
    "simulation.steps": 90,
    "workload.tokens_per_step": 4,
    "simulation.record_tokens_per_step": 1,
}
SILENT, FROM = "P1S3", 400
"""A satellite that is not heard after so many lines."""
TWIN = Path(sys.executable).with_name("twin")


@pytest.fixture
def mirrored(tmp_path):
    """A folder in whose runs a process mirrors a plant, and what lets its telemetry go on."""
    (tmp_path / "small.toml").write_text(loader.to_toml(loader.load("small", CHANGES)))
    subprocess.run(
        [TWIN, "emit", "small.toml", "--seed", "3", "--to", "all.jsonl"], cwd=tmp_path, check=True
    )
    all_said = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    heard = [
        line for number, line in enumerate(all_said)
        if number < FROM or json.loads(line).get("satellite") != SILENT
    ]  # fmt: skip
    said = tmp_path / "said.jsonl"
    said.write_bytes(b"".join(heard[: len(heard) * 2 // 3]))
    command = [TWIN, "live", "small.toml", "--from", "said.jsonl", "--follow"]
    mirror = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    stop = threading.Event()

    def fly():
        with said.open("ab", buffering=0) as file:
            for number in range(len(heard) * 2 // 3, len(heard), 20):
                if stop.wait(0.25):
                    return
                file.write(b"".join(heard[number : number + 20]))

    flying = threading.Thread(target=fly)
    deadline = time.monotonic() + READY_MS / 1000
    while not list((tmp_path / "runs").glob("*/checkpoints/*.state")):
        assert time.monotonic() < deadline, "nothing is mirrored"
        time.sleep(0.1)
    yield tmp_path, flying.start
    stop.set()
    if flying.ident is not None:
        flying.join()
    mirror.terminate()
    mirror.wait(20)
    shutil.rmtree(tmp_path / "runs")


def test_an_alarm_of_what_is_mirrored_is_acknowledged_for_good(mirrored, browser, serious, watched):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    folder, go_on = mirrored
    with served(folder) as address, watched(page):
        page.goto(address)
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        first = int(page.get_attribute(".tw-stage", "data-ready"))
        assert page.get_attribute("[data-act=now]", "aria-pressed") == "true"
        go_on()
        page.wait_for_function(
            f"+document.querySelector('.tw-stage').dataset.ready > {max(first, 60)}",
            timeout=READY_MS,
        )
        assert "behind the fleet's clock" in page.inner_text(".tw-standing")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector("[data-act=now][aria-pressed=false]")
        page.click("[data-tab=alarms]")
        alarm = page.locator(f"[data-alarms=silent] [data-alarm] >> text={SILENT}")
        alarm.wait_for(timeout=READY_MS)
        step = int(page.get_attribute("[data-act=see]", "title").rpartition(" ")[2])
        assert 50 < step < 60
        alarm.click()
        page.wait_for_selector(f".tw-stage[data-frame='{step}']")
        assert "sat=P1S3" in page.evaluate("location.search")
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            assert serious(page) == [], width
        screen(page, "page-live")
        page.click("[data-act=acknowledge]")
        page.wait_for_selector("text=All have been seen to.")
        (run,) = growing(folder / "runs").values()
        (name,) = handled.read(run).acknowledged
        page.reload()
        page.wait_for_selector(f"[data-alarm='{name}'] >> text=acknowledged", timeout=READY_MS)
        assert page.locator("[data-act=acknowledge], .tw-count").count() == 0
        page.keyboard.press("n")
        page.wait_for_selector("[data-act=now][aria-pressed=true]")
        assert "&t=" not in page.evaluate("location.search")
    page.close()
