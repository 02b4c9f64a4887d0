"""The ground: sites as Mesa agents, and where requests enter and tokens leave the constellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.network.handover import NOBODY, Serving, ServingState, SiteService
from twin.serving.tokens import WaitingTokens
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from agents.model import TwinModel


class GroundSite(mesa.Agent):
    """One site; `row` is its place in the arrays of `Ground`.

    Which satellite it chooses, and when, is its handover policy's decision, taken for all sites
    at once on arrays.
    """

    model: TwinModel

    def __init__(self, model: TwinModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    @property
    def name(self) -> str:
        """Name of the place."""
        return self.model.ground.sites.names[self.row]

    @property
    def satellite(self) -> int | None:
        """The satellite that serves it in this step."""
        row = int(self.model.ground.service.satellite[self.row])
        return None if row == NOBODY else row

    @property
    def availability(self) -> float:
        """Share of the step in which it had service."""
        return float(self.model.ground.service.availability[self.row])


class GroundSegment:
    """All sites, the satellites that serve them, and what that adds to a request's way.

    Parameters
    ----------
    model : TwinModel
        Its log is told the hand-overs.
    """

    def __init__(self, model: TwinModel) -> None:
        scenario = model.config
        self._log, self._may_serve = model.log, model.world.may_serve
        self._step_s = model.world.step_s
        simulation = scenario.simulation
        self._draws = seeding.stream(simulation.seed, simulation.replicate, "sites")
        self._gaps = seeding.stream(simulation.seed, simulation.replicate, "interruptions")
        self._serving = Serving(
            scenario.ground, model.world.constellation, scenario.propagation.model
        )
        self.sites = self._serving.sites
        self.agents = [GroundSite(model, row) for row in range(self.sites.size)]
        self.service: SiteService

    @property
    def state(self) -> ServingState:
        """What is carried to the next step; setting it goes on from there."""
        return self._serving.state

    @state.setter
    def state(self, state: ServingState) -> None:
        self._serving.state = state

    @property
    def handovers(self) -> int:
        """Sites that have changed satellite in this step."""
        return len(self.service.handovers.site) if self.sites.size else 0

    def step(self, start_s: float, powered: NDArray[np.bool_]) -> None:
        """Let every site choose its satellites for a step, and log the hand-overs."""
        if not self.sites.size:
            return
        self.service = self._serving.advance(start_s, self._step_s, powered & self._may_serve)
        changes = self.service.handovers
        begun, ended = changes.before == NOBODY, changes.after == NOBODY
        kinds = {
            EventKind.SERVICE_BEGUN: begun,
            EventKind.SERVICE_LOST: ended,
            EventKind.GROUND_HANDOVER: ~(begun | ended),
        }
        for kind, rows in kinds.items():
            self._log.add(
                kind,
                t_s=changes.t_s[rows],
                satellite=changes.after[rows],
                other=changes.before[rows],
                value=changes.site[rows],
            )

    def origins(self, step: int, tokens: int) -> NDArray[np.int64]:
        """Draw the site that each token is asked from, by the sites' shares, (tokens,)."""
        if not self.sites.size:
            return np.zeros(tokens, np.int64)
        return self._draws.at(step).choice(self.sites.size, tokens, p=self.sites.share)

    def entry_s(
        self, origin: NDArray[np.int64], from_first_gateway_s: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Way from each token's site to the first gateway, ``inf`` if there is none, (P,).

        Down from an LM head it is the same, with the delays from there.

        Parameters
        ----------
        origin : (P,) int
            Site of each token.
        from_first_gateway_s : (N,) float64
            Delay between the first gateway and every satellite.
        """
        if not self.sites.size:
            return np.zeros(len(origin))
        satellite = self.service.satellite
        across_s = np.where(satellite == NOBODY, np.inf, from_first_gateway_s[satellite])
        return (self.service.delay_s + across_s)[origin]

    def interrupted(self, step: int, tokens: WaitingTokens) -> NDArray[np.bool_]:
        """Which tokens, asked at any time of the step, find their site without service, (P,).

        The time within the step belongs to the token, whatever else is tried again with it.
        """
        origin = tokens.origin
        if not self.sites.size:
            return np.zeros(len(origin), bool)
        at = np.empty(len(origin))
        for asked in np.unique(tokens.asked_step):
            mine = tokens.asked_step == asked
            number = tokens.number[mine]
            at[mine] = self._gaps.at(step, int(asked)).random(int(number.max()) + 1)[number]
        return np.asarray(at >= self.service.availability[origin])

    def figures(self) -> dict[str, float]:
        """Share of the users with service, and hand-overs of the step."""
        if not self.sites.size:
            return {"ground_availability": np.nan, "ground_handovers": 0}
        handovers = self.service.handovers
        changed = (handovers.before != NOBODY) & (handovers.after != NOBODY)
        return {
            "ground_availability": float(self.service.availability @ self.sites.share),
            "ground_handovers": int(changed.sum()),
        }
