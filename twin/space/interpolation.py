"""Polynomials through the states around a time.

References
----------
NAIF, "SPK Required Reading", types 9 (Lagrange: positions and velocities each by themselves) and
13 (Hermite: velocity is the derivative of position).
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


def interpolated(states: Array, known_s: Array, t_s: Array, *, window: int, hermite: bool) -> Array:
    """States (T, 6) at times from states (K, 6) at increasing ones.

    Parameters
    ----------
    states : (K, 6) float64
        Position, and velocity per second of `known_s`.
    known_s : (K,) float64
    t_s : (T,) float64
        Within `known_s`.
    window : int
        How many states around each time count, at most K.
    hermite : bool
        Whether velocities help with positions, or each is a Lagrange polynomial by itself.
    """
    first = _first(known_s, t_s, window)
    rows = first[:, None] + np.arange(window)
    # About the time asked for: differences of large numbers are taken once.
    x, y = known_s[rows] - t_s[:, None], states[rows]
    if hermite:
        return _hermite(x, y[..., :3], y[..., 3:])
    found: Array = np.einsum("tj,tjc->tc", _lagrange(x), y)
    return found


def _first(known_s: Array, t_s: Array, n: int) -> NDArray[np.intp]:
    """First of the n states around each time; fewer on one side near an end."""
    before = np.searchsorted(known_s, t_s, side="right") - 1
    if n % 2:
        after = np.minimum(before + 1, len(known_s) - 1)
        before = np.where(known_s[after] - t_s < t_s - known_s[before], after, before)
    start = before - (n - 1) // 2
    clipped: NDArray[np.intp] = np.clip(start, 0, len(known_s) - n)
    return clipped


def _lagrange(x: Array) -> Array:
    """Weights (T, n), at zero, of values at x (T, n)."""
    n = x.shape[1]
    apart = x[:, :, None] - x[:, None, :]
    factor = np.where(np.eye(n, dtype=bool), 1.0, -x[:, None, :] / np.where(apart == 0, 1, apart))
    weights: Array = factor.prod(axis=2)
    return weights


def _hermite(x: Array, r: Array, v: Array) -> Array:
    """Value and derivative, at zero, of the polynomial through values and derivatives at x."""
    n = x.shape[1]
    same = np.eye(n, dtype=bool)
    inverse = np.where(same, 0.0, 1 / np.where(same, 1.0, x[:, :, None] - x[:, None, :]))
    factor = np.where(same, 1.0, -x[:, None, :] * inverse)
    value = factor.prod(axis=2)
    # Leaving out one factor after the other, so that a time on a state divides by nothing.
    slope = np.zeros_like(value)
    for k in range(n):
        others = factor.copy()
        others[:, :, k] = inverse[:, :, k]
        slope += others.prod(axis=2) * ~same[:, k]
    lean = inverse.sum(axis=2)
    square, rise = value**2, 2 * value * slope
    of_r, of_v = (1 + 2 * x * lean) * square, -x * square
    dr = -2 * lean * square + (1 + 2 * x * lean) * rise
    dv = square - x * rise
    position = np.einsum("tj,tjc->tc", of_r, r) + np.einsum("tj,tjc->tc", of_v, v)
    velocity = np.einsum("tj,tjc->tc", dr, r) + np.einsum("tj,tjc->tc", dv, v)
    return np.hstack([position, velocity])
