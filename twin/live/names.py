"""Names that messages of a scenario are sent under."""

from dataclasses import dataclass

from twin.network.ground import sites
from twin.scenario.schema import Scenario
from twin.space import constellation


@dataclass(frozen=True)
class Names:
    """Names of satellites and sites, by number, and the start of the scenario, ISO 8601."""

    satellites: tuple[str, ...]
    sites: tuple[str, ...]
    epoch_utc: str


def names_of(scenario: Scenario) -> Names:
    """Return the names of a scenario."""
    body = constellation.build(scenario)
    return Names(body.names, tuple(sites(scenario.ground).names), body.epoch_utc)
