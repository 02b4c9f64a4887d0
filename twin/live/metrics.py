"""Figures of a live run for Prometheus: of the fleet, never of one satellite."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from twin.errors import InputError, why
from twin.live import handled
from twin.vocabulary.live import AlarmKind, Remark

if TYPE_CHECKING:
    from twin.live.mirror import Step
    from twin.live.session import Session

LOOPBACK = "127.0.0.1"


class Metrics:
    """What is shown of a session; `watch` is called after every step."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._taken_s = time.monotonic()

    def watch(self, session: "Session", step: "Step") -> None:  # noqa: ARG002
        """Note that a step was taken."""
        self._session, self._taken_s = session, time.monotonic()

    def describe(self) -> list[Any]:
        """Say nothing beforehand: what there is depends on the session."""
        return []

    def collect(self) -> Iterator[Any]:
        """Yield the figures, as Prometheus asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        session = self._session
        if session is None:
            return
        counts = session.reader.counts.of | {str(Remark.MISSING): session.intake.missing}
        messages = CounterMetricFamily(
            "twin_messages", "Messages, by what became of them.", labels=["remark"]
        )
        for remark in Remark:
            messages.add_metric([remark], counts[remark])
        yield messages
        raised = dict.fromkeys(AlarmKind, 0)
        for alarm in session.record.alarms:
            raised[alarm.kind] += 1
        alarms = CounterMetricFamily("twin_alarms", "Alarms raised, by kind.", labels=["kind"])
        for kind, count in raised.items():
            alarms.add_metric([kind], count)
        yield alarms
        for name, sentence, value in self._gauges(session):
            yield GaugeMetricFamily(name, sentence, value=value)

    def _gauges(self, session: "Session") -> Iterator[tuple[str, str, float]]:
        watching = session.mirror.state.watch
        soc2, soc_n, power2, power_n = session.record.innovations.sum(axis=0).tolist()
        step, step_s = session.intake.state.step, session.mirror.model.world.step_s
        lag_s = max(session.intake.clock_s - step * step_s, 0.0)
        yield "twin_step", "Steps that the mirror has taken.", step
        yield "twin_lag_seconds", "How far the mirror is behind the fleet's clock.", lag_s
        yield "twin_idle_seconds", "Since the last step.", time.monotonic() - self._taken_s
        yield "twin_silent_satellites", "Silent now.", int(watching.told_silent.sum())
        done = handled.read(session.writer.partial)
        shelved = sum(until_s > step * step_s for until_s in done.shelved.values())
        yield "twin_alarms_acknowledged", "Alarms that were acknowledged.", len(done.acknowledged)
        yield "twin_alarms_shelved", "Sources of alarms that are shelved.", shelved
        yield "twin_stuck_links", "Links that are stuck now.", int(watching.told_stuck.sum())
        told = "Mean square of innovations of {} over what is expected; 1 is right."
        yield "twin_innovation_charge", told.format("charge"), soc2 / max(soc_n, 1)
        yield "twin_innovation_power", told.format("battery power"), power2 / max(power_n, 1)
        smallest = float(session.mirror.state.filter.x[:, 0].min())
        yield "twin_smallest_charge", "Smallest estimated charge of the fleet.", smallest


def where(text: str) -> tuple[str, int]:
    """Return host and port of ``PORT`` or ``HOST:PORT``; loopback by default.

    Raises
    ------
    InputError
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) <= 65_535:
        raise InputError(f"--metrics {text}: must be PORT or HOST:PORT")
    return host or LOOPBACK, int(port)


@contextmanager
def served(metrics: Metrics, text: str | None) -> Iterator[int | None]:
    """Serve metrics over HTTP meanwhile; gives the port. Nothing is served without an address.

    Raises
    ------
    InputError
        If prometheus-client is missing, or the address cannot be had.
    """
    if text is None:
        yield None
        return
    host, port = where(text)
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ModuleNotFoundError:
        told = "needs prometheus-client: pip install 'orbital-twin[metrics]'"
        raise InputError(f"--metrics: {told}") from None
    registry = CollectorRegistry()
    registry.register(metrics)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise InputError(f"--metrics {text}: {why(error)}") from None
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
