import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.rings import central_gateways, layer_ring
from twin.errors import InputError


def test_as_many_layers_as_slots_gives_one_slot_a_layer(make_problem):
    problem = make_problem(planes=33, slots=32, layers=32, experts=8)
    subnet = layer_ring(problem)
    np.testing.assert_array_equal(subnet, (problem.ring_position * 32).round().astype(int))
    gateway = central_gateways(problem, subnet)
    # The middle plane is the 17th of 33, and gateways follow each other round it.
    assert set(problem.plane[gateway].tolist()) == {16}
    np.testing.assert_array_equal(gateway, 16 * 32 + np.arange(32))


@settings(max_examples=60, deadline=None)
@given(
    planes=st.integers(1, 12),
    slots=st.integers(3, 24),
    layers=st.integers(1, 60),
)
def test_any_number_of_layers_shares_the_satellites_evenly(make_problem, planes, slots, layers):
    problem = make_problem(planes=planes, slots=slots, layers=layers, experts=2)
    if layers > planes * slots:
        with pytest.raises(InputError, match="layers need"):
            layer_ring(problem)
        return
    subnet = layer_ring(problem)
    sizes = np.bincount(subnet, minlength=layers)
    assert sizes.sum() == planes * slots
    assert sizes.min() >= 1
    # Bands differ by a plane at most, and shares within a band by one satellite.
    bands = min(planes, -(-layers // slots))
    if bands == 1:
        assert np.ptp(sizes) <= 1
    gateway = central_gateways(problem, subnet)
    np.testing.assert_array_equal(subnet[gateway], np.arange(layers))


def test_more_layers_than_slots_wind_round_in_bands(make_problem):
    problem = make_problem(planes=6, slots=8, layers=16, experts=2)
    subnet = layer_ring(problem)
    for layer in range(16):
        planes = problem.plane[subnet == layer]
        assert set(planes.tolist()) == ({0, 1, 2} if layer < 8 else {3, 4, 5})
    # Layers 7 and 8 meet where the first turn ends and the second begins.
    assert problem.ring_position[subnet == 7].max() == 7 / 8
    assert problem.ring_position[subnet == 8].min() == 0.0


def test_unequal_planes(make_problem):
    problem = make_problem(planes=4, slots=9, layers=6, experts=2)
    keep = ~((problem.plane == 1) & (problem.ring_position > 0.4))
    problem.memory_bytes[~keep] = 0  # half of plane 1 cannot host
    subnet = layer_ring(problem)
    assert (subnet[~keep] == -1).all()
    sizes = np.bincount(subnet[keep], minlength=6)
    assert np.ptp(sizes) <= 1
    np.testing.assert_array_equal(subnet[central_gateways(problem, subnet)], np.arange(6))
