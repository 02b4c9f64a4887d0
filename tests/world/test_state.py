from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from agents.model import TwinModel
from agents.run import conclusion
from agents.state import TwinState
from twin.errors import InputError
from twin.scenario import loader
from twin.serving.engine.state import EngineState
from twin.world import state as states

CASES = {
    "retries, sticky tokens, telemetry under way": (
        "small",
        [
            "outages.availability=0.6",
            "workload.retries=3",
            "activations.sampler=sticky",
            "controller.policy=receding-horizon",
            "controller.telemetry_delay_s=300.0",
            "controller.activation_memory_s=900.0",
        ],
    ),
    "foresight": ("small", ["controller.policy=clairvoyant", "controller.horizon_steps=8"]),
    "guardians": (
        "eclipse-study",
        [
            "simulation.steps=240",
            "satellites.rule=guardian",
            "bus.battery_wh=2500.0",
            "bus.initial_soc=0.85",
            "workload.tokens_per_step=16",
        ],
    ),
    "bids, awards": (
        "small",
        [
            "controller.policy=market",
            "controller.params={every_steps = 4}",
            "faults.model=exponential",
            "faults.availability=0.9",
        ],
    ),
    "faults, moves, sites": (
        "handover-study",
        [
            "simulation.steps=24",
            "faults.model=exponential",
            "faults.availability=0.9",
            "outages.model=gilbert-elliott",
            "controller.policy=on-event",
            "controller.horizon_steps=6",
            "links.seam=dynamic",
            "workload.tokens_per_step=32",
        ],
    ),
}


def stepped(model: TwinModel) -> list[dict]:
    rows = []
    while model.running:
        model.step()
        rows.append(dict(model.row))
    return rows


@pytest.mark.parametrize("case", CASES)
def test_a_model_goes_on_from_a_saved_state_as_if_nothing_had_happened(case, tmp_path):
    preset, overrides = CASES[case]
    scenario = loader.load(preset, overrides)
    whole = TwinModel(scenario)
    for _ in range(scenario.simulation.steps // 3):
        whole.step()
    file = tmp_path / "a.state"
    states.write(file, whole.state, note={"what": case})
    assert states.read_note(file)["what"] == case
    loaded = states.read(file, TwinState)
    assert states.equal(loaded, whole.state)
    other = TwinModel(scenario, state=loaded)
    assert other.steps == whole.steps
    assert other.time == pytest.approx(whole.time, rel=1e-12)
    np.testing.assert_equal(stepped(other), stepped(whole))
    assert states.equal(other.state, whole.state)
    assert conclusion(other) == conclusion(whole)


def test_states_that_differ_anywhere_are_not_equal():
    model = TwinModel(loader.load("small"))
    model.step()
    before = states.copy(model.state)
    assert states.equal(before, model.state)
    model.fleet.energy.soc[3] += 1e-12
    assert not states.equal(before, model.state)


@dataclass
class Pair:
    values: np.ndarray
    names: list[str]


@dataclass
class Described:
    """As `Pair`, with another word for what its arrays hold."""

    LAYOUT: ClassVar = {"values": "seconds"}
    values: np.ndarray
    names: list[str]


@dataclass
class Renamed:
    values: np.ndarray
    labels: list[str]


@dataclass
class Retyped:
    values: np.ndarray
    names: list[int]


@dataclass
class Above:
    pair: Pair | None


@dataclass
class AboveRenamed:
    pair: Renamed | None


def test_a_state_of_another_layout_is_refused_as_such(tmp_path):
    pair = Pair(np.arange(100.0), ["a"])
    states.write(tmp_path / "a.state", pair, note={})
    states.write(tmp_path / "b.state", Above(pair), note={})
    others = [("a", kind) for kind in (Described, Renamed, Retyped, Above)]
    for name, kind in [*others, ("b", AboveRenamed)]:
        with pytest.raises(states.OtherTwinError, match=r"\.state: written by a twin whose state"):
            states.read(tmp_path / f"{name}.state", kind)
    assert states.equal(states.read(tmp_path / "b.state", Above), Above(pair))
    assert states.read(tmp_path / "a.state", Described, part=True).names == ["a"]


def test_the_layout_of_a_twin_is_that_of_the_engines_records_too(monkeypatch):
    now = states.layout(TwinState)
    states._digest.cache_clear()
    assert states.layout(TwinState) == now
    described = [*EngineState.LAYOUT[1:], EngineState.LAYOUT[0][:-1]]
    for changed in (described, [*EngineState.LAYOUT[:-1], {"FREE": 1}]):
        monkeypatch.setattr(EngineState, "LAYOUT", changed)
        states._digest.cache_clear()
        assert states.layout(TwinState) != now
    states._digest.cache_clear()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other", "version"])
def test_a_damaged_state_is_refused_in_a_line(tmp_path, damage):
    file = tmp_path / "a.state"
    states.write(file, Pair(np.arange(100.0), ["a"]), note={})
    content = bytearray(file.read_bytes())
    content[-5] ^= 64 if damage == "flip" else 0
    if damage == "version":
        content = content.replace(b'"version": 1', b'"version": 9')
    ends = {"cut": len(content) - 30, "empty": 0}
    file.write_bytes(b"PAR1" if damage == "other" else content[: ends.get(damage, len(content))])
    with pytest.raises(InputError, match=r"a\.state: "):
        states.read(file, Pair)
