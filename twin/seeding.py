"""Named random streams, so that every strategy meets the same traffic and the same outages.

Numbers are addressed, not drawn in turn: a stream and counters (a step, a token) give a generator,
the same whatever was drawn before, so that no stream has a state to save.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True)
class Stream:
    """One named source of randomness of one replicate.

    Attributes
    ----------
    key : tuple of int
        Key of a Philox generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
        SC 2011), two words of 64 bits.
    """

    key: tuple[int, int]

    def at(self, first: int, second: int = 0, third: int = 0) -> np.random.Generator:
        """Return the generator at three counters, each >= 0, such as a step."""
        bits = np.random.Philox(
            key=np.array(self.key, np.uint64),
            counter=np.array([0, first, second, third], np.uint64),
        )
        return np.random.Generator(bits)


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
    first, second = sequence.generate_state(2, np.uint64)
    return Stream((int(first), int(second)))
