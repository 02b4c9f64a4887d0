"""Archives of others, folders of element sets and files that grow, as messages."""

import json
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sgp4.api import Satrec

from twin.errors import InputError
from twin.live import orbits, sources
from twin.live.fields import COMPUTE, CURRENT, LINKS, SOC, TEMPERATURE, VOLTAGE
from twin.live.message import Reader
from twin.live.names import names_of
from twin.scenario import loader
from twin.space import constellation
from twin.space.frames import teme_to_gcrs
from twin.space.messages import messages
from twin.space.propagation import propagate
from twin.vocabulary.live import Remark

ARCHIVES = Path(__file__).with_name("archives")
CSV = """frame,unix_ms,batt_pct,vbat_mv,ibat_ma,t_board_k,comment
7,1773964860000,81.5,15800,-420,288.15,nominal
8,1773964920000,,15900,380,289.15,no charge reading
9,noon,80,15700,410,289.65,clock lost
10,1773965040000,780,15700,x,290.15,two bad values
"""


@pytest.fixture(scope="module")
def small():
    return loader.load("small", {"simulation.start_utc": "2026-03-20T00:00:00Z"})


def reader(scenario):
    names = names_of(scenario)
    return Reader(names.satellites, names.sites, names.epoch_utc)


def test_a_csv_archive(small, tmp_path):
    file = tmp_path / "hk.csv"
    file.write_text(CSV)
    lines = list(sources.lines(str(file), mapping=ARCHIVES / "cubesat.toml"))
    mine = reader(small)
    first, second, third, fourth = map(mine.read, lines)
    assert (first.row, first.t_s, first.sequence) == (3, 60.0, 7)
    values = [first.values[k] for k in (SOC, VOLTAGE, CURRENT, TEMPERATURE)]
    assert values == pytest.approx([0.815, 15.8, 0.42, 15.0])
    assert np.isnan(second.values[SOC])
    assert second.values[CURRENT] == pytest.approx(-0.38)
    assert third is None
    assert np.isnan(fourth.values[SOC])
    assert np.isnan(fourth.values[CURRENT])
    counts = mine.counts.of
    assert (counts[Remark.NO_TIME], counts[Remark.IMPOSSIBLE], counts[Remark.WRONG_TYPE]) == (
        1,
        1,
        1,
    )


def test_a_parquet_archive(small, tmp_path):
    file = tmp_path / "fleet.parquet"
    table = {
        "spacecraft": ["SC-101", "SC-102", "SC-999"],
        "received": ["20.03.2026 00:02:00"] * 3,
        "state_of_charge": pa.array([0.5, None, 0.7], pa.float32()),
        "isl_count": pa.array([4, 3, 2], pa.int8()),
        "cpu_pct": [55.0, 10.0, 0.0],
        "not_ours": [1, 2, 3],
    }
    pq.write_table(pa.table(table), file)
    mine = reader(small)
    found = [mine.read(line) for line in sources.lines(str(file), mapping=ARCHIVES / "fleet.toml")]
    assert [m and m.row for m in found] == [0, 1, None]
    assert [m.values[LINKS] for m in found[:2]] == [4.0, 3.0]
    assert found[0].values[COMPUTE] == pytest.approx(0.55)
    assert found[0].t_s == 120.0
    assert np.isnan(found[1].values[SOC])
    assert mine.counts.of[Remark.UNKNOWN_SENDER] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[archive", "m.toml: "),
        ("[archive]\ntime='t'\n[fields]", "archive: Value error, give satellite"),
        ("[archive]\nname='A'\ntime='t'\n[fields]\nspeed={column='v'}", "fields.speed: unknown"),
        ("[archive]\nname='A'\ntime='t'\n[fields]\nsoc={scale=2}", "fields.soc.column: Field"),
        (
            "[archive]\nname='A'\ntime='t'\n[fields]\nsoc={column='q'}",
            "no column 't'; it has: a, b",
        ),
    ],
)
def test_a_wrong_map_is_refused(text, said, tmp_path):
    (tmp_path / "m.toml").write_text(text)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=said.replace("[", r"\[")):
        list(sources.lines(str(tmp_path / "a.csv"), mapping=tmp_path / "m.toml"))


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(InputError, match="no Parquet file"):
        list(sources.lines(str(tmp_path / "a.parquet"), mapping=ARCHIVES / "fleet.toml"))


def test_a_folder_of_element_sets_grows(small, tmp_path):
    body = constellation.build(small)
    sets = messages(body)
    (tmp_path / "first.json").write_text(json.dumps(sets[:10]))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "notes.md").write_text("nothing")
    mine, found = reader(small), []
    come = sources.lines(str(tmp_path), follow=True)
    while len(found) < 11:
        found.append(mine.read(next(come)))
        if len(found) == 5:
            (tmp_path / "later.json").write_text(json.dumps(sets[10:20]))
    good = [m for m in found if m is not None]
    assert [m.row for m in good[:10]] == list(range(10))
    assert mine.counts.of[Remark.NO_SENDER] == 1  # of the file that is broken
    numbers = orbits.numbers_of(good[0].tle)
    assert numbers[7] == pytest.approx(sets[0]["MEAN_MOTION"] * 2 * np.pi / 1440, rel=1e-9)
    come.close()


def test_positions_in_a_folder_become_element_sets(small, tmp_path):
    body = constellation.build(small)
    t_s = 60.0 * np.arange(8)
    r_km, v_km_s = propagate(body, "cowell-j2", t_s)
    lines = ["CCSDS_OEM_VERS = 2.0", "CREATION_DATE = 2026-079T00:00:00"]
    for i in (3, 4):
        lines += ["META_START", f"OBJECT_NAME = {body.names[i]}", f"OBJECT_ID = 2026-00{i}A"]
        lines += ["CENTER_NAME = EARTH", "REF_FRAME = GCRF", "TIME_SYSTEM = UTC"]
        ends = "START_TIME = 2026-03-20T00:00:00", "STOP_TIME = 2026-03-20T00:07:00"
        lines += [*ends, "META_STOP"]
        for k in range(len(t_s)):
            state = (0.2 if i == 4 else 1.0) * np.concatenate([r_km[k, i], v_km_s[k, i]])
            lines.append(f"2026-03-20T00:0{k}:00 " + " ".join(f"{x:.9f}" for x in state))
    (tmp_path / "tracks.oem").write_text("\n".join(lines))
    mine = reader(small)
    first, second = map(mine.read, sources.lines(str(tmp_path)))
    assert (first.row, first.t_s) == (3, 0.0)
    made = Satrec.twoline2rv(*first.tle)
    _, teme_km, _ = made.sgp4(made.jdsatepoch, made.jdsatepochF + 420 / 86400)
    at_km = teme_to_gcrs(small.simulation.start_utc, np.array([420.0]))[0] @ teme_km
    assert np.linalg.norm(at_km - r_km[7, 3]) < 1.0
    assert second is None
    assert mine.counts.of[Remark.NO_SENDER] == 1  # what is no orbit


def test_a_file_that_grows_is_followed(tmp_path):
    file = tmp_path / "said.jsonl"
    file.write_bytes(b"one\ntw")
    come = sources.lines(str(file), follow=True)
    assert next(come) == b"one\n"

    def write():
        with file.open("ab") as out:
            out.write(b"o\nthree\n")

    timer = threading.Timer(0.3, write)
    timer.start()
    assert [next(come), next(come)] == [b"two\n", b"three\n"]
    timer.join()
    assert list(sources.lines(str(file), skip=1)) == [b"two\n", b"three\n"]
