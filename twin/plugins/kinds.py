"""Every kind of thing that a plug-in may add, and the table it goes in.

Tables are imported when first used: the command's help should not wait for all of them.
"""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from twin.errors import InputError
from twin.registry import Registry
from twin.text import meant


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of thing.

    Attributes
    ----------
    name, plural : str
    table : str
        Module and name of its `Registry`, as ``module:NAME``.
    params : str
        Field of a scenario that holds an entry's own parameters, if there is one.
    short : str
        A further name, for the command line.
    """

    name: str
    plural: str
    table: str
    params: str = ""
    short: str = ""

    @property
    def registry(self) -> Registry[Any]:
        """The table itself."""
        module, _, name = self.table.partition(":")
        return cast("Registry[Any]", getattr(importlib.import_module(module), name))


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="strategy",
            plural="strategies",
            table="placement.strategies.table:STRATEGIES",
            params="placement.params",
        ),
        Kind(
            name="policy",
            plural="policies",
            table="placement.policies.table:POLICIES",
            params="controller.params",
        ),
        Kind(
            name="dispatch",
            plural="dispatches",
            table="placement.dispatch.table:DISPATCHES",
            params="serving.dispatch_params",
        ),
        Kind(name="propagator", plural="propagators", table="twin.space.propagation:PROPAGATORS"),
        Kind(
            name="outage-model",
            plural="outage-models",
            table="twin.network.outages:OUTAGES",
            params="outages.params",
            short="outages",
        ),
        Kind(
            name="fault-model",
            plural="fault-models",
            table="twin.network.outages:FAULTS",
            params="faults.params",
            short="faults",
        ),
        Kind(
            name="handover-rule",
            plural="handover-rules",
            table="twin.network.handover:HANDOVER",
            params="ground.handover_params",
            short="handovers",
        ),
        Kind(
            name="satellite-rule",
            plural="satellite-rules",
            table="agents.rules.table:RULES",
            params="satellites.params",
            short="rules",
        ),
        Kind(
            name="bus-profile",
            plural="bus-profiles",
            table="twin.energy.bus:BUS_PROFILES",
            short="buses",
        ),
        Kind(
            name="model-card",
            plural="model-cards",
            table="twin.moe.presets:MODEL_CARDS",
            short="cards",
        ),
        Kind(name="board", plural="boards", table="twin.moe.boards:BOARDS"),
        Kind(name="figure", plural="figures", table="twin.runs.figures:FIGURES"),
        Kind(
            name="event-kind",
            plural="event-kinds",
            table="twin.vocabulary:EVENTS",
            short="events",
        ),
        Kind(name="sampler", plural="samplers", table="twin.moe.sampling:SAMPLERS"),
    )
}
"""By name. A further kind is an entry here, a method of the door and a check of what it returns."""


def kind_called(name: str, others: Iterable[str] = ()) -> Kind:
    """Return a kind by its name, plural or short name.

    Raises
    ------
    InputError
        If there is none; it lists them, and `others` that a caller knows.
    """
    for kind in KINDS.values():
        short = {kind.short, kind.short.removesuffix("s"), kind.short.removesuffix("es")} - {""}
        if name in {kind.name, kind.plural} | short:
            return kind
    known = [*(kind.plural for kind in KINDS.values()), *others]
    raise InputError(f"unknown kind {name!r}; known: {', '.join(known)}{meant(name, known)}")
