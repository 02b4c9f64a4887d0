"""What `twin capacity` and `twin where` keep for the page to draw."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.report import capacity, where
from twin.runs.statistics import Estimate, estimate
from twin.scenario import loader
from twin.study import answers
from twin.study.capacity import Found, Trial
from twin.study.cases import Case
from twin.study.places import PLACES
from twin.study.trials import KEPT
from twin.study.where import DAY, WhereCase
from twin.views.palette import STAGE


def trial(load, shares, *, carried):
    """A load whose replicates have these shares within both targets, and as much goodput."""
    runs = [
        dict.fromkeys(KEPT, load) | {"goodput_share": share, "goodput_per_s": share * load}
        for share in shares
    ]
    return Trial(load=load, runs=runs, carried=carried)


@pytest.fixture
def found():
    scenario = loader.load("serving-study", {"requests.rate_per_s": 0.01})
    trials = [
        trial(4.0, [0.5, 0.6, 0.7], carried=False),
        trial(1.0, [1.0, 0.99, 0.98], carried=True),
    ]
    one = Found(case=Case(name="one", scenario=scenario), trials=trials)
    return [one, Found(case=Case(name="other", scenario=scenario))]


def test_loads_of_a_case_are_a_line_in_their_order(found):
    share, front, _ = capacity.plots(found)
    first, other = share.series
    assert (first.label, first.joined, other.points) == ("one", True, [])
    low, high = first.points
    mean, half = estimate(np.array([1.0, 0.99, 0.98]))
    np.testing.assert_allclose(
        low[:4], [0.01, 100 * mean, 100 * (mean - half), 100 * (mean + half)]
    )
    assert (low[4], high[0], high[4]) == (True, 0.04, False)
    goodput = [point[:2] for point in front.series[0].points]
    np.testing.assert_allclose(goodput, [(1.0, 0.99), (4.0, 2.4)])


def case(place, tpot_s, carried_per_s, error=None):
    made = WhereCase(place=place, board="b", model="m", scenario=None, error=error)
    made.days = [dict.fromkeys(DAY, 1.0) | {"request_tpot_p50_s": tpot_s, "machines": 1}]
    return made


def test_places_are_points_and_what_carries_nothing_is_hollow(monkeypatch):
    per_kw = {"ring": 5.0, "ground": float("nan")}
    monkeypatch.setattr(where, "_per_kw", lambda case: per_kw[case.place])
    cases = [case("ring", 0.1, 5.0), case("ground", 0.2, 0.0), case("cluster", 0.3, 0.0, "no room")]
    (plot,) = where.plots(cases)
    assert plot.title == "m"
    assert [(s.label, s.shape, s.points) for s in plot.series] == [
        ("ring, b", 0, [(0.1, 5.0, None, None, True)]),
        ("ground, b", 1, [(0.2, 0.0, None, None, False)]),
    ]


def test_no_two_of_all_places_and_boards_look_alike(monkeypatch):
    monkeypatch.setattr(where, "_per_kw", lambda _: 1.0)
    cases = [case(place, 0.1, 1.0) for place in PLACES for _ in range(3)]
    for k, one in enumerate(cases):
        one.board = ("sbc-2a72", "orin", "tpu-v6e")[k % 3]
    (plot,) = where.plots(cases)
    for palette in (STAGE["dark"], STAGE["light"]):
        colours = len(palette["series"])
        assert len({(s.hue % colours, s.shape) for s in plot.series}) == len(cases)


def test_what_is_not_known_is_no_point():
    assert answers.point(float("nan"), Estimate(1.0, 0.1), solid=True) is None
    assert answers.point(1.0, Estimate(float("nan"), 0.1), solid=True) is None


def test_an_answer_is_read_as_it_was_kept_and_refused_where_it_is_damaged(found, tmp_path):
    plots = capacity.plots(found)
    file = answers.keep(tmp_path, "capacity", "x", question="q", rule="r", plots=plots)
    assert file.name == "capacity-x.answer.json"
    kept = answers.read(file)
    assert (kept["command"], kept["scenario"], len(kept["plots"])) == ("capacity", "x", 3)
    assert kept["plots"][0]["series"][0]["points"][0] == [*plots[0].series[0].points[0]]
    assert [plot["series"][0]["runs"] for plot in kept["plots"]] == [[0, 1]] * 3
    asked = [loader.load_text(t, "kept").requests.rate_per_s for t in kept["scenarios"]]
    assert asked == [0.01, 0.04]
    file.write_text(file.read_text().replace("capacity", "captivity"))
    with pytest.raises(InputError, match="damaged"):
        answers.read(file)
    for text in ("", "{}", "[]"):
        file.write_text(text)
        with pytest.raises(InputError, match="not an answer"):
            answers.read(file)
