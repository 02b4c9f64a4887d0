"""The environment: a twin between two steps, seen and commanded as its controller is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.fork import fork
from agents.model import TwinModel
from agents.state import TwinState
from placement.cost import LOST_S
from placement.policies.telemetry import Telemetry
from twin.errors import InputError, shown
from twin.gym import reward as rewards
from twin.gym.commands import LEVELS, Command, Verb, carry_out
from twin.plugins.choices import load_scenario
from twin.runs.store import Run, any_run
from twin.scenario.plain import MAX_INTEGER
from twin.scenario.schema import Scenario
from twin.world import state as states
from twin.world.sources import Simulated

type Observation = dict[str, NDArray[Any]]

SEEN = ("taking", "up", "lit", "low", "sound", "soc")
"""Columns of ``observation["satellites"]``, as of `placement.policies.telemetry.Telemetry`."""

SERVICE = ("latency_s", "queued", "running", "passed")
"""Numbers of ``observation["service"]``: way of a token (0 while nothing is known, `LOST_S` without
a path), requests that wait and that run, share of the episode that has passed."""

_MOST = 1e9
_SEEDS = 2**31


class TwinEnv(gymnasium.Env):
    """A run of a scenario, or of a fork, in which an agent commands moves, dispatch and throttling.

    An observation is telemetry, as old as the scenario says, and the placement in force:
    ``satellites`` (N, 6), columns `SEEN`; ``hosts`` (R*L, 1+E), the satellite of each layer's
    gateway and experts; ``service`` (4,), `SERVICE`. An action is a `Command`, as integers; one
    that cannot be carried out changes nothing, and ``info["done"]`` says so. The scenario's own
    policy goes on deciding beside the agent; ``static`` never does.

    Parameters
    ----------
    scenario : Scenario, str or Path, optional
        What to run, or the name or file of it.
    overrides : mapping, optional
        Values by ``table.key``; of a fork, its changes.
    start : (Run or path, int), optional
        Instead of a scenario: a run and the step at which all episodes fork from it. By default
        they begin at the scenario's first step, in which the first plan is made.
    reward : mapping of str to float, optional
        Weights of figures of the steps since the last action, by name. A figure that is better
        when less counts negative.
    every_steps : int
        Steps from one action to the next.
    plugins : sequence of str or Path
        Plug-ins to load first.

    Raises
    ------
    InputError
        If something in these is wrong.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        scenario: Scenario | str | Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        start: tuple[Run | str | Path, int] | None = None,
        reward: Mapping[str, float] | None = None,
        every_steps: int = 1,
        plugins: Sequence[str | Path] = (),
        render_mode: None = None,
    ) -> None:
        if (scenario is None) == (start is None):
            raise InputError("TwinEnv: give either a scenario or start=(RUN, STEP)")
        if isinstance(every_steps, bool) or not isinstance(every_steps, int) or every_steps < 1:
            raise InputError(f"every_steps must be an integer >= 1 (got {shown(every_steps)})")
        self.render_mode = render_mode
        self._weights = rewards.checked(reward or rewards.USUAL)
        self._every = every_steps
        self._begins: TwinState | None = None
        if start is not None:
            run, step = start
            parent = run if isinstance(run, Run) else any_run(Path(run))
            self.scenario, beginning = fork(parent, step, changes=overrides or {})
            self._begins = beginning.state
        elif isinstance(scenario, Scenario) and not overrides:
            self.scenario = scenario
        elif isinstance(scenario, str | Path):
            self.scenario = load_scenario(scenario, overrides or {}, plugins=plugins)
        else:
            raise InputError("TwinEnv: overrides go with the name or file of a scenario")
        if self.scenario.ground.data_centre is not None:
            raise InputError("ground.data_centre: TwinEnv needs a model that satellites host")
        self._model = self._new(self.scenario)
        self._lay_out(self._model)
        self._most_speed = np.ones(self._model.fleet.size)
        self._over = True

    @property
    def model(self) -> TwinModel:
        """The model of this episode, to look at."""
        return self._model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        `seed` is the scenario's (``simulation.seed``). In a fork it decides the outages and faults
        to come, and all else is drawn as in the parent.
        """
        super().reset(seed=seed, options=options)
        drawn = int(self.np_random.integers(_SEEDS)) if seed is None else seed
        if not 0 <= drawn <= MAX_INTEGER:
            raise InputError(f"seed must be an integer from 0 to {MAX_INTEGER} (got {drawn})")
        time = self.scenario.simulation.model_copy(update={"seed": drawn})
        self._model = self._new(self.scenario.model_copy(update={"simulation": time}))
        self._most_speed = np.ones(self._model.fleet.size)
        if self._begins is None:
            self._model.step()
        self._over = not self._model.running
        return self._seen(), {"step": self._model.network.state.step}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Carry out a command, and let the twin step on."""
        if self._over:
            raise gymnasium.error.ResetNeeded("the episode is over, or has not begun: reset it")
        model = self._model
        done = carry_out(model, Command(*map(int, action)), self._most_speed)
        rows = []
        for _ in range(self._every):
            rule = model.fleet.rule
            rule.speed = np.minimum(rule.speed, self._most_speed)
            model.step()
            rows.append(model.row)
            if not model.running:
                break
        self._over = not model.running
        figures = rewards.merged(rows)
        info = {"step": model.network.state.step, "done": done, "figures": figures}
        return self._seen(), rewards.reward(self._weights, figures), False, self._over, info

    def _new(self, scenario: Scenario) -> TwinModel:
        if self._begins is None:
            return TwinModel(scenario)
        source = None
        if scenario.simulation.seed != self.scenario.simulation.seed:
            step_s, replicate = self._model.world.step_s, scenario.simulation.replicate
            source = Simulated(scenario, step_s=step_s, replicate=replicate)
        # What else is drawn belongs to the state's past, such as requests that are inside.
        return TwinModel(self.scenario, state=states.copy(self._begins), source=source)

    def _lay_out(self, model: TwinModel) -> None:
        n, card, instances = model.fleet.size, model.inference.card, model.dispatcher.instances
        rows, parts = instances * card.layers, 1 + card.experts
        sizes = Command(len(Verb), rows, parts, n, instances, LEVELS)
        self.action_space = spaces.MultiDiscrete(np.array(sizes))
        self.observation_space = spaces.Dict(
            {
                "satellites": spaces.Box(0.0, 1.0, (n, len(SEEN)), np.float32),
                "hosts": spaces.Box(0, n - 1, (rows, parts), np.int32),
                "service": spaces.Box(0.0, _MOST, (len(SERVICE),), np.float32),
            }
        )

    def _seen(self) -> Observation:
        model = self._model
        controller, steps = model.controller, model.config.simulation.steps
        known = controller.known if controller.state.reports else None
        told = known or Telemetry.nothing_yet(model.fleet.size)
        latency_s = np.nan_to_num(told.latency_s, nan=0.0, posinf=LOST_S)
        asked = None if known is None else known.requests
        queued, running = (0, 0) if asked is None else (asked.queued.sum(), asked.running.sum())
        service = [latency_s, queued, running, model.network.state.step / steps]
        placement = controller.placement
        return {
            "satellites": np.column_stack([getattr(told, n) for n in SEEN]).astype(np.float32),
            "hosts": np.column_stack([placement.gateway, placement.expert]).astype(np.int32),
            "service": np.clip(np.array(service, np.float32), 0.0, _MOST, dtype=np.float32),
        }
