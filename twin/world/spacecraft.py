"""Power and heat of a scenario's satellites: its bus, with the computer that it carries."""

from twin.energy.bus import BusProfile, profile
from twin.moe.boards import BOARDS, peak_gflops, power_w
from twin.scenario.schema import Scenario

PLAUSIBLE_GFLOPS_PER_W = (0.15, 5_000.0)
"""From radiation-hardened boards to a little beyond today's accelerators."""


def bus_profile(scenario: Scenario) -> BusProfile:
    """Return the scenario's bus; its compute draws what the board does, unless the bus says more.

    Raises
    ------
    InputError
        If a name is unknown, or figures contradict each other.
    """
    return profile(scenario.bus, compute_w=power_w(scenario.compute))


def remarks(scenario: Scenario) -> list[str]:
    """Return a line for each pair of figures that no spacecraft of today has."""
    bus, compute, board = bus_profile(scenario), scenario.compute, BOARDS[scenario.compute.board]
    gflops = peak_gflops(compute, scenario.model.precision)
    usual = board.peak_gflops(scenario.model.precision)
    low, high = PLAUSIBLE_GFLOPS_PER_W
    drawn_w = bus.compute_peak_w
    told = []
    if drawn_w <= 0.0 or not low <= gflops / drawn_w <= high:
        told.append(
            f"implausible: {gflops:,g} GFLOPS from a computer that draws {drawn_w:,g} W; boards "
            f"have {low:g} to {high:,g} GFLOPS a watt (compute.gflops, bus.compute_peak_w)"
        )
    if board.name != "paper" and gflops > 2.0 * usual:
        told.append(
            f"implausible: compute.gflops is {gflops / usual:,.3g} times the peak of board "
            f"'{board.name}', whose memory and power the satellites have"
        )
    if bus.peak_w > bus.array_w:
        told.append(
            f"the bus draws up to {bus.peak_w:,g} W, more than the {bus.array_w:,g} W of its array "
            "in full sunlight"
        )
    return told
