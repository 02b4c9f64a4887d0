"""Ten thousand lines that somebody broke: all are counted, and the mirror goes on."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from brokers import MOSQUITTO, Running
from twin.errors import InputError
from twin.live import command, journal, sources
from twin.live.fields import CONTROLLER, LONGEST_BYTES
from twin.live.intake import Intake
from twin.live.message import Reader
from twin.live.mqtt import Broker, Subscription, new_client
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.service import Service
from twin.live.session import mirror
from twin.scenario import loader
from twin.vocabulary.live import Remark

LINES = 10_000
CHANGES = {
    "simulation.orbits": None, "simulation.step_s": 60.0, "bus.battery_wh": 450.0,
    "workload.tokens_per_step": 4,
}  # fmt: skip
NAMES = [f"P{p}S{s}" for p in range(6) for s in range(8)]
SITES = ["Tokyo", "Delhi"]
LAYERS, EXPERTS = 8, 4
PLACEMENT = {
    "gateways": [[name] for name in NAMES[:LAYERS]],
    "experts": [[[name] for name in NAMES[EXPERTS * k : EXPERTS * (k + 1)]] for k in range(LAYERS)],
}
TLE = [
    "1 25544U 98067A   26079.50000000  .00016717  00000-0  10270-3 0  9009",
    "2 25544  51.6400 208.9163 0006317  69.9862  25.2906 15.49560532    19",
]
HEAD = {"version": 1, "time_utc": "2026-03-20T00:01:00Z"}
SATELLITE = HEAD | {
    "satellite": "P0S0", "sequence": 3, "soc": 0.5, "bus_voltage_v": 28.0,
    "battery_current_a": -3.0, "temperature_c": 20.0, "sunlit": 0.0, "compute_load": 0.3,
    "links_up": 4, "queue": 1, "links_down": {"P0S1": "outage"}, "faults": [],
    "position_km": [7000.0, 0.0, 0.0], "tle": TLE,
}  # fmt: skip
SITE = HEAD | {"site": "Tokyo", "requests_seen": 40, "hand_overs": 1}
OF_CONTROLLER = HEAD | {"controller": CONTROLLER, "placement": PLACEMENT, "command": 3}
COMMAND = {
    "version": 1, "time_utc": "2026-03-20T00:01:00Z", "command": 3, "strategy": "x",
    "placement": PLACEMENT,
}  # fmt: skip
OTHERS = [
    b'{"device":"boiler-3","temp":61.2,"ts":1700000000}',
    b"<omm><body/></omm>",
    TLE[0].encode(),
    b"temperature,humidity\n21,40",
    b"\x00\x01\x02\x03",
    b"",
    b" ",
]
"""What other people publish."""
WRONG = [
    None, True, "x", -1e300, 1e300, float("nan"), float("inf"), [], {}, [[1]], {"a": {"b": 1}},
    2**70, 10**400, -1, 1e-320, "P0S0", "\ud800", "9" * 300, ["P0S0"] * 70, [["P0S0"]],
]  # fmt: skip
DEEP = "as deep as it goes"


def broken(rng, goods=(SATELLITE, SITE, OF_CONTROLLER), minute=None):
    """One message that was right, and what is wrong with it now."""
    said = dict(goods[rng.integers(len(goods))])
    minute = rng.integers(60) if minute is None else minute
    said["time_utc"] = f"2026-03-20T00:{minute:02d}:{rng.integers(60):02d}Z"
    if "satellite" in said:
        said["satellite"] = NAMES[rng.integers(len(NAMES))]
        said["sequence"] = int(rng.integers(60))
    key = list(said)[rng.integers(len(said))]
    return BREAK[rng.integers(len(BREAK))](said, key, rng)


def flipped(said, key, rng):
    """Bytes of it are others."""
    text = bytearray(json.dumps(said).encode())
    for _ in range(rng.integers(1, 6)):
        text[rng.integers(len(text))] = rng.integers(256)
    return bytes(text)


def twice(said, key, rng):
    """A key is there twice, and first with a number that nothing can hold."""
    digits = b"9" * int(rng.integers(1, 6_000))
    return b'{"%s":%b,' % (key.encode(), digits) + json.dumps(said).encode()[1:]


def nested(said, key, rng):
    """Nothing but brackets."""
    depth = int(rng.integers(1, 30_000))
    return b'{"%s":' % key.encode() + b"[" * depth + b"]" * depth + b"}"


def rehosted(said, key, rng):
    """Its placement is as it should be, of hosts that nobody has looked at."""

    def some():
        return [NAMES[k] for k in rng.permutation(len(NAMES))[: rng.integers(1, 4)].tolist()]

    hosts = {"gateways": [some() for _ in range(LAYERS)]}
    hosts["experts"] = [[some() for _ in range(EXPERTS)] for _ in range(LAYERS)]
    return json.dumps(said | ({"placement": hosts} if "placement" in said else {})).encode()


def part(said, key, rng):
    """One part of it, however deep, is something else."""
    depth = int(rng.integers(100, 4_000))
    text = json.dumps(replaced(said, rng))
    return text.replace(f'"{DEEP}"', "[" * depth + "]" * depth).encode()


def replaced(value, rng):
    """Plain data of which one part is something else."""
    if isinstance(value, dict | list) and value and rng.random() < 0.8:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[rng.integers(len(keys))]
        out = value.copy()
        out[key] = replaced(value[key], rng)
        return out
    return DEEP if rng.random() < 0.1 else WRONG[rng.integers(len(WRONG))]


BAD_UTF8 = [b"\xff\xfe", b"\xed\xa0\x80", b"P\\u0000"]
BREAK = [
    lambda said, key, rng: bytes(rng.integers(0, 256, rng.integers(1, 400), dtype=np.uint8)),
    lambda said, key, rng: OTHERS[rng.integers(len(OTHERS))],
    lambda said, key, rng: json.dumps(said).encode()[: rng.integers(1, 80)],
    lambda said, key, rng: json.dumps(said | {"note": "x" * LONGEST_BYTES}).encode(),
    lambda said, key, rng: json.dumps(said | {key: WRONG[rng.integers(len(WRONG))]}).encode(),
    lambda said, key, rng: json.dumps(said).encode().replace(b"P0S", BAD_UTF8[rng.integers(3)]),
    flipped, twice, nested, part, part, rehosted,
]  # fmt: skip


DROPPED = [
    Remark.MALFORMED, Remark.OVERSIZED, Remark.NO_SENDER, Remark.UNKNOWN_SENDER,
    Remark.NO_TIME, Remark.OTHER_VERSION,
]  # fmt: skip
PLACED = [Remark.TAKEN, Remark.LATE, Remark.DOUBLED, Remark.AHEAD]


@pytest.mark.parametrize("seed", range(3))
def test_all_are_counted_and_nothing_raises(seed):
    rng = np.random.default_rng(seed)
    reader = Reader(NAMES, SITES, "2026-03-20T00:00:00Z")
    intake = Intake(len(NAMES), len(SITES) + 1, step_s=60.0, counts=reader.counts)
    read = 0
    for _ in range(LINES):
        found = reader.read(broken(rng))
        if found is not None:
            read += 1
            intake.take(found)
        while intake.ready():
            intake.close()
    counts = reader.counts.of
    assert sum(counts[remark] for remark in DROPPED) + read == LINES
    assert sum(counts[remark] for remark in PLACED) == read
    assert min(counts[remark] for remark in (*DROPPED, Remark.WRONG_TYPE, Remark.IMPOSSIBLE)) > 0


@pytest.fixture(scope="module")
def sited():
    return loader.load("small", CHANGES | {"simulation.steps": 60, "ground.users": "cities"})


def mixed(flown, seed, count=LINES):
    """Good messages of the first minutes, and broken ones of the same minutes between them."""
    rng = np.random.default_rng(seed)
    good = [line.strip() for line in flown[:2_500]]
    out = []
    for number in range(count):
        at = number * len(good) // count
        out.append(broken(rng, minute=52 * at // len(good)).replace(b"\n", b" "))
        out += good[at : (number + 1) * len(good) // count]
    return out, len(good)


def judged(run, lines, good):
    """Whether every line of the log is counted, and the good ones were used."""
    counts = run.manifest["conclusion"]["live"]["messages"]
    assert (run.path / journal.NAME).read_bytes().count(b"\n") == len(lines)
    assert sum(counts[remark] for remark in (*DROPPED, *PLACED)) == len(lines)
    assert counts[Remark.TAKEN] > 0.8 * good
    assert run.table("steps").num_rows > 30


def test_a_file_of_them(sited, flown, tmp_path):
    lines, good = mixed(flown[0], 1)
    lines = [line for line in lines if line.strip() and len(line) <= 2 * LONGEST_BYTES]
    (tmp_path / "said.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    file = str(tmp_path / "said.jsonl")
    run = mirror(sited, lambda skip: sources.lines(file, skip=skip), runs_dir=tmp_path)
    judged(run, lines, good)
    assert run.manifest["conclusion"]["live"]["messages"][Remark.BAD_ELEMENTS] > 0


@pytest.mark.skipif(
    MOSQUITTO is None and os.environ.get("CI") != "true", reason="mosquitto is not installed"
)
def test_a_broker_full_of_them(sited, flown, tmp_path):
    """They come on the topic, below it, and on others that are nobody's business."""
    lines, good = mixed(flown[0], 2, LINES // 5)
    (tmp_path / "broker").mkdir()
    running = Running(tmp_path / "broker")
    where = Broker(
        host="127.0.0.1", port=running.port, topic="t", user="", tls=False, ca_file=None,
        client_id="mirror",
    )  # fmt: skip
    source = Subscription(where, idle_s=2.0)
    client = new_client(replace(where, client_id="others"), keeps=False)
    try:
        client.connect("127.0.0.1", running.port)
        client.loop_start()
        for number, line in enumerate(lines):
            topic = "t" if number % 3 else "t/below/it"
            sent = client.publish(topic, line, qos=1)
            if number % 10 == 0:
                client.publish("home/boiler", line, qos=1)
            if number % 500 == 0:
                sent.wait_for_publish(30)
        run = mirror(sited, lambda skip: source, runs_dir=tmp_path / "runs")
        judged(run, lines, good)
        log = str(run.path / journal.NAME)
        again = mirror(sited, lambda skip: sources.lines(log), runs_dir=tmp_path / "again")
        for table in ("steps", "events"):
            assert again.table(table).equals(run.table(table))
        assert again.manifest["conclusion"] == run.manifest["conclusion"]
    finally:
        client.loop_stop()
        running.kill()


def test_broken_commands_are_refused():
    rows, rng = {name: row for row, name in enumerate(NAMES)}, np.random.default_rng(5)
    refused = []
    for _ in range(LINES // 5):
        try:
            found = command.read(broken(rng, (COMMAND,)), rows)
        except InputError as error:
            refused.append(str(error))
        else:
            assert found.number > 0
    assert len(refused) > LINES / 10
    assert max(map(len, refused)) < 300
    assert not any("\n" in said for said in refused)


def test_a_plant_refuses_broken_commands(tmp_path):
    """Those that can be read too, if no satellite could hold what they ask for."""
    rng, number = np.random.default_rng(6), iter(range(1, 10_000))
    weak = loader.load("small", CHANGES | {"simulation.steps": 10})
    flight = Flight(weak, spread=Spread(), anomalies=Anomalies(), seed=3)
    flight.service = Service(
        flight, seed=3,
        commands=lambda: [broken(rng, (COMMAND | {"command": next(number)},)) for _ in range(40)],
    )  # fmt: skip
    chunk = flight.begin()
    for minute in range(10):
        flight.advance(chunk, minute)
    said = flight.service.said
    refusals = [one["refusal"] for one in said if "refusal" in one]
    assert len(refusals) > 100
    assert len(set(refusals)) > 5
    assert sum("placement" in one for one in said) >= 1
