"""Prepare for the dark: switch idle terminals off, and hand experts to a lit neighbour."""

from dataclasses import replace

import numpy as np

from agents.rules.reserve import reserve
from agents.rules.view import Decision, LocalView, Messages, TakeOver


def guardian(view: LocalView, *, lead_s: float = 600.0, idle_soc: float = 0.95) -> Decision:
    """As reserve; in shadow idle terminals go off, and experts move to the light before it.

    A satellite in shadow below `idle_soc` that hosts nothing, carried no token and serves no site
    switches its terminals off until it sees the Sun or hosts something. A host of experts that
    enters shadow within `lead_s` and would fall to its reserve there asks the neighbour that stays
    lit longest, as of its last message, to take over one of them.
    """
    base = reserve(view).state
    dark = view.sunlit <= 0.0
    needed = view.hosting | view.serving | ~dark | ~view.powered
    idle = ~view.carried & (view.soc < idle_soc)
    was_off = ~view.last.terminals_on
    messages = Messages(
        dark_in_s=view.ahead.dark_in_s,
        accepting=base.accepting & view.powered,
        room_bytes=view.room_bytes,
    )
    state = replace(base, terminals_on=needed | ~(idle | was_off), messages=messages)
    return Decision(state=state, take_over=_requests(view, lead_s))


def _requests(view: LocalView, lead_s: float) -> tuple[TakeOver, ...]:
    told, bus = view.last.messages, view.bus
    if told is None:
        return ()
    drain = view.load_w * view.ahead.dark_for_s / (bus.eta_discharge * bus.battery_j)
    threatened = view.powered & view.hosting & ~view.gateway
    threatened &= (view.ahead.dark_in_s <= lead_s) & (view.soc - drain < bus.reserve_soc)
    taken: set[int] = set()
    asked = []
    for row in np.flatnonzero(threatened):
        near = view.neighbours[row]
        near = near[near >= 0]
        able = told.accepting[near] & (told.room_bytes[near] >= view.expert_bytes)
        able &= told.dark_in_s[near] > view.ahead.dark_in_s[row] + view.ahead.dark_for_s[row]
        near = np.array([n for n in near[able] if n not in taken], np.int64)
        experts = view.experts_of(int(row))
        if not len(near) or not experts:
            continue
        neighbour = int(near[np.argmax(told.dark_in_s[near])])
        taken.add(neighbour)
        asked.append(TakeOver(*experts[0], int(row), neighbour))
    return tuple(asked)
