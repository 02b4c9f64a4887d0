"""Something learns from the environment: a linear policy, by the cross-entropy method.

It only shows that rewards lead somewhere. The agent moves one expert a step, to the satellite with
the best score; what the four features of a satellite are worth is learnt.
"""

import numpy as np
import pytest

from twin.gym import TwinEnv, Verb

HELD_BACK = range(100, 104)
CANDIDATES, ELITE, ROUNDS = 8, 2, 3


@pytest.fixture(scope="module")
def env():
    return TwinEnv("small", {"simulation.steps": 20}, reward={"latency_mean_s": 1.0})


def features(seen, layer):
    """Of each satellite: sound; gateway of the layer, of the next; how much it hosts, (N, 4)."""
    hosts, satellites = seen["hosts"], seen["satellites"]
    found = np.zeros((len(satellites), 4))
    found[:, 0] = satellites[:, 4]
    found[hosts[layer, 0], 1] = 1.0
    found[hosts[(layer + 1) % len(hosts), 0], 2] = 1.0
    found[:, 3] = np.bincount(hosts.ravel(), minlength=len(satellites)) / 8
    return found


def worth(env, weights, seed):
    """Rewards of an episode, with a move in every step; no weights: it waits."""
    (seen, _), total, over, number = env.reset(seed=seed), 0.0, False, 0
    layers, parts = seen["hosts"].shape
    while not over:
        action = (Verb.WAIT, 0, 0, 0, 0, 0)
        if weights is not None:
            expert, layer = divmod(number, layers)
            target = int((features(seen, layer) @ weights).argmax())
            action = (Verb.MOVE, layer, 1 + expert % (parts - 1), target, 0, 0)
        seen, reward, _, over, _ = env.step(action)
        total, number = total + reward, number + 1
    return total


def learnt(env, *, seed=0):
    """Weights by the cross-entropy method: each round draws around the best of the one before."""
    rng = np.random.default_rng(seed)
    mean, spread = np.zeros(4), np.ones(4)
    for round_ in range(ROUNDS):
        drawn = mean + spread * rng.standard_normal((CANDIDATES, 4))
        gained = [worth(env, weights, seed=round_) for weights in drawn]
        best = drawn[np.argsort(gained)[-ELITE:]]
        mean, spread = best.mean(axis=0), best.std(axis=0) + 0.1
    return mean


def test_what_has_learnt_does_better_on_seeds_that_it_has_not_seen(env):
    def gained(weights):
        return np.array([worth(env, weights, seed) for seed in HELD_BACK])

    trained = gained(learnt(env))
    assert (trained > gained(None)).all()
    assert (trained > gained(np.zeros(4))).all()
    guessed = [gained(np.random.default_rng(k).standard_normal(4)) for k in range(4)]
    assert (trained > np.mean(guessed, axis=0)).all()
