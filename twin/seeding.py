"""Named random streams, so that every strategy meets the same traffic and the same outages.

Numbers are addressed, not drawn in turn: a stream and counters (a step, a token) give a generator,
the same whatever was drawn before, so that no stream has a state to save.
"""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray


class Stream:
    """One named source of randomness of one replicate.

    Parameters
    ----------
    key : (2,) uint64
        Key of a Philox generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
        SC 2011).
    """

    def __init__(self, key: NDArray[np.uint64]) -> None:
        self._bits = np.random.Philox(key=key)
        self._rng = np.random.Generator(self._bits)
        self._state = self._bits.state

    def at(self, first: int, second: int = 0, third: int = 0) -> np.random.Generator:
        """Return the generator at three counters, each >= 0, such as a step.

        It is the stream's own, which the next call puts elsewhere: a new one would cost as much
        as a thousand numbers.
        """
        self._state["state"]["counter"] = np.array([0, first, second, third], np.uint64)
        self._bits.state = self._state
        return self._rng


def stream(seed: int, replicate: int, name: str) -> Stream:
    """Return one named source of randomness.

    Streams of different names, replicates or seeds are independent.

    Parameters
    ----------
    seed : int
        The scenario's seed, >= 0.
    replicate : int
        Index of the replicate, >= 0.
    name : str
        What the numbers are for, e.g. ``"tokens"``.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(replicate, crc32(name.encode())))
    return Stream(sequence.generate_state(2, np.uint64).astype(np.uint64))
