"""What several rooms' tests share."""

import json
import os
import re
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

CI = os.environ.get("CI") == "true"
PROCESSES = 2
"""That the whole suite is spread over."""


def pytest_addoption(parser):
    """Let fuzzers do more than they do by default."""
    parser.addoption(
        "--fuzz-budget",
        type=float,
        default=0.05 if CI else 0.03,
        help="share of the fuzzers' whole budget (10,000 scenarios, 100 kills and so on); "
        "default: 0.05 where the environment says CI=true, else 0.03",
    )
    parser.addoption("--fuzz-seed", type=int, default=0, help="of all fuzzers")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Spread the whole suite over processes, unless something else is asked for (as by `-n 0`)."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # this is one of them
        return
    asked = config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    quiet = not (asked.usepdb or asked.collectonly or asked.capture == "no")
    if whole and quiet and getattr(asked, "numprocesses", 0) is None:
        asked.numprocesses, asked.dist, asked.loadscopereorder = PROCESSES, "loadfile", False


def pytest_collection_modifyitems(items):
    """Begin with the browser's: the longest group, so that none has to wait for it at the end.

    It compiles little of the serving engine, which all that follows of the other process needs:
    from a checkout where nothing is compiled, both would compile it at the same time.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/browser/"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests share fixtures, and all of the browser's a server: they stay together."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "tests/browser" if file.startswith("tests/browser/") else file

    return Scheduling(config, log)


@pytest.fixture
def budget(request):
    """How many cases of the whole budget to try."""
    share = request.config.getoption("--fuzz-budget")
    return lambda whole: max(1, round(share * whole))


VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Refuses what is not closed in order; gathers ids, addresses and the cells of tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tables, self.words = [], [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag == "table":
            self.rows = self.tables[named["id"].removeprefix("table-")] = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


@pytest.fixture
def one_processor():
    """Commands that are not asked for workers then start none, which takes longer than they do."""
    if not hasattr(os, "sched_setaffinity"):  # outside Linux they take their time
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture
def twin(monkeypatch, tmp_path, capfd):
    """Call the command in an empty folder; gives exit code, standard output and error."""
    from twin.cli.main import main

    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", *args])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="session")
def page_of():
    """Report on folders; gives the document, and its page when it has been checked and read."""
    from twin.report import drawing as report_drawing
    from twin.report.document import report
    from twin.report.page import html

    known = {}

    def read(*folders, again=False, drawn=True):
        if folders in known:
            return known[folders]
        document = report(folders)
        written = html(document, report_drawing.svg if drawn else lambda picture: "")
        page = Page(written)
        assert len(page.ids) == len(set(page.ids))
        assert all(link.startswith(("#", "data:")) for link in page.links)
        assert not re.search(
            r"(src|href)\s*=\s*.https?:|url\(\s*.?https?:|@import|<script", written
        )
        if again:
            assert written == html(report(folders), report_drawing.svg)
        known[folders] = document, page
        return document, page

    return read


NO_DATA = "needs real element sets or measured runs beside the checkout"
NAMED_SKIPS = (
    NO_DATA,
    "no devices may be made here",
    "without sums of its files a run cannot tell one number from another",
)
"""Why a test may be skipped where all else is there: element sets may not be given away."""
_unnamed: list[str] = []


def pytest_runtest_logreport(report):
    """Note tests that are skipped for a reason that is not among those named."""
    if report.skipped and isinstance(report.longrepr, tuple | list):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(NAMED_SKIPS):
            _unnamed.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session):
    """Where everything should be there (CI=true), a skip without a name is a failure."""
    if CI and _unnamed and session.exitstatus == 0 and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    """List them."""
    if CI and _unnamed:
        terminalreporter.section("skipped for reasons that tests/conftest.py does not name")
        for line in _unnamed:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real element sets and measured runs, which are not this repository's to give away."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(NO_DATA)
    return folder


@pytest.fixture(scope="session")
def oracle():
    """Read a file of figures from elsewhere, by its name in ``tests/oracles``."""
    folder = Path(__file__).parent / "oracles"

    def read(name):
        text = (folder / name).read_text(encoding="utf-8")
        return tomllib.loads(text) if name.endswith(".toml") else json.loads(text)

    return read


def _checked(line: str) -> str:
    return line + str(sum(int(c) if c.isdigit() else c == "-" for c in line) % 10)


@pytest.fixture
def element_sets(tmp_path):
    """Write circular orbits as two-line elements: arrays of deg and revolutions a day."""

    def write(inc_deg, raan_deg, latitude_deg, rev_day, *, name="sets.tle", epoch="22257.5"):
        rows = np.broadcast(inc_deg, raan_deg, latitude_deg, rev_day)
        lines = []
        for i, (inc, raan, latitude, rev) in enumerate(rows):
            angles = f"{raan % 360:8.4f} 0000001   0.0000 {latitude % 360:8.4f}"
            when = f"{float(epoch):014.8f}  .00000000  00000+0  00000+0 0  999"
            lines += [
                f"SAT {i}",
                _checked(f"1 {i + 1:05d}U 22001A   {when}"),
                _checked(f"2 {i + 1:05d} {inc:8.4f} {angles} {rev:11.8f}    1"),
            ]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
