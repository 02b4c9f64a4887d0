"""Events that follow from a step: what crossed a limit, changed state or was lost."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.rules.view import RuleState
from agents.satellite import Satellite
from twin.energy.budget import EnergyReport
from twin.network.grid import Skeleton
from twin.runs.log import EventLog
from twin.serving.request_step import RequestStep
from twin.serving.shipments import Shipment
from twin.serving.tokens import Served
from twin.space.eclipse import EDGES, ShadowEdges
from twin.vocabulary import CAUSES, DECAYED, EventKind, LinkState


def lose_decayed(satellites: Sequence[Satellite], gone: NDArray[np.bool_]) -> None:
    """Lose the satellites (N,) that have come down; those lost already stay so."""
    for row in np.flatnonzero(gone).tolist():
        satellites[row].remove(cause=DECAYED)


def tell_faults(satellites: Sequence[Satellite], changed: NDArray[np.bool_]) -> None:
    """Tell satellites that a fault has begun or ended; `changed` is (N,)."""
    for row in np.flatnonzero(changed).tolist():
        satellites[row].fault_changed()


def log_shadow(log: EventLog, edges: ShadowEdges) -> None:
    """Log the edges of shadow that satellites cross in a step."""
    for kind, name in enumerate(EDGES):
        rows = edges.kind == kind
        log.add(name, t_s=edges.t_s[rows], satellite=edges.satellite[rows])


def log_links(
    log: EventLog, skeleton: Skeleton, before: NDArray[np.uint8] | None, now: NDArray[np.uint8]
) -> None:
    """Log the links that have changed state, (E,) each, unless neither end wants them any more.

    Nothing has changed in the first step, which has none before it.
    """
    if before is None:
        return
    changed = np.flatnonzero(before != now)
    edges, state = skeleton.edges[changed], now[changed]
    for code in np.unique(state):
        cause = LinkState(code)
        if cause is LinkState.UNPAIRED:
            continue
        rows = state == code
        kind = EventKind.ISL_UP if cause is LinkState.UP else EventKind.ISL_DOWN
        name = "" if cause is LinkState.UP else cause.word
        log.add(kind, cause=name, satellite=edges[rows, 0], other=edges[rows, 1])


def log_shipment(log: EventLog, kind: EventKind, shipment: Shipment, value: float) -> None:
    """Log that a move begins or has ended."""
    source = -1 if shipment.source is None else shipment.source
    log.add(kind, cause=shipment.kind, satellite=source, other=shipment.target, value=value)


def log_tokens(log: EventLog, served: Served) -> None:
    """Log how many tokens were given up or will be tried again, by cause."""
    for cause in CAUSES:
        missed = int((served.cause == cause).sum()) - int(served.lost[cause])
        for kind, count in (
            (EventKind.TOKEN_LOST, served.lost[cause]),
            (EventKind.TOKEN_RETRIED, missed),
        ):
            if count:
                log.add(kind, cause=cause.word, value=count)


def log_instances(log: EventLog, before: NDArray[np.bool_], done: RequestStep) -> None:
    """Log the instances that let requests in again or no longer, and requests sent to others."""
    for kind, rows in (
        (EventKind.INSTANCE_SHUT, before & ~done.open),
        (EventKind.INSTANCE_OPEN, done.open & ~before),
    ):
        for row in np.flatnonzero(rows).tolist():
            log.add(kind, value=row)
    if done.moved:
        log.add(EventKind.REQUESTS_MOVED, value=done.moved)


def tell_satellites(
    satellites: Sequence[Satellite],
    report: EnergyReport,
    before: RuleState,
    now: RuleState,
    end_s: float,
) -> None:
    """Tell satellites what crossed a limit of power, heat or reserve in a step that ends so."""
    crossings = {
        EventKind.BROWN_OUT: report.browned_out,
        EventKind.POWER_RECOVERED: report.recovered,
        EventKind.SOC_LOW: ~before.low & now.low,
        EventKind.SOC_RECOVERED: before.low & ~now.low,
        EventKind.THROTTLED: ~before.throttled & now.throttled,
        EventKind.COOLED: before.throttled & ~now.throttled,
        EventKind.TERMINALS_OFF: before.terminals_on & ~now.terminals_on,
        EventKind.TERMINALS_ON: ~before.terminals_on & now.terminals_on,
    }
    for kind, mask in crossings.items():
        for row in np.flatnonzero(mask).tolist():
            # Only the loss of power has an instant within the step.
            back_s = report.flow.off_s[row] if kind is EventKind.BROWN_OUT else 0.0
            satellites[row].power_changed(kind, end_s - back_s)
