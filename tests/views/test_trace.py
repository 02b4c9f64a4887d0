import dataclasses

import numpy as np
import pytest

from twin.scenario import loader
from twin.views import trace
from twin.world.world import World


def test_the_head_tells_what_never_changes(run, head, unpack):
    header, arrays = unpack(head)
    meta = header["meta"]
    assert meta["run_id"] == run.manifest["run_id"]
    assert (meta["n_satellites"], meta["n_planes"], meta["frames"]) == (48, 6, 60)
    assert meta["vocabulary"]["link_states"][0]["word"] == "up"
    assert set(meta["palette"]) == {"dark", "light"}
    assert arrays["edges"].size == 2 * 96
    assert arrays["plane"].max() == 5
    np.testing.assert_allclose(arrays["ring"], np.tile(np.arange(8) / 8, 6))


def test_earth_turns_once_a_sidereal_day(head, unpack):
    header, arrays = unpack(head)
    turned = np.unwrap(arrays["earth_rotation"].astype(float))
    rate = (turned[-1] - turned[0]) / (header["meta"]["step_s"] * (len(turned) - 1))
    assert rate == pytest.approx(7.292115e-5, rel=1e-4)


def test_noon_is_where_the_sun_is(head, shown, unpack):
    # At 00:00 UTC of an equinox the Sun is above 180 degrees of longitude, within the equation
    # of time (7.5 minutes, so 1.9 degrees, in March).
    sun = np.arctan2(shown[0].sun[1], shown[0].sun[0])
    longitude = np.degrees(sun - unpack(head)[1]["earth_rotation"][0]) % 360
    assert longitude == pytest.approx(180 + 1.9, abs=0.3)


def test_a_chunk_holds_its_frames(shown, unpack):
    message = trace.chunk(shown[4:7], first=4, last=False)
    header, arrays = unpack(message)
    assert {k: header["meta"][k] for k in ("first", "count", "last")} == {
        "first": 4,
        "count": 3,
        "last": False,
    }
    positions = np.stack([f.positions for f in shown[4:7]])
    np.testing.assert_array_equal(arrays["positions"], positions.astype(np.float32).ravel())
    np.testing.assert_allclose(
        arrays["soc"] / 255, np.concatenate([f.soc for f in shown[4:7]]), atol=0.5 / 255
    )
    np.testing.assert_allclose(np.linalg.norm(arrays["sun"].reshape(3, 3), axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(
        arrays["hop_count"], [len(f.tokens["hop_token"]) for f in shown[4:7]]
    )
    np.testing.assert_array_equal(
        arrays["hop_target"], np.concatenate([f.tokens["hop_target"] for f in shown[4:7]])
    )
    kinds = [header["meta"]["kinds"][k] for k in arrays["event_kind"]]
    assert kinds == [event["kind"] for f in shown[4:7] for event in f.events]


def test_an_event_without_a_satellite_or_a_value_says_so(shown, unpack):
    nothing = {"t_s": 3.5, "kind": "replan-failed", "cause": None}
    nothing |= {"satellite": None, "other": None, "value": None}
    frame = dataclasses.replace(shown[0], events=[nothing])
    header, arrays = unpack(trace.chunk([frame], first=0, last=True))
    assert header["meta"]["event_causes"] == [""]
    assert arrays["event_satellite"].tolist() == [-1]
    assert np.isnan(arrays["event_value"]).all()
    assert arrays["event_t_s"].tolist() == [3.5]


def test_arrays_are_aligned_and_do_not_overlap(shown, unpack):
    message = trace.chunk(shown[:3], first=0, last=False)
    header, arrays = unpack(message)
    end = 0
    for entry in header["arrays"]:
        assert entry["offset"] % 8 == 0
        assert entry["offset"] >= end
        end = entry["offset"] + arrays[entry["name"]].nbytes
    assert end <= len(message)


def test_a_header_in_any_script_has_room(unpack):
    meta = {"names": ["São Paulo", "東京", "x" * 5000]}
    header, arrays = unpack(trace.pack(meta, {"a": np.arange(5.0)}))
    assert header["meta"] == meta
    np.testing.assert_array_equal(arrays["a"], np.arange(5.0))


@pytest.mark.parametrize(
    ("steps", "stride", "frames"), [(1, 1, 1), (400, 1, 400), (401, 2, 201), (5760, 15, 384)]
)
def test_long_runs_are_thinned_evenly(steps, stride, frames):
    planned = trace.plan(World(loader.load("small", [f"simulation.steps={steps}"])))
    assert (planned.stride, planned.frames) == (stride, frames)
    assert sum(planned.shown(step) for step in range(steps)) == frames


def test_large_constellations_have_fewer_frames(monkeypatch):
    world = World(loader.load("small"))
    monkeypatch.setattr(trace, "MAX_FRAME_BYTES", 20 * (17 * 48 + 96))
    assert trace.plan(world).frames == 20


def test_many_hops_mean_fewer_tokens(monkeypatch):
    monkeypatch.setattr(trace, "MAX_HOPS", 1000)
    assert trace.drawn(8, 100, 10) == 8
    assert trace.drawn(8, 200, 10) == 4
    assert trace.drawn(8, 10_000, 10) == 1
