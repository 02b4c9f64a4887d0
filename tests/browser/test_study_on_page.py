"""A study on the page: its figures along its axes, and the way from a point to its run."""

import pytest
from page_actions import READY_MS, keep, settle

from twin.runs.statistics import estimate
from twin.study import answers
from twin.study.answers import Plot, Series
from twin.study.sweep import open_sweep, sweep
from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
STUDY = """
name = "height"
question = "How does altitude change the latency of a token?"
scenario = "small"
replicates = 2
strategies = ["space-xnet", "rand-intra"]
metrics = ["latency_mean_s", "tokens_served_share", "sunlit_share"]
set = ["simulation.steps=3"]

[[axes]]
"constellation.altitude_km" = [800.0, 1150.0, 1500.0]

[[axes]]
"workload.tokens_per_step" = [16, 32]
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "height.toml").write_text(STUDY)
    source, runs = str(folder / "height.toml"), folder / "runs"
    opened = open_sweep(source, resume=False, runs_dir=runs, keep_runs=False)
    with opened.writer:
        return folder, sweep(opened, workers=1)


def sideways(page):
    """How far a page reaches beyond its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_study_is_drawn_and_a_point_opens_its_run(swept, browser, serious, watched, theme):
    folder, study = swept
    page = browser.new_page(viewport=WINDOW, color_scheme=theme)
    with served(folder) as address, watched(page):
        page.goto(f"{address}/overview")
        page.locator(f"[data-run='{study.path.name}'] a").click(timeout=READY_MS)
        page.wait_for_selector(".tw-plot svg", timeout=READY_MS)
        for width in (390, 800, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            assert serious(page) == [], width
            assert sideways(page) == 0
        assert page.locator(".tw-plot").count() == 3
        page.locator("[data-plot=latency_mean_s] summary").click()
        page.select_option("[data-choice=tokens_per_step]", "1")
        rows = [
            row
            for row in study.points().to_pylist()
            if (row["constellation.altitude_km"], row["workload.tokens_per_step"]) == (1150.0, 32)
            and row["strategy"] == "rand-intra"
        ]
        mean = estimate(
            study.points()["latency_mean_s"].take([r["point"] for r in rows]).to_numpy()
        )
        cell = page.locator("[data-plot=latency_mean_s] [data-mark='1-1']")
        cell.filter(has_text=f"{mean.mean:.4g}").click()
        page.wait_for_selector("[data-point]")
        points = [int(r.get_attribute("data-point")) for r in page.locator("[data-point]").all()]
        assert points == [row["point"] for row in rows]
        assert serious(page) == []
        keep(page, f"{theme}-study")
        page.locator("[data-act=open-run]").last.click()
        page.wait_for_selector(".tw-stage[data-ready='3']", timeout=READY_MS)
        assert page.get_attribute(".tw-stage", "data-runs").endswith(f"-point-{points[-1]}")
    page.close()


def test_a_click_on_a_mark_shows_its_runs_and_one_that_failed_says_why(tmp_path, browser, watched):
    (tmp_path / "room.toml").write_text(
        'name = "room"\nscenario = "small"\nreplicates = 1\nmetrics = ["latency_mean_s"]\n'
        'set = ["simulation.steps=2"]\n[[axes]]\n"compute.memory_gb" = [1e-9, 64.0]\n'
    )
    opened = open_sweep(
        str(tmp_path / "room.toml"), resume=False, runs_dir=tmp_path / "runs", keep_runs=False
    )
    with opened.writer:
        study = sweep(opened, workers=1)
    page = browser.new_page(viewport=WINDOW)
    with served(tmp_path) as address, watched(page):
        page.goto(f"{address}/study?name={study.path.name}")
        box = page.locator(".tw-plot svg").bounding_box(timeout=READY_MS)
        mark = page.locator(".tw-plot svg g[stroke] path[stroke=none]").bounding_box()
        page.mouse.move(mark["x"] + 3, mark["y"] + 3)
        assert "64" in page.inner_text(".tw-plot-tip")
        page.mouse.click(mark["x"] + 3, mark["y"] + 3)
        page.wait_for_selector("[data-point='1'] [data-act=open-run]")
        assert mark["x"] > box["x"] + box["width"] / 2
        page.click("[data-act=close-runs]")
        page.locator("summary").click()
        page.click("[data-mark='0-0']")
        page.wait_for_selector("[data-point='0'] .tw-failed")
        assert page.locator("[data-act=open-run]").count() == 0
    page.close()


def test_a_study_that_is_not_here_is_said_to_be_missing(swept, browser, watched):
    page = browser.new_page(viewport=WINDOW)
    with served(swept[0]) as address, watched(page):
        page.goto(f"{address}/study?name=../../etc.study")
        page.get_by_text("no such complete study").wait_for(timeout=READY_MS)
    page.close()


def test_what_a_command_has_found_is_drawn(tmp_path, browser, serious, watched):
    one = Series(label="one", hue=0, shape=0, joined=True, points=[(1.0, 2.0, 1.5, 2.5, True)])
    none = Series(
        label="none", hue=1, shape=1, joined=False, points=[(2.0, 0.0, None, None, False)]
    )
    plot = Plot(title="Goodput", x="first token, s", y="goodput, requests/s", series=[one, none])
    (tmp_path / "runs").mkdir()
    told = {"question": "How much?", "rule": "within both targets"}
    answers.keep(tmp_path / "runs", "capacity", "sky", plots=[plot], **told)
    page = browser.new_page(viewport=WINDOW)
    with served(tmp_path) as address, watched(page):
        page.goto(f"{address}/overview")
        page.locator("[data-run='capacity-sky.answer.json'] a").click(timeout=READY_MS)
        page.wait_for_selector(".tw-plot svg", timeout=READY_MS)
        mark = page.locator(".tw-plot svg[role=img] .tw-hollow").bounding_box()
        page.mouse.move(mark["x"] + 4, mark["y"] + 4)
        page.wait_for_function(
            "document.querySelector('.tw-plot-tip').innerText.startsWith('none: first token, s 2;')"
        )
        page.locator("summary").click()
        page.wait_for_selector(".tw-table tbody td")
        cells = page.locator(".tw-table tbody td").all_inner_texts()
        assert cells == ["1", "2 (1.5 to 2.5)", "yes", "2", "0", "no"]
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            assert serious(page) == [], width
            assert sideways(page) == 0
        page.locator(".tw-table tbody button").nth(1).click()
        page.get_by_text("answers kept what was run").wait_for(timeout=READY_MS)
        page.locator("[data-act=close-runs]").click()
        page.locator(".tw-plot svg[role=img]").scroll_into_view_if_needed()
        mark = page.locator(".tw-plot svg[role=img] .tw-hollow").bounding_box()
        page.mouse.click(mark["x"] + 4, mark["y"] + 4)
        page.get_by_role("region", name="run of the mark").wait_for()
    page.close()
