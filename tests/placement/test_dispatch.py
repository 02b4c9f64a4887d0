"""Where requests are sent, worked out by hand."""

import numpy as np
import pytest

from placement.dispatch.seen import Asked, Seen
from placement.dispatch.table import DISPATCHES


def seen(**changes):
    """Three instances; two sites, of which the second does not reach the last."""
    way_s = np.array([[0.10, 0.30], [0.20, 0.10], [0.30, np.inf]])
    plain = {
        "way_s": way_s,
        "open": np.ones(3, bool),
        "requests": np.zeros(3),
        "left_tokens": np.zeros(3),
        "rate_per_s": np.full(3, 10.0),
        "lit": np.ones(3),
    }
    return Seen(**plain | {name: np.asarray(value) for name, value in changes.items()})


def asked(site, *, at_s=None, tokens=10.0, cached=None, told=None):
    n = len(site)
    return Asked(
        site=np.array(site),
        asked_s=np.zeros(n) if at_s is None else np.array(at_s),
        tokens=np.full(n, tokens),
        cached=lambda k: np.zeros(3) if cached is None else np.array(cached[k]),
        sent=lambda k, i: None if told is None else told.append((k, i)),
    )


def send(name, requests, instances, **params):
    return DISPATCHES.build(name, params)(requests, instances).tolist()


def test_nearest_goes_to_the_nearest_that_is_open_whatever_waits_there():
    assert send("nearest", asked([0, 1, 0]), seen(left_tokens=[1e6, 1e6, 0.0])) == [0, 1, 0]
    assert send("nearest", asked([0, 1]), seen(open=[False, True, True])) == [1, 1]
    assert send("nearest", asked([0, 1]), seen(open=[False, False, True])) == [2, -1]


def test_least_loaded_counts_what_it_has_sent_itself():
    assert send("least-loaded", asked([0, 0, 0, 0]), seen(requests=[1.0, 0.0, 1.0])) == [1, 0, 1, 2]


def test_shortest_wait_weighs_work_and_way():
    """Instances work off 10 tokens a second: 0, 2 and 0 s of work, and then a second more each."""
    known = seen(left_tokens=[0.0, 20.0, 0.0])
    assert send("shortest-wait", asked([0, 0, 0]), known) == [0, 2, 0]
    # A second later the first has nothing left again.
    assert send("shortest-wait", asked([0, 0], at_s=[0.0, 1.0]), known) == [0, 0]


def test_a_faster_instance_takes_more():
    to = send("shortest-wait", asked([0] * 60), seen(rate_per_s=[10.0, 20.0, 30.0]))
    assert np.bincount(to).tolist() == pytest.approx([10, 20, 30], abs=1)


def test_lit_first_waits_as_long_as_told_for_sunlight():
    dark = seen(lit=[0.0, 1.0, 1.0], left_tokens=[0.0, 300.0, 1e4])
    assert send("lit-first", asked([0]), dark, dark_s=60.0) == [1]
    assert send("lit-first", asked([0]), dark, dark_s=20.0) == [0]


def test_cache_aware_stays_with_its_cache_until_the_wait_is_longer():
    cached = [[0.0, 0.0, 100.0]] * 2
    told = []
    assert send("cache-aware", asked([0], cached=cached, told=told), seen()) == [2]
    assert told == [(0, 2)]
    assert send("cache-aware", asked([0], cached=cached), seen(left_tokens=[0.0, 0.0, 110.0])) == [
        0
    ]
