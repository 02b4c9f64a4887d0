"""Study files: what they spell out, and what is refused and how."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.study import study_file
from twin.study.points import base_scenario, make_points
from twin.study.study_file import Range, parse_study, read_study, to_toml

HEAD = 'name = "s"\nscenario = "small"\nreplicates = 3\n'


def points_of(text):
    study = parse_study(text, "s.toml")
    found = make_points(study, base_scenario(study, "s.toml"), "s.toml")
    assert len(found) == study.size
    return study, found


@given(
    start=st.integers(-500, 500), step=st.integers(1, 40), more=st.integers(1, 60),
    tenths=st.booleans(),
)  # fmt: skip
def test_a_range_is_what_one_would_write_out(start, step, more, tenths):
    unit = 10 if tenths else 1
    numbers = {"from": start / unit, "to": (start + step * more) / unit, "step": step / unit}
    if not tenths:
        numbers = {name: int(value) for name, value in numbers.items()}
    by_step = Range(**numbers).values()
    # As decimals, 0.1 + 0.2 is 0.3.
    assert by_step == [(start + i * step) / unit for i in range(more + 1)]
    assert all(isinstance(value, float if tenths else int) for value in by_step)
    del numbers["step"]
    assert Range(**numbers, count=more + 1).values() == by_step
    short = Range(**numbers | {"to": numbers["to"] - 1 / unit / 2}, step=step / unit)
    assert short.values() == pytest.approx(by_step[:-1])


def test_axes_cross_and_the_fields_of_one_go_along():
    study, points = points_of(
        HEAD
        + 'strategies = ["space-xnet", "rand-intra"]\npolicies = ["static", "periodic"]\n'
        + '[[axes]]\n"constellation.planes" = { from = 4, to = 8, step = 2 }\n'
        + '"constellation.phasing" = [1, 2, 3]\n'
        + '[[axes]]\n"outages.availability" = [0.9, 1.0]\n'
        + "[policy_params.periodic]\nevery_steps = 2\n"
    )
    expected = itertools.product(
        [(4, 1), (6, 2), (8, 3)], [0.9, 1.0], ["space-xnet", "rand-intra"],
        ["static", "periodic"], range(3),
    )  # fmt: skip
    assert [
        (
            (p.settings["constellation.planes"], p.settings["constellation.phasing"]),
            p.settings["outages.availability"],
            p.case.strategy,
            p.case.policy,
            p.replicate,
        )
        for p in points
    ] == list(expected)
    assert [p.number for p in points] == list(range(36 * 2))
    for point in points:
        scenario = point.case.scenario
        assert scenario.constellation.planes == point.settings["constellation.planes"]
        assert scenario.constellation.phasing == point.settings["constellation.phasing"]
        assert scenario.outages.availability == point.settings["outages.availability"]
        given = {"every_steps": 2} if point.case.policy == "periodic" else {}
        assert scenario.controller.params == given
    assert parse_study(to_toml(study), "again") == study


def test_an_axis_takes_the_place_of_its_alternative():
    _, points = points_of(
        'name = "s"\nscenario = "small"\nreplicates = 1\n'
        '[[axes]]\n"simulation.step_s" = [5.0, 10.0]\n'
    )
    times = [p.case.scenario.simulation for p in points]
    assert [(time.step_s, time.orbits) for time in times] == [(5.0, None), (10.0, None)]


def test_a_parameter_of_a_strategy_is_an_axis():
    _, points = points_of(
        'name = "s"\nscenario = "small"\nreplicates = 1\nstrategies = ["joint"]\n'
        '[[axes]]\n"strategy_params.joint.min_tokens_per_s" = [0.0, 9.0]\n'
    )
    assert [p.case.scenario.placement.params for p in points] == [
        {"min_tokens_per_s": 0.0},
        {"min_tokens_per_s": 9.0},
    ]


@pytest.mark.parametrize("name", study_file.preset_names())
def test_every_point_of_the_studies_that_ship_is_valid(name):
    study = read_study(name)
    assert study.name == name
    assert study.question
    points = make_points(study, base_scenario(study, name), name)
    assert len(points) == study.size
    assert parse_study(to_toml(study), "again") == study


AXIS = "[[axes]]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "not valid TOML"),
        ('scenario = "small"', "name: field required"),
        (HEAD + "workers = 2", "workers: unknown key"),
        (HEAD + 'scenarios = "x"', "scenarios: unknown key"),
        ('name = "a b"\nscenario = "small"', "name: "),
        (HEAD.replace("3", "0"), "replicates: "),
        (HEAD.replace("small", "smell"), "unknown scenario 'smell'; presets: "),
        (HEAD + 'metrics = ["latency"]', "metrics: unknown 'latency'; known: latency_mean_s"),
        (HEAD + 'set = ["simulation.steps"]', "must look like table.key=value"),
        (HEAD + 'strategies = ["space"]', "'space'"),
        (HEAD + 'policies = ["static", "static"]', "must be named once"),
        (HEAD + "[strategy_params.joint]\nanchor = 1.0", "'joint', which is not compared"),
        (HEAD + AXIS, "axes.0: has no field"),
        (HEAD + AXIS + '"planes" = [1]', "axes.0: 'planes': must look like table.key"),
        (HEAD + AXIS + '"constellation.planes" = []', "axes.0.constellation.planes"),
        (HEAD + AXIS + '"constellation.plains" = [1]', "constellation.plains: unknown key"),
        (
            HEAD + AXIS + '"constellation.planes" = [6, 0]',
            "s.toml at constellation.planes = 0: constellation.planes: ",
        ),
        (HEAD + AXIS + '"placement.strategy" = ["joint"]', "goes in strategies"),
        (HEAD + AXIS + '"simulation.seed" = [1, 2]', "goes in set"),
        (
            HEAD + 2 * (AXIS + '"outages.availability" = [1.0]\n'),
            "axes.1: outages.availability is given twice",
        ),
        (
            HEAD + AXIS + '"constellation.planes" = [4, 6]\n"constellation.phasing" = [1]',
            "needs as many values of each field: constellation.planes has 2, "
            "constellation.phasing has 1",
        ),
        (
            HEAD + AXIS + '"bus.battery_wh" = [800.0, 900, 800]',
            "s.toml: study: axes.0: bus.battery_wh = 800 is given twice",
        ),
        (HEAD + 'metrics = ["latency_mean_s", "latency_mean_s"]', "latency_mean_s is given twice"),
        (HEAD + AXIS + '"bus.battery_wh" = { from = 1, to = 9 }', "exactly one of step and count"),
        (HEAD + AXIS + '"bus.battery_wh" = { from = 9, to = 1, step = 1 }', "must be above from"),
        (HEAD + AXIS + '"model.card" = ["gpt"]', "s.toml at model.card = 'gpt': "),
    ],
)
def test_what_is_wrong_is_said(text, told):
    with pytest.raises(InputError) as caught:
        points_of(text)
    assert told in str(caught.value)
    assert str(caught.value).startswith("s.toml")
    assert "\n" not in str(caught.value)


def test_an_unknown_study_lists_those_there_are():
    with pytest.raises(InputError, match=r"unknown study 'x'; presets: altitude, .*space-xnet-tab"):
        read_study("x")
    with pytest.raises(InputError, match="cannot be read"):
        read_study("no/such.toml")


TWO_AXES = """
[[axes]]
"constellation.altitude_km" = {}
[[axes]]
"outages.availability" = {}
"""


@pytest.mark.parametrize(
    ("altitudes", "availabilities", "said"),
    [
        ("{ from = 0.0, to = 1e9, step = 1e-9 }", "[0.5]", "1,000,000,000,000,000,001 values"),
        ("{ from = 1e-300, to = 1e308, step = 1e300 }", "[0.5]", "100,000,000 values are more"),
        ("{ from = 1e-300, to = 1e308, step = 1e-300 }", "[0.5]", "10^608 values are more"),
        (
            "{ from = 500.0, to = 1500.0, count = 100000 }",
            "{ from = 0.0, to = 1.0, count = 100000 }",
            "axes: 40,000,000,000 points are more than the 100,000 allowed",
        ),
        ("{ from = 500.0, to = 1500.0, count = 100001 }", "[0.5]", "less than or equal to 100000"),
        ("[nan]", "[0.5]", None),
    ],
)
def test_too_many_points_are_refused_before_any_is_made(altitudes, availabilities, said):
    head = "name = 'x'\nscenario = 'small'\nreplicates = 2\nstrategies = ['joint', 'packed']\n"
    text = head + TWO_AXES.format(altitudes, availabilities)
    began = time.perf_counter()
    if said is None:  # a value of its own field, which the point's scenario refuses
        study = parse_study(text, "x.toml")
        with pytest.raises(InputError, match=r"altitude_km: input should be"):
            make_points(study, base_scenario(study, "x.toml"), "x.toml")
        return
    with pytest.raises(InputError) as caught:
        parse_study(text, "x.toml")
    assert time.perf_counter() - began < 1.0
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_study_may_have_as_many_points_as_are_allowed():
    head = "name = 'x'\nscenario = 'small'\nreplicates = 10\n[[axes]]\n"
    axis = '"constellation.altitude_km" = { from = 500.0, to = 1500.0, count = 10000 }'
    assert parse_study(head + axis, "x.toml").size == 100_000
