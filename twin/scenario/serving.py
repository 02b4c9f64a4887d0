"""The tables of requests, and of how they are served."""

from typing import Literal

from pydantic import Field

from twin.scenario.fields import Duration, Table

MAX_TOKENS = 1_000_000
"""Most tokens of a prompt or answer, in the mean; drawn ones may be ten times as long."""


class Requests(Table):
    """What users ask: prompts that arrive, and how long the answers are."""

    arrivals: Literal["poisson", "bursts"] = "poisson"
    rate_per_s: float = Field(0.01, ge=1e-6, le=1e4, description="requests a second, mean")
    burst_cv: float = Field(
        2.0,
        ge=1e-3,
        le=100,
        description="bursts: coefficient of variation of the gaps, Gamma distributed",
    )
    daily: float = Field(
        0.0,
        ge=0,
        le=1,
        description="swing of the rate over the local day of the sites, round its mean; highest "
        "at 15 h, a cosine; assumption",
    )
    lengths: Literal["fixed", "lognormal"] = "fixed"
    prompt_tokens: float = Field(1155.0, ge=1, le=MAX_TOKENS, description="mean")
    output_tokens: float = Field(211.0, ge=1, le=MAX_TOKENS, description="mean")
    prompt_cv: float = Field(1.0, ge=0, le=10, description="lognormal: coefficient of variation")
    output_cv: float = Field(1.0, ge=0, le=10, description="lognormal: coefficient of variation")
    ttft_target_s: Duration = Field(
        60.0, description="first token by then, counted for goodput; assumption"
    )
    tpot_target_s: Duration = Field(
        2.0, description="time of each further token, mean of a request, for goodput; assumption"
    )


class ServingTable(Table):
    """How requests are served."""

    mode: Literal["tokens", "requests"] = Field(
        "tokens",
        description="tokens: single tokens that do not queue; requests: prompts, queues, batches",
    )
    batching: Literal["continuous", "micro-batch"] = "continuous"
    chunk_tokens: int = Field(128, ge=1, le=MAX_TOKENS, description="of a prompt that go at once")
    max_running: int = Field(1000, ge=1, le=1_000_000, description="requests let in at a time")
    max_queue: int = Field(
        1_000_000, ge=1, le=10_000_000, description="requests that may wait; others are refused"
    )
    max_batch_tokens: int = Field(2048, ge=1, le=MAX_TOKENS, description="micro-batch: of a batch")
    max_batch_requests: int = Field(128, ge=1, le=1_000_000, description="micro-batch: of a batch")
    service_tokens: int | None = Field(
        None,
        ge=1,
        le=MAX_TOKENS,
        description="continuous: most that a part serves together; default: as many as gain by it, "
        "the ratio of peak to bandwidth",
    )
    order: Literal["oldest", "decode-first", "prefill-first"] = "oldest"
    cut_through_gbps: float = Field(
        10.0,
        ge=0,
        le=1e9,
        description="single tokens cut through links of this rate and more, and wait for nobody; "
        "on slower ones, and if several go together, the links are passed one after the other, "
        "first come first served; assumption",
    )
    block_tokens: int = Field(16, ge=1, le=4096, description="of a block of cache")
    fuse: bool = Field(
        True,
        description="whether consecutive layers on one satellite are one service",
    )
