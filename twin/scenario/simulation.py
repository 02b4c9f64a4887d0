"""The table of time, randomness and what is recorded."""

from typing import Self

from pydantic import Field, model_validator

from twin.scenario.fields import Table, UtcText
from twin.scenario.limits import MAX_STEP_S, MIN_STEP_S
from twin.scenario.plain import MAX_INTEGER

MAX_STEPS = 1_000_000
DEFAULT_START_UTC = "2026-03-20T00:00:00Z"


class Simulation(Table):
    """Time axis, randomness and what is recorded."""

    start_utc: UtcText | None = Field(
        None,
        description=f"default: {DEFAULT_START_UTC}, or with element sets their newest epoch",
    )
    steps: int = Field(200, ge=1, le=MAX_STEPS)
    most_steps: int = Field(
        0,
        ge=0,
        le=MAX_STEPS,
        description="to which a run may go on with requests.half_width; plans that look to the end "
        "of the run look to this one; 0: it ends after steps",
    )
    step_s: float | None = Field(
        None,
        ge=MIN_STEP_S,
        le=MAX_STEP_S,
        description="length of a step; exactly one of step_s and orbits",
    )
    orbits: float | None = Field(
        None,
        ge=1e-6,
        le=1e6,
        description="the run spans this many orbital periods; exactly one of step_s, orbits",
    )
    seed: int = Field(0, ge=0, le=MAX_INTEGER)
    replicate: int = Field(0, ge=0, le=1_000_000, description="index of the independent repetition")
    record_satellites_every: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="steps between rows of the tables satellites, queues and traffic",
    )
    record_tokens_per_step: int = Field(
        2, ge=0, le=10_000, description="tokens a step recorded with every hop"
    )

    @property
    def longest_steps(self) -> int:
        """Steps that a run may take."""
        return max(self.steps, self.most_steps)

    @model_validator(mode="after")
    def _can_go_on(self) -> Self:
        if 0 < self.most_steps < self.steps:
            raise ValueError(f"most_steps must be 0, or at least steps ({self.steps})")
        return self

    @model_validator(mode="after")
    def _one_time_axis(self) -> Self:
        if (self.step_s is None) == (self.orbits is None):
            raise ValueError("give exactly one of step_s and orbits")
        return self
