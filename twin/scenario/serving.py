"""The tables of requests, and of how they are served."""

from typing import Literal, Self

from pydantic import Field, model_validator

from twin.scenario.fields import Delay, Duration, Efficiency, Params, Path, Table

MAX_TOKENS = 1_000_000
"""Most tokens of a prompt or answer, in the mean; drawn ones may be ten times as long."""
MAX_USERS = 1_000_000
"""Of a closed loop; the k-th request of a user, from 0, has the user's number and k times this."""
MAX_TRACE_TOKENS = 2**18
"""Most tokens of a prompt or answer of a trace, where the scenario does not cap them."""


class Requests(Table):
    """What users ask: prompts that arrive, and how long the answers are."""

    arrivals: Literal["poisson", "bursts", "trace", "closed"] = "poisson"
    rate_per_s: float = Field(
        0.01, ge=1e-6, le=1e4, description="poisson, bursts: requests a second, mean"
    )
    burst_cv: float = Field(
        2.0,
        ge=1e-3,
        le=100,
        description="bursts: coefficient of variation of the gaps, Gamma distributed",
    )
    users: int = Field(
        8, ge=1, le=MAX_USERS, description="closed: each asks again after the last answer"
    )
    think: Literal["exponential", "fixed"] = Field(
        "exponential", description="closed: how the time from an answer to the next request varies"
    )
    think_s: Duration = Field(
        10.0, description="closed: time from an answer to the next request, mean; assumption"
    )
    trace: Path | None = Field(
        None,
        description="trace: file of requests with their times and lengths (Azure's CSV, JSON lines "
        "of Mooncake or of a benchmark of vLLM), relative to the scenario's file",
    )
    trace_speed: float = Field(
        1.0, ge=1e-6, le=1e6, description="trace: how much faster than in its file; assumption"
    )
    trace_share: Efficiency = Field(
        1.0, description="trace: share of its requests that is kept, at random; assumption"
    )
    prefix_reuse: bool = Field(
        False,
        description="trace: whether what the hashes of prompts show to be cached already is not "
        "computed again",
    )
    prefix_tokens: int = Field(
        512, ge=1, le=MAX_TOKENS, description="trace: tokens that a hash stands for"
    )
    prompt_most: int | None = Field(
        None, ge=1, le=MAX_TOKENS, description="trace: longer prompts are cut to this; assumption"
    )
    output_most: int | None = Field(
        None, ge=1, le=MAX_TOKENS, description="trace: longer answers are cut to this; assumption"
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
    patience_s: Duration | None = Field(
        None,
        description="a user leaves without a first token by then; default: nobody does; assumption",
    )
    drain_s: Delay = Field(
        0.0,
        description="end of the run in which nothing more is asked, so that what is inside can end",
    )
    half_width: float = Field(
        0.0,
        ge=0,
        le=1,
        description="the run goes on after simulation.steps, for a tenth more at a time and to "
        "simulation.most_steps at most, until the half-width of the 95 % interval of its mean time "
        "from end to end is this share of the mean or less; 0: it does not",
    )
    record_every: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="every n-th request is recorded with all services it was in (table visits)",
    )
    ttft_target_s: Duration = Field(
        60.0, description="first token by then, counted for goodput; assumption"
    )
    tpot_target_s: Duration = Field(
        2.0, description="time of each further token, mean of a request, for goodput; assumption"
    )

    @model_validator(mode="after")
    def _fits_arrivals(self) -> Self:
        if self.arrivals == "trace" and self.trace is None:
            raise ValueError("arrivals 'trace' needs trace")
        if self.arrivals != "trace" and self.prefix_reuse:
            raise ValueError("prefix_reuse needs arrivals 'trace'")
        if self.arrivals in ("trace", "closed") and self.daily:
            raise ValueError(f"daily must be 0 where arrivals are '{self.arrivals}'")
        if self.half_width and (self.arrivals == "trace" or self.daily):
            raise ValueError(
                "half_width must be 0 where what comes changes over the run, with daily or "
                "arrivals 'trace'"
            )
        return self


class ServingTable(Table):
    """How requests are served."""

    mode: Literal["tokens", "requests"] = Field(
        "tokens",
        description="tokens: single tokens that do not queue; requests: prompts, queues, batches",
    )
    dispatch: str = Field("nearest", description="which instance of the model a request is sent to")
    dispatch_params: Params = Field(default_factory=dict)
    choose_from: int = Field(
        1,
        ge=1,
        le=8,
        description="copies of each expert, the nearest first, that tokens choose from. 1: the "
        "nearest takes all, as far as it has time. More: each of a token's experts, in the order "
        "of their numbers, goes to the copy where its result is at the next gateway soonest, by "
        "what its own gateway knows: ways, speeds, what waits at itself, and what it has sent to "
        "the others; assumption",
    )
    batching: Literal["continuous", "micro-batch"] = "continuous"
    chunk_tokens: int = Field(128, ge=1, le=MAX_TOKENS, description="of a prompt that go at once")
    max_running: int = Field(1000, ge=1, le=1_000_000, description="requests let in at a time")
    max_queue: int = Field(
        1_000_000, ge=1, le=10_000_000, description="requests that may wait; others are refused"
    )
    drop_late: bool = Field(
        False,
        description="whether a request is dropped that waits for its first token past the target",
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
    head_satellites: int = Field(
        0,
        ge=0,
        le=16,
        description="satellites of their own for the LM head, which take requests in turn; chosen "
        "on the way from the last layer to the first among those that host nothing, their weights "
        "follow at once; 0: the first gateway has it; assumption",
    )
    vocabulary_memory: bool = Field(
        False,
        description="whether the input embedding, and the LM head where it is there too, take "
        "memory of the first gateway; assumption",
    )
    host_ms: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="of the host that forms batches and samples, each time the first layer starts",
    )
    order: Literal["oldest", "decode-first", "prefill-first"] = "oldest"
    handover: Literal["forward", "drain", "lose"] = Field(
        "forward",
        description="what becomes of work that waits at a satellite when its part of the model "
        "moves to another at the start of a step. forward: it is sent to the new host over the "
        "ways of that step; drain: the old satellite serves it before anything else, and results "
        "go on from there, while what comes later goes to the new host; lose: its requests fail, "
        "and are tried again as workload.retries allows. What is in service is always finished, "
        "and what is on its way goes to the new host. A satellite that is down loses all it has: "
        "after a brown-out from the start of the next step on; assumption",
    )
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
