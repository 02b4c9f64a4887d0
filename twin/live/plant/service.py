"""The plant serves tokens: its placement, routes and queues are the twin's, its power is its own.

It goes minute by minute. The twin's code decides who is asked for what; the plant's own batteries,
arrays and links decide who has power and can be reached. Its controller plans by the scenario, with
the design's figures; a command from outside takes its place.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.requests import sending_w
from placement.deployment import check_deployment
from placement.problem import Placement, PlacementProblem
from placement.stacking import unstacked
from twin.energy.battery import PowerFlow
from twin.energy.budget import EnergyReport, Own
from twin.errors import InputError
from twin.live import command
from twin.live.fields import LONGEST_BYTES, TOKENS
from twin.moe.inference import inference
from twin.planning.problems import asked_per_s
from twin.scenario.schema import Scenario
from twin.space.ephemeris import Ephemeris, Instant
from twin.vocabulary import CAUSES, lost_column
from twin.world.world import World

if TYPE_CHECKING:
    from twin.live.plant.flight import Chunk, Flight

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]

MINUTE_S: Final = 60.0
_HEAD_BYTES: Final = 200
"""Most that a message of the controller has beside a placement."""
_REPLICATE: Final = 900_000
"""The plant's tokens are none that a twin draws."""
COLUMNS: Final = ("asked", "served", *(lost_column(cause) for cause in CAUSES))
"""What is counted of every minute's tokens."""


class Service(TwinModel):
    """What serves on a flight's satellites.

    Parameters
    ----------
    flight : Flight
        Gives power, links and orbits.
    seed : int
        Of tokens, and of what a strategy draws.
    commands : callable
        Returns the lines that have come since it was last called.
    own : Own, optional
        How the controller takes satellites to differ from the design; not at all by default.

    Raises
    ------
    InputError
        If its placement could not be said in a message, whatever it is.

    Attributes
    ----------
    counts : list of list of int
        Minute by minute, as `COLUMNS`.
    said : list of dict
        What the controller says and has not been sent yet.
    """

    def __init__(
        self,
        flight: "Flight",
        *,
        seed: int,
        commands: Callable[[], Iterable[bytes]] = tuple,
        own: Own | None = None,
    ) -> None:
        self._flight, self._commands = flight, commands
        self._chunk: Chunk
        self._minute = 0
        # The router is no secret of the plant: it is that of the scenario's replicate.
        llm = inference(flight.scenario)
        super().__init__(_by_minutes(flight, seed), source=_Links(self), llm=llm)
        self.world.ephemeris = _TrueOrbits(self.config, flight)
        self.controller.own = own
        self._rows = {name: row for row, name in enumerate(flight.body.names)}
        self._last = 0
        self.counts: list[list[int]] = []
        self.said: list[dict[str, Any]] = []
        experts = self.inference.card.experts
        rows = np.zeros(self.dispatcher.instances * self.inference.card.layers, np.int32)
        self._said_of(Placement(gateway=rows, expert=np.repeat(rows[:, None], experts, axis=1)))

    def serve(self, chunk: "Chunk", minute: int) -> None:
        """Serve one minute of a chunk, and fly through it."""
        self._chunk, self._minute = chunk, minute
        before = self.controller.wanted
        done = [self._obey(line) for line in self._commands()] if before is not None else []
        self.step()
        row, now = self.row, self.controller.wanted
        self.counts.append([int(row[f"tokens_{name}"]) for name in COLUMNS[:2]])
        self.counts[-1] += [int(row[name]) for name in COLUMNS[2:]]
        self.said.append(dict(zip(TOKENS, self.counts[-1][:2], strict=True)))
        self.said += [each for each in done if each]
        if now is not before and now is not None:
            answer = {"command": self._last} if {} in done else {}
            try:
                self.said.append({"placement": self._said_of(now)} | answer)
            except InputError as error:  # it serves all the same
                self.said.append({"refusal": str(error)} | answer)

    def broken(self) -> Flags:
        """Links that are down by themselves in this minute, (E,)."""
        return self._chunk.down[self._minute]

    def draw(self) -> EnergyReport:
        """Fly through the minute with what its work draws."""
        fleet, chunk, m, flight = self.fleet, self._chunk, self._minute, self._flight
        energy, bus = fleet.energy, flight.design
        chunk.work[m] = np.minimum(fleet.utilisation, fleet.rule.speed)
        chunk.links[m] = fleet.degree
        chunk.extra[m] += sending_w(self) / max(bus.work_w, 1e-9)
        before = flight.power.powered.copy()
        flight.fly_minute(chunk, m)
        idle_w = bus.base_w + bus.terminal_w * chunk.links[m]
        asked_w = flight.hidden.load * (idle_w + bus.work_w * (chunk.work[m] + chunk.extra[m]))
        energy.powered, energy.drawn_w = flight.power.powered.copy(), asked_w
        energy.soc, energy.temperature_k = chunk.found[4, m], flight.power.body_k.copy()
        off_s, unknown = chunk.found[7, m], np.full(fleet.size, np.nan)
        flow = PowerFlow(
            soc=chunk.found[[5, 5, 4], m],
            powered=energy.powered,
            off_s=off_s,
            offered_j=unknown,
            load_j=MINUTE_S * asked_w,
            loss_j=unknown,
            deficit_j=MINUTE_S * asked_w - chunk.found[8, m],
            spilled_j=unknown,
        )
        off = off_s > 0.0
        return EnergyReport(flow=flow, browned_out=before & off, recovered=energy.powered & off)

    def _said_of(self, placement: Placement) -> dict[str, Any]:
        """A placement as it is said; InputError where it is too long for a message."""
        said = command.said_of(placement, self._flight.body.names)
        if len(json.dumps(said, separators=(",", ":"))) > LONGEST_BYTES - _HEAD_BYTES:
            raise command.too_long(placement)
        return said

    def _obey(self, line: bytes) -> dict[str, Any] | None:
        """Take a command on for this minute; return what is to be said of it if it cannot be.

        None: it is of before.
        """
        number = 0
        try:
            found = command.read(line, self._rows)
            number = found.number
            if number <= self._last:
                return None
            self._last = number
            layers = self.inference.card.layers
            if len(found.placement.gateway) != len(self.controller.placement.gateway):
                raise InputError("placement: must have as many layers as the one in force")
            check_deployment(self._room(), unstacked(found.placement, layers))
        except InputError as error:
            return {"command": number, "refusal": str(error)}
        self.controller.order(found.placement)
        return {}

    def _room(self) -> PlacementProblem:
        """What a command has to fit: the newest plan's was without satellites then too low."""
        memory_bytes = self.fleet.memory_bytes * self.world.may_host
        return replace(self.controller.problem, memory_bytes=memory_bytes)


class _Links:
    """Outages as the plant draws them; it has no faults of other kinds."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def unbroken(self, step: int, before: Flags | None, n: int) -> Flags:  # noqa: ARG002
        return ~self._service.broken()

    def sound(self, step: int, before: Flags | None, n: int) -> Flags:  # noqa: ARG002
        return np.ones(n, bool)


class _TrueOrbits(Ephemeris):
    """Links are as long as the plant's orbits make them; planners see the design's."""

    def __init__(self, scenario: Scenario, flight: "Flight") -> None:
        super().__init__(scenario, flight.body)
        self._orbits = flight.orbits

    def at(self, step: int) -> Instant:
        now = super().at(step)
        r_km, v_km_s = self._orbits.states(np.array([now.t_s]))
        return replace(now, r_km=r_km[0], v_km_s=v_km_s[0])


def _by_minutes(flight: "Flight", seed: int) -> Scenario:
    """The flight's scenario in steps of a minute, and as long as the flight."""
    scenario, world = flight.scenario, World(flight.scenario)
    horizon, steps = scenario.controller.horizon_steps, round(flight.flown_s / MINUTE_S)
    if horizon is not None:
        horizon = max(round(horizon * world.step_s / MINUTE_S), 1)
    tables = {
        "simulation": {
            "replicate": _REPLICATE + seed, "orbits": None, "step_s": MINUTE_S, "steps": steps,
        },
        "controller": {"horizon_steps": horizon},
        "workload": {"rate_per_s": asked_per_s(scenario, world)},
    }  # fmt: skip
    changed = {name: getattr(scenario, name).model_copy(update=t) for name, t in tables.items()}
    return scenario.model_copy(update=changed)


def summary(counts: list[list[int]]) -> dict[str, int]:
    """Tokens asked and served over a flight, and lost, by cause."""
    total = np.array(counts, np.int64).reshape(-1, len(COLUMNS)).sum(axis=0)
    return dict(zip(COLUMNS, total.tolist(), strict=True))
