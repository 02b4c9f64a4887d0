import numpy as np
import pytest

from twin.views.palette import STAGE

# Full dichromacy on linear RGB: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15 (2009) 1291.
SIGHTS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
JUST_NOTICEABLE = 2.3  # of CIE 1976 colour difference


def linear(colours):
    value = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB under D65."""
    xyz = rgb @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    ratio = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def seen(colours, sight):
    return lab(np.clip(linear(colours) @ SIGHTS[sight].T, 0, 1))


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", STAGE)
def test_neighbouring_stops_of_a_ramp_can_be_told_apart(theme, sight):
    for name, stops in STAGE[theme]["ramps"].items():
        steps = np.linalg.norm(np.diff(seen(stops, sight), axis=0), axis=1)
        assert steps.min() > 3 * JUST_NOTICEABLE, (name, steps)


@pytest.mark.parametrize("theme", STAGE)
def test_ramps_grow_lighter_all_the_way(theme):
    for name, stops in STAGE[theme]["ramps"].items():
        assert (np.diff(seen(stops, "full")[:, 0]) > 0).all(), name


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", STAGE)
@pytest.mark.parametrize("group", ["states", "series", "tokens"])
def test_categories_can_be_told_apart(theme, group, sight):
    colours = seen(STAGE[theme][group], sight)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 3 * JUST_NOTICEABLE
