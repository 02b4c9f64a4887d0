"""Requests of a run on the page: rows, one over its life, copies of the model."""

import pytest
from page_actions import READY_MS, differ, keep, look, seek, settle, shown_step

from agents.run import run_scenario
from twin.scenario import loader
from twin.views.picture import WINDOW
from twin.views.server import served
from twin.vocabulary import Cause

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
COPIES = [
    "serving.mode=requests",
    "placement.instances=2",
    "placement.strategy=joint",
    "serving.dispatch=least-loaded",
    "ground.users=cities",
    "ground.minimum_elevation_deg=10.0",
    "compute.memory_gb=0.001",
    "requests.rate_per_s=0.2",
    "requests.lengths=lognormal",
    "requests.prompt_tokens=40",
    "requests.output_tokens=12",
    "requests.patience_s=60.0",
    "requests.record_every=2",
    "serving.chunk_tokens=8",
    "simulation.record_tokens_per_step=4",
]


@pytest.fixture(scope="module")
def requested(tmp_path_factory):
    """A folder with a run of two copies of the model, and that run."""
    folder = tmp_path_factory.mktemp("requested")
    run = run_scenario(loader.load("small", COPIES), runs_dir=folder / "runs", run_id="copies")
    return folder, run


@pytest.fixture(scope="module")
def _open(requested, browser, watched):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(requested[0]) as address, watched(page):
        page.goto(f"{address}/?run=copies")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        page.click("[data-tab=requests]")
        page.wait_for_selector("[data-row]")
        yield page
    page.close()


@pytest.fixture
def page(_open):
    _open.keyboard.press("Escape")
    _open.click("[data-tab=requests]")
    _open.click("[data-look=Slowest]")
    settle(_open)
    return _open


def numbers(page):
    return [int(b.get_attribute("data-row")) for b in page.locator("[data-row]").all()]


def asked_for(page, wanted):
    """Wait until rows are those wanted: an answer may still be on its way."""
    page.wait_for_function(
        "wanted => JSON.stringify([...document.querySelectorAll('[data-row]')]"
        ".map(b => Number(b.dataset.row))) === wanted",
        arg=f"[{','.join(map(str, wanted))}]",
    )


def test_rows_are_those_of_the_table_slowest_first(page, requested):
    rows = [r for r in requested[1].table("requests").to_pylist() if r["e2e_s"] is not None]
    slowest = sorted(rows, key=lambda r: -r["e2e_s"])[:50]
    asked_for(page, [r["request"] for r in slowest])
    keep(page, "requests")


def test_lost_ones_are_chosen_by_cause_and_copy(page, requested):
    rows = requested[1].table("requests").to_pylist()
    lost = [r for r in rows if r["cause"] not in (None, Cause.UNFINISHED.word)]
    assert lost
    lost.sort(key=lambda r: r["asked_s"])
    page.click("[data-look=Lost]")
    asked_for(page, [r["request"] for r in lost][:50])
    page.wait_for_selector(".tw-found i", state="attached")
    for copy in ("1", "0"):
        page.select_option("[data-choice=copy]", copy)
        asked_for(page, [r["request"] for r in lost if r["instance"] == int(copy)][:50])
    page.select_option("[data-choice=copy]", "")


def test_a_request_is_shown_over_its_life_and_leads_to_its_time(page, requested):
    rows = requested[1].table("requests").to_pylist()
    served_ones = [r for r in rows if r["cause"] is None and r["request"] % 2 == 0]
    row = max(served_ones, key=lambda r: r["e2e_s"])
    page.locator(f"[data-row='{row['request']}']").click()
    page.wait_for_selector(f"[data-life='{row['request']}'] svg")
    # Chunks of 8 tokens, then one pass for each further token.
    chunks = -(-row["prompt_tokens"] // 8)
    drawn = page.locator(".tw-waterfall rect title").all_text_contents()
    assert sum("of the prompt" in text for text in drawn) == chunks
    assert sum(text.startswith("token ") for text in drawn) == row["made_tokens"] - 1
    page.click("[data-go='first token']")
    settle(page)
    step_s = requested[1].table("steps")["t_s"][1].as_py()
    assert shown_step(page) == int((row["asked_s"] + row["ttft_s"]) // step_s)
    keep(page, "request")
    page.click("[data-act=close-request]")
    page.wait_for_selector(".tw-life", state="detached")


def test_copies_of_the_model_are_colours_and_a_list(page, requested):
    seek(page, 30.5)
    steps = requested[1].table("instances").to_pylist()
    (first, second) = [r for r in steps if r["step"] == 30]
    for row in (first, second):
        cells = page.locator(f"[data-copy='{row['instance']}'] td").all_inner_texts()
        assert cells[1:3] == [str(row["running"]), str(row["waiting"])]
    page.click("[data-colour=instance]")
    page.click("[data-act=wide]")
    settle(page)
    keep(page, "copies")
    page.click("[data-act=wide]")


def heat_tip(page, share_across, share_down):
    """What the heat map says of a place on it."""
    page.locator(".tw-heat").scroll_into_view_if_needed()
    box = page.locator(".tw-heat").bounding_box()
    x, y = box["x"] + share_across * box["width"], box["y"] + share_down * box["height"]
    page.mouse.move(x, y)
    settle(page)
    return page.inner_text(".tw-heat-map .tw-hint")


@pytest.mark.parametrize(
    ("kind", "label", "words"),
    [
        ("waiting_tokens", "Queue", lambda v: f"{v:.0f} token"),
        (
            "batch_mean",
            "Batch",
            lambda v: f"{v:.1f} tokens together" if v > 0 else "served nothing",
        ),
        ("cache_share", "Cache", lambda v: f"{100 * v:.2f} %"),
    ],
)
def test_the_heat_map_has_queues_batches_and_caches_of_hosts(page, requested, kind, label, words):
    page.click(f"[data-heat={kind}]")
    page.wait_for_selector(f".tw-heat[aria-label^={label}]")
    told = heat_tip(page, 0.3, 0.01)
    name, step = told.partition(",")[0], int(told.partition("step ")[2].partition(":")[0])
    number = {f"P{k // 8}S{k % 8}": k for k in range(48)}[name]
    table = requested[1].table("queues").to_pandas().set_index(["satellite", "step"])
    value = table[kind].get((number, step), float("nan"))
    known = kind != "cache_share" or value == value
    assert (words(value if value == value else 0.0) if known else "not known") in told
    page.click("[data-act=wide]")
    settle(page)
    keep(page, f"heat-{kind}")
    page.click("[data-act=wide]")
    page.click("[data-heat=busy]")
    page.wait_for_selector(".tw-heat[aria-label^=Busy]")
    assert "busy" in heat_tip(page, 0.3, 0.01)


def test_links_are_coloured_by_load_and_requests_drawn_to_their_copies(page, requested):
    run = requested[1]
    dispatched = run.table("requests").to_pandas()
    step_s = run.table("steps")["t_s"][1].as_py()
    sent = dispatched[dispatched["instance"] >= 0]
    step = int((sent["asked_s"] // step_s).mode()[0])
    seek(page, step + 0.5)
    for what in ("tokens", "ring", "migrations"):
        page.click(f"[data-show={what}]")
    before = look(page)
    page.click("[data-show=load]")
    page.wait_for_function("document.querySelector('[data-show=load] b').innerText !== ''")
    every = run.scenario.simulation.record_satellites_every
    traffic = run.table("traffic").to_pandas()
    traffic = traffic[traffic["step"] == step // every * every]
    links = {tuple(sorted(ends)) for ends in zip(traffic["source"], traffic["target"], strict=True)}
    assert page.inner_text("[data-show=load] b").startswith(f"{len(links)}, to ")
    loaded = look(page)
    assert differ(before, loaded) > 100
    page.click("[data-show=dispatch]")
    page.wait_for_function("document.querySelector('[data-show=dispatch] b').innerText !== ''")
    number = (sent["asked_s"] // step_s == step).sum()
    assert page.inner_text("[data-show=dispatch] b") == str(number)
    assert differ(loaded, look(page)) > 50
    keep(page, "load-and-dispatch")
    for what in ("tokens", "ring", "migrations", "load", "dispatch"):
        page.click(f"[data-show={what}]")


def test_charts_of_load_are_those_of_the_tables(page):
    page.click("[data-tab=charts]")
    titles = page.locator(".tw-chart-title b").all_inner_texts()
    assert titles[:3] == ["Requests and goodput", "Requests inside", "What is busy"]
    keep(page, "load-charts")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious_in_requests_this_run_and_runs(
    requested, browser, serious, watched, theme
):
    page = browser.new_page(viewport=WINDOW, color_scheme=theme)
    with served(requested[0]) as address, watched(page):
        page.goto(f"{address}/?run=copies&tab=requests")
        page.wait_for_selector("[data-row]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        for width in (390, 800, 1400, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            page.click("[data-tab=requests]")
            page.wait_for_selector("[data-row]")
            assert serious(page) == [], f"requests, {width}"
            if not page.locator(".tw-life").count():  # another click would close it
                page.locator("[data-row]").first.click()
            page.wait_for_selector(".tw-life")
            settle(page)
            assert serious(page) == [], f"one request, {width}"
            keep(page, f"{theme}-request-{width}")
            page.click("[data-tab=about]")
            settle(page)
            assert serious(page) == [], f"this run, {width}"
            keep(page, f"{theme}-about-{width}")
        page.goto(f"{address}/overview")
        page.wait_for_selector("[data-run=copies]", timeout=READY_MS)
        for width in (390, 800, 1400, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert serious(page) == [], f"runs, {width}"
            keep(page, f"{theme}-runs-{width}")
    page.close()
