"""Spare the battery and the electronics: slow down on the reserve and when hot."""

import numpy as np

from agents.rules.view import Decision, LocalView, RuleState
from twin.energy import thermal


def reserve(view: LocalView) -> Decision:
    """Slow down and take no experts on the reserve; slow down when hot. Both with hysteresis."""
    bus, last = view.bus, view.last
    regained_soc = min(bus.reserve_soc + bus.reserve_hysteresis, 1.0)
    low = (view.soc < bus.reserve_soc) | (last.low & (view.soc < regained_soc))
    throttled = thermal.throttle(view.temperature_k, last.throttled, bus)
    hot = np.where(throttled, bus.throttled_speed, 1.0)
    spare = np.where(low, bus.reserve_speed, 1.0)
    return Decision(
        state=RuleState(
            low=low,
            throttled=throttled,
            speed=np.minimum(hot, spare) * view.powered,
            accepting=~low,
            terminals_on=np.ones(len(low), bool),
        )
    )
