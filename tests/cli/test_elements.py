"""``twin elements``: what a file of element sets holds."""

import csv
import json

import numpy as np
import pytest

from twin.errors import InputError
from twin.network.grid import LinkKind
from twin.scenario import loader
from twin.world.world import World


@pytest.fixture
def two_shells(element_sets):
    """Six planes of eight at 53.05 deg, four of ten at 97.6 deg, and one on its way."""
    plane, slot = np.divmod(np.arange(48), 8)
    other, place = np.divmod(np.arange(40), 10)
    return element_sets(
        np.concatenate([np.full(48, 53.05), np.full(40, 97.6), [53.05]]),
        np.concatenate([60.0 * plane, 45.0 * other, [10.0]]),
        np.concatenate([45.0 * slot + 7.5 * plane, 36.0 * place, [3.0]]),
        np.concatenate([np.full(48, 15.06), np.full(40, 14.90), [15.70]]),
    )


def test_shells_planes_and_what_is_left_out(twin, two_shells, tmp_path):
    code, out, _ = twin("elements", str(two_shells), "--csv", "s.csv", "--json", "s.json")
    assert code == 0
    assert "89 element sets, 88 carry links" in out
    assert "in no shell" in out
    assert "fewer than three" in out  # the rule
    data = json.loads((tmp_path / "s.json").read_text())
    found = [(s["inclination_deg"], s["n_planes"], s["with_links"]) for s in data["shells"]]
    assert found == [(53.05, 6, 48), (97.6, 4, 40)]
    assert [len(p["satellites"]) for p in data["shells"][1]["planes"]] == [10] * 4
    assert data["shells"][0]["planes"][0]["satellites"][0] == "SAT 0"
    assert [one["name"] for one in data["left_out"]] == ["SAT 88"]
    rows = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
    assert len(rows) == 89
    assert rows[-1]["shell"] == ""
    assert rows[-1]["carries_links"] == "False"
    assert rows[-1]["reason"].startswith("in no shell")
    assert [r["catalogue_number"] for r in rows] == [f"{i + 1:05d}" for i in range(89)]


def test_mistakes_are_one_line(twin, two_shells, tmp_path):
    code, _, err = twin("elements", "nothing.tle")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = twin("elements", str(two_shells), "--csv", str(tmp_path / "no" / "s.csv"))
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no folder" in err


def world(path, **more):
    changes = {
        "constellation": {"kind": "tle", "tle": str(path)} | more.pop("table", {}),
        "simulation.start_utc": "2022-09-14T12:00:00Z",
        "outages.model": "none",
    }
    return World(loader.load("small", changes | {k.replace("__", "."): v for k, v in more.items()}))


def test_shells_of_a_file_are_shells_of_the_scenario(two_shells):
    sky = world(two_shells, links__seam="closed")
    body, edges = sky.constellation, sky.skeleton.edges
    assert np.bincount(body.shell).tolist() == [48, 40]
    assert (body.shell[edges[:, 0]] == body.shell[edges[:, 1]]).all()
    assert (sky.may_host == (body.shell == 0)).all()  # the larger one
    inclination = np.degrees(body.inc_rad)
    within = edges[sky.skeleton.kind == LinkKind.INTRA_PLANE]
    assert len(within) == 88
    assert np.abs(inclination[within[:, 0]] - inclination[within[:, 1]]).max() < 0.5


def test_which_shell_hosts_and_links_between_them(two_shells):
    sky = world(two_shells, table={"host_shell": 1}, links__cross_shell_every=4)
    assert (sky.may_host == (sky.constellation.shell == 1)).all()
    assert sky.may_serve.all()
    crossing = sky.skeleton.edges[sky.skeleton.kind == LinkKind.CROSS_SHELL]
    assert len(crossing) == 12 * 10


def test_a_host_shell_that_is_not_there(two_shells):
    with pytest.raises(InputError, match=r"host_shell: must be below the number of shells \(2\)"):
        world(two_shells, table={"host_shell": 2})
