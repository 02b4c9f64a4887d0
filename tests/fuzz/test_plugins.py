"""Plug-ins that misbehave: what they return, raise and change is refused, or does no harm."""

import dataclasses
import sys

import numpy as np
from oracle import Verdict

from agents.model import TwinModel
from agents.rules.reserve import reserve
from placement.strategies.space_xnet import compact_random
from twin.moe.sampling import plackett_luce
from twin.plugins.choices import load_scenario
from twin.plugins.guards import guard
from twin.plugins.kinds import KINDS
from twin.space.propagation import PROPAGATORS

SITES = [{"name": "Quito", "latitude_deg": 0.0, "longitude_deg": 0.0}]
RIGHT = {
    "strategy": lambda problem, *, rng: compact_random(problem, rng=rng),
    "policy": lambda view, propose: propose("x"),
    "propagator": lambda constellation, t_s: PROPAGATORS["kepler"](constellation, t_s),
    "outage-model": lambda before, n, table, step_s, *, rng: rng.random(n) < 0.9,
    "fault-model": lambda before, n, table, step_s, *, rng: rng.random(n) < 0.9,
    "handover-rule": lambda sight: sight.elevation_deg,
    "satellite-rule": reserve,
    "sampler": lambda table, top_k: lambda p, n, rng, *_: plackett_luce(p, top_k, n, rng),
}
"""What a well-behaved plug-in of each kind does."""


class UnshowableError(Exception):
    def __str__(self):
        raise RuntimeError


class Unlike:
    """Refuses whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError("no")

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __len__(self):
        raise RuntimeError("no length")


ANYTHING = (
    None, 0, -1, 2**31, 2**63, 2**64, 1.5, float("nan"), float("inf"), 1j, "x", b"x", True, (), [],
    [[1], [1, 2]], {}, {1}, object(), Unlike(), np.nan, np.zeros(0), np.zeros((0, 3)), range(3),
    int, np.zeros(3, complex), np.array("x"), np.array([None]), np.zeros(3, "M8[s]"),
)  # fmt: skip
RAISED = (
    ValueError("a\nb"), KeyError(), UnshowableError(), SystemExit(0), SystemExit("x"),
    KeyboardInterrupt(), GeneratorExit(), MemoryError(), RecursionError(), AssertionError(),
    StopIteration(), OSError(28, "x"), UnicodeDecodeError("utf-8", b"x", 0, 1, "x"),
    BaseExceptionGroup("x", [ValueError()]),
)  # fmt: skip


def spoilt(value, rng):
    """A right answer with something wrong in it, all the way down."""
    if isinstance(value, np.ndarray):
        return spoilt_array(value, rng)
    if dataclasses.is_dataclass(value):
        name = rng.choice([f.name for f in dataclasses.fields(value)])
        return dataclasses.replace(value, **{name: spoilt(getattr(value, name), rng)})
    if isinstance(value, tuple) and value:
        at = rng.randrange(len(value))
        return (*value[:at], spoilt(value[at], rng), *value[at + 1 :])
    return rng.choice(ANYTHING)


def spoilt_array(array, rng):
    """An array of another type or shape, or with numbers that do not belong there."""
    kinds = ("i8", "u8", "f8", "f4", "i2", "?", "c16", "O", "U5")
    kind = rng.randrange(6)
    if kind == 0:
        with np.errstate(all="ignore"):
            return array.astype(rng.choice(kinds))
    if kind == 1:
        return array[..., None]
    if kind == 2:
        return array[1:]
    if kind == 3:
        return array.tolist()
    if kind == 4 and array.size:
        real = array.dtype.kind == "f"
        wide = array.astype("f8" if real else "i8")
        strange = (-1, 10**6, 2**32, -(2**31), 2**40)
        broken = (np.nan, np.inf, -np.inf, 1e308, -1.0, 5e-324, 0.0)
        wide.flat[rng.randrange(array.size)] = rng.choice(broken if real else strange)
        return wide
    return np.zeros((0, 7))


def misbehaving(kind, rng):
    """A function of a kind that returns something spoilt, raises, prints, or changes arguments."""

    choice = rng.randrange(6)

    def act(answer, arguments):
        if choice == 0:
            raise rng.choice(RAISED)
        if choice == 1:
            return rng.choice(ANYTHING)
        if choice == 2:
            change(arguments)
            sys.stdout.write("to standard output\n")
            return answer
        return spoilt(answer, rng)

    def change(arguments):
        for thing in arguments:
            held = vars(thing).values() if hasattr(thing, "__dict__") else [thing]
            for array in held:
                if isinstance(array, np.ndarray) and array.flags.writeable:
                    array[...] = 0

    right = RIGHT[kind]
    if kind == "sampler":
        return lambda table, top_k: (
            lambda p, n, r, *rest: act(right(table, top_k)(p, n, r, *rest), (p, *rest))
        )
    return lambda *args, **kwargs: act(right(*args, **kwargs), args)


def test_plug_ins(budget, rng, capfd):
    verdict = Verdict()
    for number in range(budget(1000)):
        kind = rng.choice(list(RIGHT))
        registry = KINDS[kind].registry
        registry.add("fuzzed", guard(kind, "fuzzed", misbehaving(kind, rng)))
        try:
            with verdict.case((number, kind)):
                scenario = load_scenario(
                    "small",
                    {
                        registry.field: "fuzzed",
                        "simulation.steps": 3,
                        "workload.tokens_per_step": 4,
                        "ground.sites": SITES,
                    },
                )
                model = TwinModel(scenario)
                for _ in range(3):
                    model.step()
                    assert np.isfinite(model.snapshot.instant.r_km).all()
                    assert not np.isinf([v for v in model.row.values() if v is not None]).any()
                verdict.count("done")
        finally:
            registry.remove("fuzzed")
    assert capfd.readouterr().out == ""
    verdict.check("refused", "done")
