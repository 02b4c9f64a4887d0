"""The serving engine against queueing theory: the same compiled loop, on systems with an answer.

Little's law is checked on every run: the time integral of how many requests are inside, and the
sum of their stays, are kept by different code.
"""

import numpy as np
import pytest
from queueing import system

REPLICATES = 20


def serve(engine, at_s, *, output=1):
    """Serve requests of one prompt token; returns their outcomes by number."""
    count = len(at_s)
    asked = {
        "number": np.arange(count),
        "site": np.zeros(count, int),
        "prompt": np.ones(count, int),
        "output": np.broadcast_to(output, count).astype(int),
        "asked_s": at_s,
    }
    engine.add(asked, at_s)
    engine.advance(1e12)
    done = engine.outcomes()
    core = engine.state.core[0]
    stays_s = (done["last_s"] - done["came_s"]).sum()
    assert core["inside_s"] == pytest.approx(stays_s, rel=1e-9)
    assert core["inside"] == core["events"] == 0
    instances = engine.state.instances
    assert not instances["running"].any()
    assert not instances["waiting"].any()
    assert (instances["blocks"] == instances["all_blocks"]).all()
    assert len(done) == count
    return np.sort(done, order="number")


def poisson(rate, count, seed):
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def assert_mean(make, expected, *, rate, count=20_000, warm=0, slack=0.0):
    """The mean stay is within 3 standard errors of theory; `slack` for rounded literature."""
    means = []
    for seed in range(REPLICATES):
        at_s = poisson(rate, count, seed)
        done = serve(make(seed), at_s)
        means.append((done["last_s"] - at_s)[warm:].mean())
    error = np.std(means, ddof=1) / np.sqrt(REPLICATES)
    assert abs(np.mean(means) - expected) < 3 * error + slack


def test_one_queue_is_lindleys_recursion():
    at_s = poisson(0.9, 20_000, 0)
    done = serve(system(gateway=1.0, micro=1), at_s)
    ends = np.empty_like(at_s)
    end_s = 0.0
    for i, t_s in enumerate(at_s):
        end_s = ends[i] = max(t_s, end_s) + 1.0
    np.testing.assert_allclose(done["last_s"], ends, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.9])
def test_deterministic_service(rho):
    assert_mean(lambda _: system(gateway=1.0, micro=1), 1 + rho / (2 * (1 - rho)), rate=rho)


def test_deterministic_tandem():
    """Friedman 1965: only the slowest stage of a tandem makes customers wait."""
    stages = (1, 2, 1.5, 0.7, 2)
    assert_mean(
        lambda _: system(layers=5, gateway=stages, service_tokens=1), 11.2, rate=0.4, slack=0.005
    )


def test_exponential_tandem():
    """Jackson 1957."""
    stages = np.array([1, 2, 1.5])
    expected = (1 / (1 / stages - 0.4)).sum()
    assert_mean(
        lambda seed: system(layers=3, gateway=stages, service_tokens=1, exponential=1, seed=seed),
        expected,
        rate=0.4,
    )


@pytest.mark.parametrize("rho", [0.5, 0.8])
def test_fork_and_join_of_two(rho):
    """Nelson and Tantawi 1988: exact for two exponential servers."""
    assert_mean(
        lambda seed: system(
            experts=2, top_k=2, expert=1.0, service_tokens=1, exponential=1, seed=seed
        ),
        (12 - rho) / (8 * (1 - rho)),
        rate=rho,
    )


@pytest.mark.parametrize(("rate", "expected"), [(1, 4.766), (5, 6.060), (15, 18.157)])
def test_batch_server(rate, expected):
    """A service of n takes 3 + 0.05 n and takes all that wait; it starts at once when idle."""

    def make(_seed):
        engine = system(gateway=0.05)
        engine.state.parts["overhead_s"][0] = 3.0
        return engine

    assert_mean(make, expected, rate=rate, warm=1000, slack=0.0005)


def test_closed_ring_follows_mean_value_analysis():
    """31 exponential stages of 18.4 ms, one of 54.4, and 0.906 s on the way."""
    stages = np.full(32, 0.0184)
    stages[0] = 0.0544
    for users, expected in ((8, 5.009), (31, 15.845)):
        rates = []
        for seed in range(REPLICATES):
            engine = system(
                layers=32, gateway=stages, ways=0.906 / 64, service_tokens=1, exponential=1,
                seed=seed,
            )  # fmt: skip
            done = serve(engine, np.zeros(users), output=400)
            # Over a while in which all users are there.
            end_s = done["last_s"].min()
            rates.append(users * 400 / done["last_s"].mean())
            assert end_s > 0
        error = np.std(rates, ddof=1) / np.sqrt(REPLICATES)
        assert abs(np.mean(rates) - expected) < 3 * error + 0.01 * expected


def test_the_ring_of_equal_stages_is_deterministic():
    """Below the knee nothing waits: N tokens a round, and each round takes the sum of stages."""
    stages = np.full(8, 0.1)
    engine = system(layers=8, gateway=stages, ways=0.05, service_tokens=1)
    done = serve(engine, np.arange(4) * 0.1, output=50)
    round_s = 8 * (0.1 + 0.1)
    np.testing.assert_allclose(done["last_s"] - done["first_s"], 49 * round_s, rtol=1e-9)


def erlang_c(servers, load):
    terms = np.cumprod([1.0, *(load / np.arange(1, servers + 1))])
    wait = terms[-1] * servers / (servers - load)
    return wait / (terms[:-1].sum() + wait)


def test_places_that_all_are_taken():
    """Erlang C: ten places of admission, exponential stays; who comes then waits."""
    assert erlang_c(10, 8.0) == pytest.approx(0.40918, abs=1e-5)
    shares = []
    for seed in range(REPLICATES):
        rng = np.random.default_rng((seed, 1))
        at_s = poisson(8.0, 5_000, seed)
        # A geometric number of tokens, each on the way for a hundredth: exponential but for 1 %.
        output = rng.geometric(0.01, len(at_s))
        done = serve(system(ways=0.005, most_running=10), at_s, output=output)
        shares.append((done["admitted_s"] > done["came_s"])[500:].mean())
    error = np.std(shares, ddof=1) / np.sqrt(REPLICATES)
    assert abs(np.mean(shares) - 0.40918) < 3 * error + 0.004
