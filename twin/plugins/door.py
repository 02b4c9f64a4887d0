"""The one door by which plug-ins add things: ``register``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twin.errors import InputError
from twin.plugins import loading
from twin.plugins.kinds import KINDS

if TYPE_CHECKING:
    from twin.energy.bus import BusProfile
    from twin.moe.boards import Board
    from twin.moe.spec import ModelCard
    from twin.runs.run_figure import RunFigure
    from twin.vocabulary import Event

type Decorator[F] = Callable[[F], F]


class _Register:
    """A method for each kind; functions are decorated, data are passed.

    The twin calls a function with the arguments that its method names. Further keyword-only
    parameters of the function are its own, and a scenario sets them in the table of its kind
    (``twin list`` shows them).
    """

    def strategy[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a placement strategy, ``(problem, *, rng) -> Placement``."""
        return _decorator("strategy", name)

    def policy[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a re-placement policy, ``(view, propose) -> Proposal, Bids or None``."""
        return _decorator("policy", name)

    def propagator[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a propagator, ``(constellation, t_s) -> (r_km, v_km_s)``, (T, N, 3) each."""
        return _decorator("propagator", name)

    def dispatch[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a dispatch, ``(asked, seen) -> (n,) int``: an instance for each request, or -1."""
        return _decorator("dispatch", name)

    def outage_model[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a model of link outages, ``(before, n, table, step_s, *, rng) -> (n,) bool``.

        ``before`` is what the model returned for the step before, None in the first step.
        """
        return _decorator("outage-model", name)

    def fault_model[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a model of satellite faults, ``(before, n, table, step_s, *, rng) -> (n,) bool``."""
        return _decorator("fault-model", name)

    def handover_rule[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a hand-over rule, ``(sight) -> score``, (M,); the highest score serves."""
        return _decorator("handover-rule", name)

    def satellite_rule[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a satellite rule."""
        return _decorator("satellite-rule", name)

    def sampler[F: Callable[..., Any]](self, name: str) -> Decorator[F]:
        """Add a sampler of experts, ``(table, top_k) -> Sampler``."""
        return _decorator("sampler", name)

    def bus_profile(self, profile: BusProfile) -> BusProfile:
        """Add a bus profile under its own name."""
        from twin.energy.bus import BusProfile
        from twin.plugins.data import check_bus

        _data("bus-profile", profile, BusProfile, check_bus)
        return profile

    def model_card(self, card: ModelCard) -> ModelCard:
        """Add a model card under its own name."""
        from twin.moe.spec import ModelCard
        from twin.plugins.data import check_card

        _data("model-card", card, ModelCard, check_card)
        return card

    def board(self, board: Board) -> Board:
        """Add a computer under its own name."""
        from twin.moe.boards import Board
        from twin.plugins.data import check_board

        _data("board", board, Board, check_board)
        return board

    def figure(self, figure: RunFigure) -> RunFigure:
        """Add a figure of a run under its own name; run, studies and reports show it."""
        from twin.plugins.data import check_figure
        from twin.plugins.guards import guard
        from twin.runs.run_figure import RunFigure

        _kind_of("figure", figure, RunFigure)
        check_figure(figure)
        drawn = dataclasses.replace(figure, draw=guard("figure", figure.name, figure.draw))
        _add("figure", figure.name, drawn)
        return figure

    def event_kind(self, name: str, event: Event) -> Event:
        """Add a kind of event; ``model.log.add(name, ...)`` logs one."""
        from twin.plugins.data import check_event
        from twin.vocabulary import Event

        if not isinstance(event, Event):
            raise InputError(f"an event-kind must be an Event, not {type(event).__name__}")
        check_event(name, event)
        _add("event-kind", name, event)
        return event


register = _Register()


def _decorator(kind: str, name: str) -> Callable[[Any], Any]:
    if not isinstance(name, str):
        raise InputError(f'@register.{kind.replace("-", "_")} needs a name, as in ("mine")')

    def add(function: Any) -> Any:
        from twin.plugins.guards import guard

        _add(kind, name, guard(kind, name, function))
        return function

    return add


def _kind_of(kind: str, thing: Any, wanted: type[Any]) -> None:
    if not isinstance(thing, wanted):
        raise InputError(f"a {kind} must be a {wanted.__name__}, not {type(thing).__name__}")


def _data(kind: str, thing: Any, wanted: type[Any], check: Callable[[Any], None]) -> None:
    _kind_of(kind, thing, wanted)
    check(thing)
    _add(kind, thing.name, thing)


def _add(kind: str, name: str, thing: Any) -> None:
    registry = KINDS[kind].registry
    registry.add(name, thing)
    loading.note(registry, name)
