"""Speed of the page in headless Chromium, drawn without a graphics card.

Run ``pytest tests/bench/bench_page.py -s``; it prints figures and asserts none of them. Frames are
counted by requestAnimationFrame callbacks that drew, script time by the browser's own sampling.
"""

import os
import sys
import time
from pathlib import Path

import pytest

from agents.run import run_scenario
from twin.scenario import loader
from twin.views.picture import CHROMIUM, CHROMIUM_ARGS, SEEK, WINDOW
from twin.views.server import served

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}")

RUNS = {
    "paper-64-tokens": ["simulation.record_tokens_per_step=64", "simulation.steps=60"],
    "ten-thousand": [
        "constellation.planes=100",
        "constellation.satellites_per_plane=100",
        "simulation.record_tokens_per_step=8",
        "simulation.steps=60",
    ],
    "paper": ["simulation.record_tokens_per_step=8"],
}
SECONDS = 10.0
SETTLED_MS = 10_000
"""Until all frames of the run are in the page, and it has found the sharpness it can keep up."""
SESSIONS = 10
PLAY_S = float(os.environ.get("PLAY_S", "60"))
"""How long the page plays, at 64 times the usual speed, while its heap is watched."""


SCRUB = """step => new Promise(done => {
    const told = document.querySelector('.tw-step');
    const began = performance.now();
    const watch = new MutationObserver(() => {
        if (!told.textContent.startsWith(`step ${step} `)) return;
        watch.disconnect();
        requestAnimationFrame(() => done(performance.now() - began));
    });
    watch.observe(told, { childList: true, characterData: true, subtree: true });
    const scrub = document.querySelector('.tw-scrub');
    scrub.value = step + 0.5;
    scrub.dispatchEvent(new Event('input'));
})"""
"""Milliseconds from a move of the time bar until text and charts have followed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("bench")
    for run_id, overrides in RUNS.items():
        run_scenario(loader.load("paper", overrides), runs_dir=made / "runs", run_id=run_id)
    return made


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as url:
        time.sleep(5)  # until what is compiled is loaded
        yield url


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport=WINDOW)
    yield context.new_page()
    context.close()


def tell(text):
    sys.stdout.write(text + "\n")


def opened(page, url):
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(".tw-stage[data-draws]", state="attached", timeout=60_000)
    first_s = time.perf_counter() - began
    page.wait_for_selector(".tw-note", state="detached", timeout=60_000)
    page.wait_for_timeout(SETTLED_MS)
    return first_s


def drawn(page):
    return page.evaluate(
        "(() => { const d = document.querySelector('.tw-stage').dataset;"
        " return [performance.now() / 1000, Number(d.draws)]; })()"
    )


def script_ms(profile):
    """Time in scripts of a sampled profile: all but idle, and the browser's own work."""
    names = {node["id"]: node["callFrame"]["functionName"] for node in profile["nodes"]}
    spent = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return (
        sum(us for node, us in spent if names[node] not in ("(idle)", "(program)", "(root)")) / 1e3
    )


@pytest.mark.parametrize("run_id", ["paper-64-tokens", "ten-thousand"])
def test_frames(page, address, run_id):
    first_s = opened(page, f"{address}/?run={run_id}")
    tools = page.context.new_cdp_session(page)
    tools.send("Profiler.enable")
    tools.send("Profiler.setSamplingInterval", {"interval": 200})
    start = drawn(page)
    tools.send("Profiler.start")
    page.wait_for_timeout(1000 * SECONDS)
    profile = tools.send("Profiler.stop")["profile"]
    end = drawn(page)
    frames = end[1] - start[1]
    tokens = page.inner_text("[data-show=tokens] b")
    tell(
        f"\n{run_id}: first picture {first_s:.2f} s; {frames / (end[0] - start[0]):.1f} frames/s, "
        f"scripts {script_ms(profile) / frames:.2f} ms a frame; tokens {tokens}"
    )


def test_scrub_to_charts(page, address):
    opened(page, f"{address}/?run=paper")
    page.click(".tw-play")
    took = sorted(page.evaluate(SCRUB, step) for step in range(10, 190, 9))
    tell(f"\nscrub to charts: median {took[len(took) // 2]:.0f} ms, slowest {took[-1]:.0f} ms")


def test_a_paused_page(page, address):
    opened(page, f"{address}/?run=paper")
    page.evaluate(SEEK, 20.5)
    page.wait_for_timeout(1500)
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def busy_s():
        metrics = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"]

    before = busy_s()
    page.wait_for_timeout(1000 * SECONDS)
    tell(f"\npaused: main thread busy {100 * (busy_s() - before) / SECONDS:.2f} % of the time")


def test_the_heap_while_it_plays(page, address):
    opened(page, f"{address}/?run=paper")
    page.click("[data-speed='64']")
    page.wait_for_timeout(3000)
    tools = page.context.new_cdp_session(page)

    def heap_mib():
        tools.send("HeapProfiler.collectGarbage")
        return tools.send("Runtime.getHeapUsage")["usedSize"] / 2**20

    before = heap_mib()
    page.wait_for_timeout(1000 * PLAY_S)
    after = heap_mib()
    shown = PLAY_S * 64 / 3600
    tell(
        f"\nheap: {before:.1f} MiB, {after:.1f} MiB after {PLAY_S:.0f} s at 64 times the speed, "
        f"as many steps as in {shown:.1f} h of play"
    )


def test_ten_sessions(chromium, address, folder):
    server = server_process(folder)

    def memory_mib():
        text = Path(f"/proc/{server}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def visit(count):
        contexts = [chromium.new_context(viewport=WINDOW) for _ in range(count)]
        pages = [context.new_page() for context in contexts]
        run_ids = [list(RUNS)[k % len(RUNS)] for k in range(count)]
        for one, run_id in zip(pages, run_ids, strict=True):
            one.goto(f"{address}/?run={run_id}")
        for one in pages:
            one.wait_for_selector(".tw-stage[data-draws]", state="attached", timeout=120_000)
        shown = [one.get_attribute(".tw-stage", "data-runs") for one in pages]
        most = memory_mib()
        for one in pages:
            one.goto("about:blank")
        for context in contexts:
            context.close()
        time.sleep(5)
        return shown == run_ids, most

    before = memory_mib()
    told = []
    for _ in range(3):
        right, most = visit(SESSIONS)
        told.append(f"{most:.0f} then {memory_mib():.0f}")
        assert right
    tell(
        f"\n{SESSIONS} sessions at once, three times: server {before:.0f} MiB before; "
        f"open and closed: {', '.join(told)} MiB"
    )


def server_process(folder):
    """The process that serves from a folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        if "solara" in (entry / "cmdline").read_text():
            try:
                if (entry / "cwd").resolve() == folder.resolve():
                    return entry.name
            except OSError:
                continue
    raise AssertionError("no server")
