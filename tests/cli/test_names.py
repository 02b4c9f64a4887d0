"""Names from files never reach a terminal, JSON, XML or a report as they are."""

import json
import re
from xml.etree import ElementTree

import pytest

NASTY = {
    2: "\x1b[31mred\x1b]0;pwned\x07",
    3: "a\nb",
    4: "a\x00b",
    5: "[bold red]x[/]",
    6: "[/]",
    7: "\u202eRTL",
    8: "\x9b31m",
    9: "<img src=x onerror=alert(1)>",
    10: "=cmd|' /C calc'!A0",
    11: "\ud800",
    12: "",
    13: "\N{ROCKET}",
}


@pytest.fixture
def sets(tmp_path):
    """The walker of the small scenario, with names of all kinds."""
    messages = [
        {
            "OBJECT_NAME": NASTY.get(i, f"SAT-{i}"), "NORAD_CAT_ID": i + 1,
            "EPOCH": "2026-079T00:00:00Z", "MEAN_MOTION": 13.15, "ECCENTRICITY": 1e-4,
            "INCLINATION": 60.0, "RA_OF_ASC_NODE": 60.0 * (i // 8), "ARG_OF_PERICENTER": 0.0,
            "MEAN_ANOMALY": 45.0 * (i % 8) + 7.5 * (i // 8), "BSTAR": 0.0,
        }
        for i in range(48)
    ]  # fmt: skip
    (tmp_path / "names.json").write_text(json.dumps(messages))
    return "constellation={kind='tle', tle='names.json'}"


STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028]")


def test_everything_that_shows_names(twin, tmp_path, sets):
    outages = "outages.availability=0.3"
    code, out, err = twin("run", "small", "--set", sets, "--set", outages, "--set",
                          "simulation.steps=6")  # fmt: skip
    assert (code, err.strip()) == (0, "")
    assert "note: control characters in 6 names are written out" in out
    assert "note: starts at 2026-03-20T00:00:00.000000Z, the newest epoch in the file" in out
    [run] = [p.name for p in (tmp_path / "runs").iterdir()]
    shown = out
    for command in (
        ("events", run, "--kind", "isl-down", "--limit", "400", "--json", "e.json"),
        ("events", run, "--satellite", "[/]", "--kind", "isl-down"),
        ("ephemeris", "small", "--set", sets, "--satellite", "[bold red]x[/]", "--steps", "2"),
        ("ephemeris", "small", "--set", sets, "--satellite", r"\x1b[31mred\x1b]0;pwned\x07",
         "--steps", "2"),
        ("export", run, "--czml", "o.czml", "--graphml", "o.graphml"),
        ("report", run, "--csv-dir", "csv"),
    ):  # fmt: skip
        code, out, err = twin(*command)
        assert code == 0, err
        shown += out
    assert not STEERS.search(shown)
    for name in (r"\x1b[31mred", r"a\nb", r"a\x00b", "[bold red]x[/]", r"\u202eRTL", "00013"):
        assert name in shown
    assert not STEERS.search((tmp_path / "e.json").read_text())
    assert not STEERS.search((tmp_path / "o.czml").read_text())
    root = ElementTree.parse(tmp_path / "o.graphml").getroot()
    names = [e.text for e in root.iter() if e.get("key") == "name"]
    assert r"\ud800" in names
    assert "\N{ROCKET}" in names
    assert len(set(names)) == 48


def test_errors_show_no_more_than_text(twin, sets):
    steer = "\x1b[31m\nsecond line"
    for command in (
        ("ephemeris", "small", "--satellite", steer),
        ("run", "small", "--set", f"simulation.steps={steer}"),
        ("run", "small", "--set", f"constellation={{kind='tle', tle='{steer[:5]}'}}"),
    ):
        code, out, err = twin(*command)
        assert (code, out) == (2, "")
        assert not STEERS.search(err)
        assert len(err.strip().splitlines()) == 1


def test_bad_records_of_a_file(twin, tmp_path, sets):
    path = tmp_path / "names.json"
    messages = json.loads(path.read_text())
    for i in (20, 33):
        messages[i]["MEAN_ELEMENT_THEORY"] = "DSST"
    path.write_text(json.dumps(messages))
    steps = ("--set", "simulation.steps=2")
    code, _, err = twin("run", "small", "--set", sets, *steps)
    assert code == 2
    assert err.strip() == (
        "twin: names.json, record 21: MEAN_ELEMENT_THEORY: must be SGP4, SGP/SGP4, SGP4/SDP4, SDP4 "
        "or TLE, not 'DSST'"
    )
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
    leave = sets.replace("}", ", bad_records='leave-out'}")
    code, out, err = twin("run", "small", "--set", leave, *steps)
    assert code == 0, err
    assert "note: 46 satellites in 6 planes of 7 to 8" in out
    assert "note: left out 2, bad record" in out
    [run] = (tmp_path / "runs").iterdir()
    left_out = json.loads((run / "manifest.json").read_text())["left_out"]
    assert set(left_out) == {"record 21", "record 34"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("policy", "threshold"), ["relative_increase : float", "controller.policy=threshold"]),
        (("strategies", "joint"), ["placement.params.min_tokens_per_s=0.0"]),
        (("board", "orin"), ["memory_gb_per_s: 204.8", "source: NVIDIA", "compute.board=orin"]),
        (("bus", "v2mini"), ["bus.profile=v2mini"]),
        (("figure", "latency_p99_s"), ["99th percentile over all tokens served", "unit: s"]),
        (("events", "brown-out"), ["A satellite loses power"]),
        (("scenario", "small"), ["[constellation]"]),
        (("study", "eclipse"), ["question = "]),
    ],
)
def test_one_thing_is_shown_with_what_sets_it(twin, args, said):
    code, out, err = twin("show", *args)
    assert (code, err) == (0, "")
    assert all(text in out for text in said)


def test_every_entry_of_every_table_can_be_shown(twin):
    code, out, err = twin("list", "--json", "-")
    assert code == 0
    for kind, entries in json.loads(out).items():
        code, out, err = twin("show", kind, next(iter(entries)))
        assert (code, err) == (0, ""), kind
        assert out


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("run", "papr"), "paper"),
        (("sweep", "eclipes"), "eclipse"),
        (("run", "small", "--set", "outages.availabilty=1"), "availability"),
        (("run", "small", "--set", "bus.profile=sbc-otc"), "sbc-oct"),
        (("run", "small", "--set", "controller.params={everysteps=3}"), None),
        (("compare", "small", "--strategies", "space-xnt"), "space-xnet"),
        (("place", "small", "--strategies", "joynt"), "joint"),
        (("list", "policis"), "policies"),
        (("show", "board", "orim"), "orin"),
        (("run", "small", "--set", "constellation.plans=3"), "planes"),
    ],
)
def test_a_name_that_is_nearly_right_is_answered_with_the_one_that_may_be_meant(twin, args, meant):
    code, _, err = twin(*args)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert err.strip().endswith(f"did you mean {meant!r}?") or meant is None


def test_newest_stands_for_the_newest_run(twin, tmp_path):
    assert "there is no complete run in runs/" in twin("events", "newest")[2]
    for seed in "12":
        assert twin("run", "small", "--seed", seed, "--set", "simulation.steps=4")[0] == 0
    newest = sorted(path.name for path in (tmp_path / "runs").iterdir())[-1]
    assert newest in twin("events", "newest", "--limit", "1")[1]
    code, _, _ = twin("run", "--from", "newest@2", "--fail", "3")
    assert code == 0
    (fork,) = sorted(path.name for path in (tmp_path / "runs").iterdir())[2:]
    manifest = json.loads((tmp_path / "runs" / fork / "manifest.json").read_text())
    assert manifest["forked"]["run"] == newest


def test_a_real_constellation_says_where_element_sets_come_from(twin):
    code, _, err = twin("run", "oneweb")
    assert code == 2
    assert "constellation.tle: field required: a file of element sets" in err
    assert "CelesTrak" in err
    assert "--set constellation.tle=FILE" in err


def test_a_study_with_nothing_to_resume_says_so(twin, tmp_path):
    file = 'name = "s"\nscenario = "small"\nreplicates = 2\nset = ["simulation.steps=2"]\n'
    (tmp_path / "s.toml").write_text(file)
    code, out, _ = twin("sweep", "s.toml", "--workers", "1", "--resume")
    assert code == 0
    assert "note: runs/ had no interrupted s; it ran from the start" in out


def test_plots_go_where_the_runs_are(twin, tmp_path):
    args = ("place", "small", "--strategies", "joint", "--replicates", "2", "--workers", "1")
    assert twin(*args, "--runs-dir", "other")[0] == 0
    assert (tmp_path / "other" / "place-small.png").is_file()
    assert not (tmp_path / "runs").exists()
