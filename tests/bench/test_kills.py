"""A share of `python tests/bench kills`: SIGKILL at any moment costs time and nothing else."""

from kills import kills


def test_what_was_killed_is_finished_byte_for_byte(budget):
    moments = budget(100)
    found = kills("small", ["simulation.steps=120"], moments=moments, seed=4, workers=1)
    assert [entry["identical"] for entry in found["kills"]] == [True] * moments
    left = {entry["command"] for entry in found["kills"] if entry["left"]}
    assert left <= {"run", "sweep"}
    assert left or moments < 10
