"""A run's satellites written as OMM and read back as a constellation of element sets."""

import json

import numpy as np
import pytest

from twin.errors import InputError
from twin.export.omm import FORMATS, omm
from twin.runs.store import Run
from twin.scenario import loader
from twin.space import constellation
from twin.space.omm import NUMBERS
from twin.space.propagation import propagate

TWENTY_METRES_KM = 0.02
"""SGP4 takes no orbit for rounder than an eccentricity of 1e-6."""


@pytest.fixture
def run(tmp_path):
    """A run as far as the export looks at it."""

    def of(*overrides):
        scenario = loader.load("small", overrides)
        (tmp_path / "scenario.toml").write_text(loader.to_toml(scenario))
        return Run(tmp_path, {"written_utc": "2026-03-20T00:00:00Z"})

    return of


def sorted_by_name(body):
    return np.argsort(body.names)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("simulation.start_utc=2031-07-01T12:34:56+02:00",),
        ("constellation.inclination_deg=53.0", "constellation.altitude_km=1200"),
        ("constellation.inclination_deg=97.6", "constellation.raan_first_deg=359.9"),
    ],
)
def test_read_back_the_satellites_are_where_they_were(run, tmp_path, ending, overrides):
    done = run(*overrides)
    file = tmp_path / f"sets{ending}"
    file.write_text(omm(done, ending), encoding="utf-8")
    ours = constellation.build(done.scenario)
    read = loader.load(
        "small",
        [
            f"simulation.start_utc={ours.epoch_utc}",
            'constellation={kind="tle", tle="' + str(file) + '"}',
        ],
    )
    theirs = constellation.build(read)
    assert not theirs.left_out
    assert theirs.n_planes == ours.n_planes
    t_s = np.array([0.0, 86_400.0])
    mine, back = (
        propagate(body, "kepler-j2", t_s)[0][:, sorted_by_name(body)] for body in (ours, theirs)
    )
    assert np.linalg.norm(mine - back, axis=-1).max() < TWENTY_METRES_KM
    # SGP4 itself adds its periodic terms.
    by_sgp4 = propagate(theirs, "sgp4", t_s[:1])[0][0, sorted_by_name(theirs)]
    assert np.linalg.norm(by_sgp4 - mine[0], axis=-1).max() < 18.0


def test_every_satellite_has_a_number_of_its_own(run, tmp_path):
    sets = json.loads(omm(run(), ".json"))
    assert len({fields["NORAD_CAT_ID"] for fields in sets}) == len(sets) == 48
    assert {*NUMBERS} <= sets[0].keys()


def test_element_sets_are_not_written_again(run, tmp_path):
    done = run('constellation={kind="tle", tle="oneweb.tle"}')
    with pytest.raises(InputError, match=r"came from oneweb\.tle"):
        omm(done, ".csv")
