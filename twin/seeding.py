"""Named random streams, so that every strategy meets the same traffic and the same outages."""

from zlib import crc32

import numpy as np


def stream(seed: int, replicate: int, name: str) -> np.random.Generator:
    """Return the generator of one named source of randomness.

    Streams of different names, replicates or seeds are independent; the same triple gives the
    same numbers whatever else was drawn before. A strategy, for instance, may draw as often as
    it likes from ``"placement"`` without moving the draws of ``"outages"``.

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
    return np.random.Generator(np.random.PCG64(sequence))
