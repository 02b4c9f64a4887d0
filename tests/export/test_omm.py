"""A run's satellites written as OMM and read back as a constellation of element sets."""

import io
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from sgp4 import omm as reference
from sgp4.api import Satrec

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


def test_sgp4_reads_what_is_written(run, tmp_path):
    """Its own reader of each format, whole states alike."""
    text = {ending: omm(run(), ending) for ending in FORMATS}
    rows = {
        ".csv": reference.parse_csv(io.StringIO(text[".csv"])),
        ".xml": reference.parse_xml(io.StringIO(text[".xml"])),
        ".json": json.loads(text[".json"]),
    }
    states = {}
    for ending, messages in rows.items():
        found = []
        for fields in messages:
            satrec = Satrec()
            reference.initialize(satrec, fields)
            found.append(satrec.sgp4(2461119.5, 0.25)[1])
        states[ending] = np.array(found)
        assert len(found) == 48
    np.testing.assert_array_equal(states[".xml"], states[".csv"])
    np.testing.assert_array_equal(states[".xml"], states[".json"])


DATE = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?"
DECIMAL = r"-?\d+\.\d+"
SCHEMA = {
    "header": [("CREATION_DATE", DATE), ("ORIGINATOR", r".+")],
    "metadata": [
        ("OBJECT_NAME", r".+"), ("OBJECT_ID", r"UNKNOWN|\d{4}-\d{3}[A-Z]+"),
        ("CENTER_NAME", "EARTH"), ("REF_FRAME", "TEME"), ("TIME_SYSTEM", "UTC"),
        ("MEAN_ELEMENT_THEORY", "SGP4"),
    ],
    "meanElements": [
        ("EPOCH", DATE), ("MEAN_MOTION", DECIMAL), ("ECCENTRICITY", DECIMAL),
        ("INCLINATION", DECIMAL), ("RA_OF_ASC_NODE", DECIMAL), ("ARG_OF_PERICENTER", DECIMAL),
        ("MEAN_ANOMALY", DECIMAL),
    ],
    "tleParameters": [
        ("EPHEMERIS_TYPE", r"\d"), ("CLASSIFICATION_TYPE", "U"), ("NORAD_CAT_ID", r"\d{5}"),
        ("ELEMENT_SET_NO", r"\d{1,4}"), ("REV_AT_EPOCH", r"\d+"), ("BSTAR", DECIMAL),
        ("MEAN_MOTION_DOT", DECIMAL), ("MEAN_MOTION_DDOT", DECIMAL),
    ],
}  # fmt: skip
"""Elements in the order of ndmxml-3.0.0 (CCSDS 505.0-B-3), none optional, and their types."""


@pytest.mark.parametrize("phasing", [0, 1])
def test_xml_is_what_the_schema_asks_for(run, phasing):
    root = ElementTree.fromstring(omm(run(f"constellation.phasing={phasing}"), ".xml"))
    assert root.tag == "ndm"
    for message in root:
        assert (message.tag, message.attrib) == ("omm", {"id": "CCSDS_OMM_VERS", "version": "3.0"})
        assert [part.tag for part in message] == ["header", "body"]
        [segment] = message.find("body")
        assert [part.tag for part in segment] == ["metadata", "data"]
        assert [part.tag for part in segment.find("data")] == ["meanElements", "tleParameters"]
        for part, fields in SCHEMA.items():
            found = [(e.tag, e.text) for e in next(message.iter(part))]
            assert [tag for tag, _ in found] == [name for name, _ in fields]
            for (tag, text), (_, pattern) in zip(found, fields, strict=True):
                assert re.fullmatch(pattern, text), (tag, text)


def test_element_sets_are_not_written_again(run, tmp_path):
    done = run('constellation={kind="tle", tle="oneweb.tle"}')
    with pytest.raises(InputError, match=r"came from oneweb\.tle"):
        omm(done, ".csv")
