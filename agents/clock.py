"""A Mesa model whose clock counts the seconds of a scenario."""

import mesa
from mesa.time import EventGenerator, Priority, Schedule


class SteppedModel(mesa.Model):
    """A model that steps every `step_s` seconds of Mesa's clock.

    Parameters
    ----------
    seed : int
        For Mesa's own generators, which the twin does not use.
    step_s : float
    """

    def __init__(self, *, seed: int, step_s: float) -> None:
        super().__init__(rng=seed)
        self._step_s = step_s
        self._tick()

    def go_to(self, step: int) -> None:
        """Set the clock to the start of a step."""
        self.steps = step
        self.time = step * self._step_s
        self._tick()

    def _tick(self) -> None:
        self._default_schedule.stop()  # type: ignore[has-type]
        self._default_schedule = EventGenerator(
            self,
            self._do_step,
            Schedule(interval=self._step_s, start=self.time + self._step_s),
            priority=Priority.HIGH,
        ).start()

    def _wrapped_step(self) -> None:
        self._advance_time(self.time + self._step_s)
