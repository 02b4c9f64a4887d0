"""What users' data may hold: bus profiles, model cards, figures and kinds of events."""

from __future__ import annotations

import dataclasses
import math
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from twin.errors import InputError, shown
from twin.scenario import loader
from twin.scenario.spacecraft import Bus

if TYPE_CHECKING:
    from twin.energy.bus import BusProfile
    from twin.moe.boards import Board
    from twin.moe.spec import ModelCard
    from twin.runs.run_figure import RunFigure
    from twin.vocabulary import Event

_SHOWN = {"satellite", "other", "cause", "site", "bytes", "count", "seconds"}
"""What the page can say of an event."""
_WIDE = (1, 10_000_000)
_COUNTS = {
    "layers": (1, 1000),
    "experts": (1, 10_000),
    "top_k": (1, 100),
    "shared": (0, 1000),
    "hidden": _WIDE,
    "expert_ff": _WIDE,
    "ffn_mats": (1, 10),
    "heads": (1, 10_000),
    "kv_heads": (1, 10_000),
    "head_dim": (1, 100_000),
    "vocab": _WIDE,
    "dense_ff": (0, 10_000_000),
}
"""Least and most of a model card's numbers."""
_BOARD = (1e-6, 1e9)
"""Least and most of a board's figures."""
_MOST_EXPERTS = 200_000
"""Of all layers."""


def check_bus(entry: BusProfile) -> None:
    """Raise `InputError` unless the figures of a profile could stand in a scenario."""
    from twin.energy.bus import check

    given = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry)}
    name = given.pop("name")
    try:
        Bus.model_validate(given)
    except ValidationError as error:
        raise InputError(
            f"bus-profile {shown(name)}: {loader.explain(error, 'figures', of=None)}"
        ) from None
    try:
        check(entry)
    except InputError as error:
        raise InputError(f"bus-profile {shown(name)}: {error}") from None


def check_board(board: Board) -> None:
    """Raise `InputError` unless a board's figures could stand in a scenario."""
    from twin.plugins.answers import is_finite

    what = f"board {shown(board.name)}"
    _texts(what, board, "title", "source")
    least, most = _BOARD
    for name in ("gflops", "gflops_int8", "memory_gb", "memory_gb_per_s"):
        value = getattr(board, name)
        endless = name == "memory_gb_per_s" and value == math.inf
        if not endless and not (is_finite(value) and least <= value <= most):
            raise InputError(
                f"{what}: {name} must be from {least:g} to {most:g} (got {shown(value)})"
            )
    idle_w, peak_w = board.idle_w, board.peak_w
    if idle_w is None and peak_w is None:
        return
    if (
        idle_w is None
        or peak_w is None
        or not (is_finite(idle_w) and is_finite(peak_w))
        or not 0.0 <= idle_w <= peak_w
    ):
        raise InputError(
            f"{what}: idle_w and peak_w must be given together, 0 <= idle_w <= peak_w "
            f"(got {shown((idle_w, peak_w))})"
        )


def check_card(card: ModelCard) -> None:
    """Raise `InputError` unless a card's numbers are integers that a model may have."""
    what = f"model-card {shown(card.name)}"
    _texts(what, card, "title", "source", "verified")
    numbers: dict[str, Any] = {name: getattr(card, name) for name in _COUNTS}
    _integers(what, numbers, _COUNTS)
    if card.mla is not None:
        if not dataclasses.is_dataclass(card.mla):
            raise InputError(f"{what}: mla must be a LatentAttention (got {shown(card.mla)})")
        ranks = {f.name: (0, 1_000_000) for f in dataclasses.fields(card.mla)}
        _integers(what, dataclasses.asdict(card.mla), ranks)
    before = card.dense_before
    if not isinstance(before, tuple) or len(before) > card.layers:
        raise InputError(f"{what}: dense_before must be a tuple of at most {card.layers} integers")
    _integers(
        what,
        {f"dense_before.{i}": n for i, n in enumerate(before)},
        dict.fromkeys((f"dense_before.{i}" for i in range(len(before))), (0, 1000)),
    )
    if not card.top_k <= card.experts:
        raise InputError(f"{what}: top_k must be at most {card.experts} experts, not {card.top_k}")
    if card.layers * card.experts > _MOST_EXPERTS:
        raise InputError(
            f"{what}: {card.layers * card.experts:,} experts are more than {_MOST_EXPERTS:,}"
        )


def check_figure(figure: RunFigure) -> None:
    """Raise `InputError` unless a figure can be shown."""
    from twin.plugins.answers import is_finite

    what = f"figure {shown(figure.name)}"
    _texts(what, figure, "label", "unit", "sentence", "link_kind")
    if not is_finite(figure.scale):
        raise InputError(f"{what}: scale must be a finite number (got {shown(figure.scale)})")
    if figure.better not in (-1, 0, 1):
        raise InputError(f"{what}: better must be -1, 0 or 1 (got {shown(figure.better)})")
    if not callable(figure.draw):
        raise InputError(f"{what}: draw must be a function (got {shown(figure.draw)})")


def check_event(name: str, event: Event) -> None:
    """Raise `InputError` unless a kind of event can be shown."""
    from twin.vocabulary import Lane
    from twin.vocabulary.states import SatelliteState

    what = f"event-kind {shown(name)}"
    _texts(what, event, "sentence", "shown")
    if not isinstance(event.lane, Lane):
        raise InputError(f"{what}: lane must be a Lane (got {shown(event.lane)})")
    for state in (event.begins, event.ends):
        if state is not None and not isinstance(state, SatelliteState):
            raise InputError(f"{what}: begins and ends must be SatelliteState (got {shown(state)})")
    try:
        named = {field for _, field, _, _ in string.Formatter().parse(event.shown) if field}
    except ValueError as error:
        raise InputError(f"{what}: shown: {error}") from None
    if named - _SHOWN:
        raise InputError(
            f"{what}: shown may have {', '.join(sorted(_SHOWN))} in braces "
            f"(got {shown(event.shown)})"
        )


def _texts(what: str, thing: Any, *names: str) -> None:
    for name in names:
        value = getattr(thing, name)
        if not isinstance(value, str) or len(value) > 1000:
            raise InputError(
                f"{what}: {name} must be a text of at most 1,000 characters (got {shown(value)})"
            )


def _integers(what: str, numbers: Mapping[str, Any], bounds: Mapping[str, tuple[int, int]]) -> None:
    for name, (low, high) in bounds.items():
        value = numbers[name]
        if type(value) is not int or not low <= value <= high:
            raise InputError(
                f"{what}: {name} must be an integer from {low:,} to {high:,} (got {shown(value)})"
            )
