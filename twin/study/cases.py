"""What is compared: every pair of a strategy and a policy, each with its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from placement.policies.table import POLICIES
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.registry import Registry
from twin.scenario import loader
from twin.scenario.schema import ControllerTable, PlacementTable, Scenario

type Params = Mapping[str, Mapping[str, Any]]
"""Parameters of each strategy or policy, by its name."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to run a scenario: a strategy with a policy, and what else it sets."""

    name: str
    scenario: Scenario

    @property
    def strategy(self) -> str:
        """Name of the placement strategy."""
        return self.scenario.placement.strategy

    @property
    def policy(self) -> str:
        """Name of the re-placement policy."""
        return self.scenario.controller.policy


def make_cases(
    scenario: Scenario,
    strategies: Sequence[str],
    policies: Sequence[str],
    *,
    strategy_params: Params,
    policy_params: Params,
) -> list[Case]:
    """Pair every strategy with every policy, and check that all of them are known.

    The scenario's own parameters go to its own strategy and policy. A case is named after its
    strategy, and its policy where there are several.

    Raises
    ------
    InputError
        If a name or parameter is unknown, or a name comes twice or not at all.
    """
    placing = _tables(STRATEGIES, scenario.placement, "strategy", strategies, strategy_params)
    deciding = _tables(POLICIES, scenario.controller, "policy", policies, policy_params)
    return [
        Case(
            name=f"{s.strategy} / {p.policy}" if len(policies) > 1 else s.strategy,
            scenario=scenario.model_copy(update={"placement": s, "controller": p}),
        )
        for s in placing
        for p in deciding
    ]


def read_params(option: str, items: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``name.key=value`` as the parameters of each name; `option` is named in errors.

    Raises
    ------
    InputError
        If an item has another form.
    """
    params: dict[str, Any] = {}
    for item in items:
        loader.override(params, item, option=option, form="name.key=value")
    for name, given in params.items():
        if not isinstance(given, dict):
            raise InputError(f"{option} {name}={given}: must look like name.key=value")
    return params


def _tables[T: (PlacementTable, ControllerTable)](
    known: Registry[Any],
    own: T,
    field: str,
    names: Sequence[str],
    params: Params,
) -> list[T]:
    """The scenario's table once for each name, which must be known."""
    kind = known.kind
    if not names or len(set(names)) < len(names):
        raise InputError(f"each {kind} must be named once (got {', '.join(names)!r})")
    for name in params:
        if name not in names:
            raise InputError(f"parameters for {kind} {name!r}, which is not compared")
    tables = []
    for name in names:
        given = own.params if getattr(own, field) == name else {}
        chosen = {**given, **params.get(name, {})}
        known.build(name, chosen)
        tables.append(own.model_copy(update={field: name, "params": chosen}))
    return tables
