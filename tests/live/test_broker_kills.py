"""Plant, broker and twin are killed, each once; `python tests/bench live-kills` does it often."""

import os

import pytest

from broker_kills import VICTIMS, Flight
from brokers import MOSQUITTO


@pytest.mark.skipif(
    MOSQUITTO is None and os.environ.get("CI") != "true", reason="mosquitto is not installed"
)
def test_nothing_that_was_acknowledged_is_lost(tmp_path):
    flight = Flight(tmp_path, minutes=40, speed=300.0, seed=4)
    found = flight.fly([(0.5 + 2.5 * k, victim) for k, victim in enumerate(VICTIMS)])
    assert [kill["lost"] for kill in found["kills"]] == [0, 0, 0]
    assert found["kills"][0]["acknowledged"] > 0
    assert found["lost"] == found["altered"] == 0
    assert found["dropped"] == found["doubled"] > 0
    assert found["replayed"]
    assert found["as_unkilled"]
