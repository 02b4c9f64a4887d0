"""Residuals, outlook and advice of a live run, as the page asks for them."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from twin.live.cadence import NEWEST
from twin.live.record import COLUMNS, FOLDER
from twin.views.questions import answer

GAIN = {"mean": 0.02, "half": 0.01}


@pytest.fixture
def folder(live_run):
    """The folder of what a live run keeps beside its tables, as it was afterwards."""
    there = set((live_run.path / FOLDER).iterdir())
    yield live_run.path / FOLDER
    for file in set((live_run.path / FOLDER).iterdir()) - there:
        file.unlink()


def test_residuals_and_estimates_of_a_satellite_are_those_recorded(live_run, folder):
    found = answer(live_run, {"what": "estimates", "satellite": 3})
    kept = pq.read_table(sorted(folder.glob("estimates-*.parquet"))).to_pandas()
    kept = kept[kept["satellite"] == 3]
    assert found["steps"] == kept["step"].tolist() == list(range(0, 60, 5))
    for name in COLUMNS:
        np.testing.assert_allclose(
            np.array(found[name], float), kept[name].to_numpy(), rtol=1e-4, err_msg=name
        )
    # What is off is mostly within what is expected.
    normal = kept["residual_power_w"] / kept["residual_power_sd_w"]
    assert (normal.dropna().abs() < 4).mean() > 0.8
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert answer(live_run, {"what": "estimates", "satellite": -1})["wrong"].startswith("satellite")
    assert answer(live_run, {"what": "estimates", "satellite": 999})["steps"] == []


def test_an_outlook_is_sent_once_without_what_is_of_each_satellite(live_run, folder):
    assert "outlook" not in answer(live_run, {"what": "live"})
    told = {"step": 20, "steps": 2, "members": 64, "fleet": [[0.5, 0.4]] * 3, "loses_power": [0.0]}
    (folder / NEWEST).write_text(json.dumps(told))
    found = answer(live_run, {"what": "live"})["outlook"]
    assert found == {name: told[name] for name in ("step", "steps", "members", "fleet")}
    assert "outlook" not in answer(live_run, {"what": "live", "known": 20})
    (folder / NEWEST).write_text("[")
    assert "outlook" not in answer(live_run, {"what": "live"})


def test_advice_comes_newest_first_without_what_cannot_be_read(live_run, folder):
    option = {"strategy": "energy-aware", "served": GAIN, "latency": GAIN, "pays_until": None}
    one = {"step": 20, "options": [option], "strategy": "energy-aware", "commanded": 21}
    two = one | {"step": 40, "commanded": 0, "unsent": "--act /srv/secret/commands.jsonl: full"}
    two["options"] = [option | {"served": {"mean": 0.0, "half": float("inf")}}]
    for told in (one, two):
        (folder / f"advice-{told['step']:08d}.json").write_text(json.dumps(told))
    for number, text in enumerate(("", "[]", "3")):
        (folder / f"advice-{number:08d}.json").write_text(text)
    newest, before = answer(live_run, {"what": "advice"})["advice"]
    assert (newest["step"], before["step"]) == (40, 20)
    assert newest["options"][0]["served"]["half"] is None
    assert "secret" not in newest["unsent"]
    assert (before["commanded"], before["unsent"], before["nothing"]) == (21, "", "nothing")
