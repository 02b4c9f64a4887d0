"""What the page says of a strided run, against numbers worked out from the run's tables."""

import re

import numpy as np
import pytest
from page_actions import READY_MS, keep, seek

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
STEPS, STRIDE = 450, 2


@pytest.fixture(scope="module")
def strided(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strided")
    overrides = [
        f"simulation.steps={STEPS}",
        "bus.battery_wh=4.0",
        "bus.initial_soc=0.5",
        "controller.policy=on-event",
        'controller.params={events="brown-out"}',
    ]
    scenario = loader.load("small", overrides)
    return folder, run_scenario(scenario, runs_dir=folder / "runs", run_id="strided")


def told(page, figure, which="tw-value"):
    """Number and unit of a figure of the headline."""
    text = page.inner_text(f"[data-figure={figure}] .{which}").removeprefix("now ")
    found = re.fullmatch(r"([\d.]+) ?(\S*)", text)
    assert found, text
    return float(found[1]) * {"ms": 1e-3, "%": 1e-2}.get(found[2], 1.0)


def test_the_headline_is_of_every_step(strided, browser, watched):
    folder, run = strided
    table = run.table("steps")
    steps = {name: table[name].to_numpy().astype(float) for name in table.column_names}
    latency = run.table("latency")
    at, value, count = (latency[n].to_numpy() for n in ("step", "value_s", "count"))
    tokens = np.repeat(value, count)
    asked = steps["tokens_asked"].sum() + steps["tokens_waiting"][0]
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(folder) as address, watched(page):
        page.goto(f"{address}/?run=strided")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        page.wait_for_timeout(1000)
        seek(page, 100.1)
        page.wait_for_timeout(500)
        keep(page, "strided")
        mine = slice(100 * STRIDE, 101 * STRIDE)
        own = np.repeat(value, count * (at // STRIDE == 100))
        assert told(page, "served") == pytest.approx(steps["tokens_served"].sum() / asked, abs=6e-4)
        assert told(page, "served") <= 1
        assert told(page, "lowest") == pytest.approx(steps["soc_min"].min(), abs=6e-4)
        assert told(page, "carried") == pytest.approx(steps["migrated_bytes"].sum() / 1e9, rel=6e-4)
        assert told(page, "carried") > 0
        assert told(page, "p99") == pytest.approx(np.percentile(tokens, 99), rel=0.005, abs=1e-3)
        assert told(page, "latency") == pytest.approx(tokens.mean(), abs=6e-4)
        assert told(page, "lowest", "tw-now") == pytest.approx(
            steps["soc_min"][mine].min(), abs=6e-4
        )
        assert len(own)
        assert told(page, "p99", "tw-now") == pytest.approx(np.percentile(own, 99), abs=6e-4)
    page.close()
