"""Requests that are served on the ground."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from agents.data_centre import DataCentreModel, model_of
from agents.model import TwinModel
from agents.request_rows import request_rows, unfinished_rows
from agents.run import run_scenario
from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.hosted import hosted
from twin.network.ground import look as seen_from
from twin.report.runs import runs_document
from twin.scenario import loader
from twin.space.frames import gcrs_to_itrs
from twin.views.shelf import look

LIGHT_S = 1e-12
"""Rounding of sums of light times."""

CENTRE = [
    "ground.data_centre.boards=4",
    "ground.data_centre.latitude_deg=48.0",
    "placement.strategy=joint",
]
ASKED = [
    "serving.mode=requests",
    "compute.accounting=full",
    "requests.rate_per_s=0.01",
    "requests.prompt_tokens=20",
    "requests.output_tokens=5",
    "ground.users=cities",
    "ground.minimum_elevation_deg=10",
    "outages.model=none",
    "simulation.steps=12",
    "simulation.step_s=60",
]


def model(*settings: str) -> TwinModel:
    """A small model under some settings."""
    return model_of(loader.load("small", [*ASKED, *settings]))


def ended(of: TwinModel, steps: int) -> dict[str, Any]:
    """Rows of the requests that ended in so many steps."""
    found = []
    for step in range(steps):
        of.step()
        found.append(request_rows(of, step, of.requested))
    return {name: np.concatenate([rows[name] for rows in found]) for name in ("request", *_TIMES)}


_TIMES = ("ttft_s", "way_s", "computing_s", "waiting_s")


def test_the_way_to_a_data_centre_is_the_shortest_over_any_satellite_in_sight() -> None:
    of = model(*CENTRE)
    of.step()
    assert isinstance(of, DataCentreModel)
    world, snapshot = of.world, of.snapshot
    graph = nx.Graph()
    source = np.repeat(np.arange(of.fleet.size), np.diff(world.skeleton.indptr))
    for a, b, w in zip(source, world.skeleton.indices, snapshot.weight_s, strict=True):
        if np.isfinite(w):
            graph.add_edge(int(a), int(b), w=float(w))
    turned = gcrs_to_itrs(world.constellation.epoch_utc, np.array([snapshot.instant.t_s]))[0]
    sine, slant_km = seen_from(of._site, snapshot.instant.r_km @ turned.T)
    for satellite in np.flatnonzero(sine[0] >= np.sin(np.radians(10.0))).tolist():
        graph.add_edge("centre", satellite, w=slant_km[0, satellite] / C_KM_S)
    service = of.ground.service
    for site in np.flatnonzero(service.satellite >= 0).tolist():
        way_s = service.delay_s[site] + nx.dijkstra_path_length(
            graph, int(service.satellite[site]), "centre", weight="w"
        )
        assert of.machines.from_site_s(np.zeros((1, 1)))[0, site] == pytest.approx(
            way_s, abs=LIGHT_S
        )


def test_one_board_on_the_ground_computes_as_long_as_one_satellite() -> None:
    alone = ["placement.strategy=single-satellite", "placement.experts_per_satellite=1000"]
    below = ended(model("ground.data_centre.boards=1", *alone), 12)
    above = ended(model(*alone), 12)
    both = np.intersect1d(below["request"], above["request"])
    assert len(both) > 2
    rows = [[np.flatnonzero(of["request"] == r)[0] for r in both] for of in (below, above)]
    for name in ("computing_s",):
        np.testing.assert_allclose(below[name][rows[0]], above[name][rows[1]], rtol=1e-12)


def test_satellites_host_and_compute_nothing() -> None:
    of = model(*CENTRE)
    computed_j = 0.0
    for _ in range(6):
        of.step()
        computed_j += of.row["compute_j"]
        assert of.row["utilisation_max"] == 0.0
    assert not of.fleet.hosting.any()
    assert computed_j > 0.0


def test_a_data_centre_goes_on_from_its_state_as_if_it_had_not_stopped() -> None:
    whole, first = model(*CENTRE), model(*CENTRE)
    for _ in range(5):
        whole.step()
        first.step()
    second = model_of(whole.config, state=first.state)
    for _ in range(4):
        whole.step()
        second.step()
    rows = [unfinished_rows(of) for of in (whole, second)]
    for name, values in rows[0].items():
        np.testing.assert_array_equal(values, rows[1][name], err_msg=name)
    assert whole.row["drawn_j"] == second.row["drawn_j"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["ground.data_centre.boards=2", "serving.mode=tokens"], "needs serving.mode 'requests'"),
        (["ground.data_centre.boards=0"], "ground.data_centre.boards"),
        (["ground.data_centre.pue=0.5"], "ground.data_centre.pue"),
    ],
)
def test_what_cannot_be_is_refused(settings: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        model(*settings)


def test_a_model_that_finds_no_room_on_the_boards_is_refused() -> None:
    with pytest.raises(InputError, match=r"ground.data_centre.boards: 4 do not hold the model"):
        model(*CENTRE, "compute.memory_gb=1e-6")


def test_a_run_on_the_ground_is_reported_and_exported_and_the_page_says_why_not(
    tmp_path: Path,
) -> None:
    run = run_scenario(loader.load("small", [*ASKED, *CENTRE]), runs_dir=tmp_path)
    assert "tokens asked" not in runs_document([run]).finding
    assert not hosted(run, 3, 48).gateway.any()
    shelf = look(tmp_path)
    assert "on the ground" in shelf.unreadable[run.path.name]
