"""The closed loop: a plant that serves, a mirror that advises, and commands between them."""

import hashlib
import json
import shutil
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from placement.problem import Placement
from twin.errors import StopSignal
from twin.live import command, fields, journal, sources
from twin.live.act import Adviser, Asked, ToFile
from twin.live.advice import choices
from twin.live.afterwards import outcomes
from twin.live.command import Command
from twin.live.plant.commands import OfFile
from twin.live.plant.emit import lines
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.service import COLUMNS, Service, summary
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror, resume
from twin.live.state import Options
from twin.runs import checkpoints
from twin.runs.tables import TABLES
from twin.scenario import loader

STEPS = 300
EVERY = 100
CHANGES = {
    "simulation.orbits": None,
    "simulation.step_s": 60.0,
    "simulation.steps": STEPS,
    "bus.battery_wh": 150.0,  # hosts with the smaller batteries lose power in shadow
    "workload.tokens_per_step": 16,
}


@pytest.fixture(scope="module")
def short_of_power():
    return loader.load("small", CHANGES)


def flown(scenario, commands=tuple, seed=3):
    """Return a flight that serves, and its lines."""
    flight = Flight(scenario, spread=Spread(), anomalies=Anomalies(), seed=seed)
    flight.service = Service(flight, seed=seed, commands=commands)
    telemetry = Telemetry(flight, seed=seed)
    return flight, (line.encode() + b"\n" for _, line in lines(flight, telemetry))


@pytest.fixture(scope="module")
def nothing_done(short_of_power):
    flight, said = flown(short_of_power)
    return flight, [json.loads(line) for line in said]


@pytest.fixture(scope="module")
def loop(short_of_power, tmp_path_factory):
    """The loop, closed once: plant, its lines, the mirror's run and the file of commands."""
    folder = tmp_path_factory.mktemp("loop")
    file, kept = folder / "commands.jsonl", []
    flight, said = flown(short_of_power, OfFile(file))

    def keeping(skip):
        for line in said:
            kept.append(line)
            yield line

    asked = Asked(every=EVERY, wanted=choices(["energy-aware"]), orbits=1.0, members=4)
    with Adviser(asked, ToFile(file)) as adviser:
        run = mirror(short_of_power, keeping, runs_dir=folder, options=Options(watch=adviser.watch))
    return flight, kept, run, file


def of_controller(said):
    return [m for m in said if "controller" in m]


def planned(said):
    return [m for m in of_controller(said) if "tokens_asked" not in m]


def share(flight):
    found = summary(flight.service.counts)
    return found["served"] / found["asked"]


def tables(run):
    files = [run.path / f"{name}.parquet" for name in TABLES]
    files += sorted((run.path / "live").glob("*.parquet"))
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_every_token_is_served_lost_or_waits(nothing_done):
    flight, _ = nothing_done
    counts = np.array(flight.service.counts)
    assert counts.shape == (STEPS, len(COLUMNS))
    asked, served, *lost = counts.sum(axis=0)
    waiting = len(flight.service.tokens.state.tries)
    assert asked == STEPS * CHANGES["workload.tokens_per_step"] == served + sum(lost) + waiting
    assert 0 < sum(lost) < 0.2 * asked


def test_hosts_serve_as_long_as_the_plants_own_batteries_last(short_of_power):
    """Tokens are lost to dead hosts only in minutes that begin with a host without power."""
    flight, said = flown(short_of_power)
    minutes = []
    model = flight.service
    step = model.step

    def watched():
        hosting = model.fleet.hosting if model.controller.version >= 0 else np.zeros(1, bool)
        minutes.append(bool((hosting & ~flight.power.powered).any()))
        step()

    model.step = watched
    list(said)
    dead = np.array(model.counts)[:, COLUMNS.index("lost_dead")] > 0
    assert dead.any()
    assert not (dead & ~np.array(minutes)).any()


def test_a_satellite_without_power_says_so(nothing_done):
    _, said = nothing_done
    off = [m for m in said if m.get("faults") == [fields.NO_POWER]]
    assert len(off) > 20
    assert {(m["links_up"], m["compute_load"]) for m in off} == {(0, 0.0)}


def test_messages_and_commands_are_as_their_schemas_say(loop):
    _, kept, _, file = loop
    of_telemetry = jsonschema.Draft202012Validator(fields.schema())
    said = [json.loads(line) for line in kept]
    for m in [*of_controller(said)[:200], *said[:100]]:
        of_telemetry.validate(m)
    sent = [json.loads(line) for line in file.read_text().splitlines()]
    assert sent
    for m in sent:
        jsonschema.validate(m, command.schema())


def test_the_plant_carries_commands_out_when_they_arrive(loop):
    flight, kept, run, file = loop
    sent = [json.loads(line) for line in file.read_text().splitlines()]
    start, *answers = planned(json.loads(line) for line in kept)
    assert "command" not in start
    assert [m["command"] for m in answers] == [m["command"] for m in sent]
    assert [m["placement"] for m in answers] == [m["placement"] for m in sent]
    # The mirror closes a step when the grace is over; the plant obeys in the next minute.
    for m, order in zip(answers, sent, strict=True):
        assert order["time_utc"][:16] < m["time_utc"] <= order["time_utc"][:14] + "59"
    assert flight.service.controller.plans == len(sent)
    events = run.table("events").to_pandas()
    told = events[(events["kind"] == "replan") & (events["cause"].astype(str) == "command")]
    assert len(told) == len(sent)


def test_advice_is_judged_by_the_same_plant_without_it(loop, nothing_done):
    """What acting won, on common random numbers, and what it was expected to win."""
    acted, (idle, _) = loop[0], nothing_done
    first = json.loads((loop[2].path / "live" / f"advice-{EVERY:08d}.json").read_text())
    assert first["commanded"] == EVERY
    expected = first["options"][0]["served"]
    counts = [np.array(flight.service.counts)[:, 1] for flight in (acted, idle)]
    np.testing.assert_array_equal(counts[0][:EVERY], counts[1][:EVERY])
    horizon = slice(EVERY, first["step"] + first["steps"])
    each = CHANGES["workload.tokens_per_step"]
    won = (counts[0][horizon] - counts[1][horizon]).mean() / each
    assert won > 0.01
    assert expected["mean"] > expected["half"]
    assert share(acted) > share(idle) + 0.02


def test_advice_of_a_run_is_judged_by_what_the_plant_said(loop):
    """By the tokens that it counted, up to where the next command is carried out."""
    flight, _, run, file = loop
    sent = [json.loads(line)["command"] for line in file.read_text().splitlines()]
    found = outcomes(run.path)
    assert [one.step for one in found] == [EVERY, 2 * EVERY]
    assert [one.step for one in found if one.adopted] == sent
    first = found[0]
    counts = np.array(flight.service.counts)[first.step : first.until, :2].sum(axis=0)
    assert first.served == pytest.approx(counts[1] / counts[0])
    made = json.loads((run.path / "live" / f"advice-{EVERY:08d}.json").read_text())
    still, done = (np.array(made["foretold"][name]) for name in ("nothing", "energy-aware"))
    assert (done - still).mean() == pytest.approx(made["options"][0]["served"]["mean"], abs=1e-4)
    assert first.gain.mean > first.gain.half
    assert first.won > 0.0
    assert first.nothing.half > first.gain.half or first.nothing.mean < first.served


def test_advice_that_was_refused_or_not_sent_says_so(loop, tmp_path):
    """The same advice beside a controller that answers otherwise, or not at all."""
    _, kept, run, file = loop
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    number = json.loads(file.read_text().splitlines()[0])["command"]
    answered = f'"command":{number}'.encode()
    log = folder / journal.NAME
    lines = [line for line in log.read_bytes().splitlines(True) if answered not in line]
    log.write_bytes(b"".join(lines))
    assert outcomes(folder)[0].done == "sent, without an answer"
    said = json.loads(kept[0])
    refusal = {
        "time_utc": said["time_utc"], "controller": "ground", "command": number,
        "refusal": "too many",
    }  # fmt: skip
    log.write_bytes(b"".join(lines) + b"1.0\t" + json.dumps(refusal).encode() + b"\n")
    first = outcomes(folder)[0]
    assert first.done == "refused: too many"
    assert not first.adopted
    assert first.foretold == first.nothing


def test_the_mirror_serves_as_the_plant_does(loop):
    """By its own estimates, and tokens of its own, on the placement that the plant reports."""
    flight, _, run, _ = loop
    steps = run.table("steps").to_pandas()
    assert steps["tokens_served"].sum() / steps["tokens_asked"].sum() == pytest.approx(
        share(flight), abs=0.02
    )
    assert steps["placement"].max() == flight.service.controller.version


def test_the_log_replays_to_the_same_bytes_and_sends_nothing(loop, short_of_power, tmp_path):
    log = str(loop[2].path / journal.NAME)
    again = mirror(short_of_power, lambda skip: sources.lines(log, skip=skip), runs_dir=tmp_path)
    assert tables(again) == tables(loop[2])


def test_an_interrupted_mirror_acts_once(loop, short_of_power, tmp_path, monkeypatch):
    """It goes on to the same bytes; what is read again from its log is not acted on again."""
    monkeypatch.setattr(checkpoints, "WORTH", 0)
    _, kept, run, file = loop
    asked = Asked(every=EVERY, wanted=choices(["energy-aware"]), orbits=1.0, members=4)
    at = next(k for k, line in enumerate(kept) if b'"command":' in line) + 30

    def cut(skip):
        yield from kept[skip:at]
        raise StopSignal(15)

    sent = tmp_path / "sent.jsonl"
    with Adviser(asked, ToFile(sent)) as adviser, pytest.raises(StopSignal):
        mirror(short_of_power, cut, runs_dir=tmp_path, options=Options(watch=adviser.watch))
    (partial,) = tmp_path.glob("*.partial")
    with Adviser(asked, ToFile(sent)) as adviser:
        again = resume(
            partial, lambda skip: iter(kept[skip:]), options=Options(watch=adviser.watch)
        )
    assert tables(again) == tables(run)
    assert sent.read_text() == file.read_text()


def test_advice_is_made_again_that_a_kill_cut_off(loop, short_of_power, tmp_path):
    """The line that it was due after is in the log by then, and would not come again."""
    kept, run, file = loop[1][: 49 * 120], *loop[2:]
    asked = Asked(every=EVERY, wanted=choices(["energy-aware"]), orbits=1.0, members=4)

    def killed(line):
        raise StopSignal(15)

    with Adviser(asked, killed) as adviser, pytest.raises(StopSignal):
        mirror(
            short_of_power, lambda skip: iter(kept), runs_dir=tmp_path,
            options=Options(watch=adviser.watch),
        )  # fmt: skip
    (partial,) = tmp_path.glob("*.partial")
    sent = tmp_path / "sent.jsonl"
    with Adviser(asked, ToFile(sent)) as adviser:
        again = resume(
            partial, lambda skip: iter(kept[skip:]), options=Options(watch=adviser.watch)
        )
    assert file.read_text().startswith(sent.read_text())
    (name,) = (file.name for file in (again.path / "live").glob("advice-*.json"))
    assert (again.path / "live" / name).read_text() == (run.path / "live" / name).read_text()


def test_a_command_that_cannot_be_sent_does_not_stop_the_mirror(loop, short_of_power, tmp_path):
    asked = Asked(every=EVERY, wanted=choices(["energy-aware"]), orbits=1.0, members=4)
    with Adviser(asked, ToFile(tmp_path / "no" / "where")) as adviser:
        mirror(
            short_of_power, lambda skip: loop[1][: 48 * 140], runs_dir=tmp_path,
            options=Options(watch=adviser.watch),
        )  # fmt: skip
    assert adviser.remarks[0] == "advice: 1 made, 0 sent as commands, 0 left out"
    assert "cannot be written: No such file" in adviser.remarks[1]


def test_the_plant_refuses_what_it_cannot_do_and_goes_on(short_of_power):
    scenario = short_of_power.model_copy(
        update={"simulation": short_of_power.simulation.model_copy(update={"steps": 20})}
    )
    flight, _ = flown(scenario)
    names = flight.body.names
    many = Placement(gateway=np.zeros(8, np.int32), expert=np.zeros((8, 4), np.int32))
    few = Placement(gateway=np.zeros(7, np.int32), expert=np.zeros((7, 4), np.int32))
    sent = [
        command.write(Command(number=n, time_utc="", strategy="", placement=p), names).encode()
        for n, p in ((2, few), (2, many), (1, many))
    ]
    due = iter([[], [b"nonsense", sent[0]], sent[1:], *[[]] * 30])
    flight, said = flown(scenario, lambda: next(due))
    answers = planned(json.loads(line) for line in said)
    assert [m.get("refusal", "") for m in answers] == [
        "", "no JSON", "placement: must have as many layers as the one in force",
    ]  # fmt: skip
    assert flight.service.controller.plans == 0


def test_a_command_may_name_hosts_that_the_last_plan_had_to_do_without(short_of_power):
    """They were too low then; what counts is the memory that they have."""
    scenario = short_of_power.model_copy(
        update={"simulation": short_of_power.simulation.model_copy(update={"steps": 20})}
    )
    wanted = Placement(
        gateway=np.arange(8, dtype=np.int32), expert=np.arange(8, 40, dtype=np.int32).reshape(8, 4)
    )

    def due():
        if len(flight.service.counts) != 5:
            return []
        controller = flight.service.controller
        controller.problem = replace(controller.problem, memory_bytes=np.zeros(48))
        order = Command(number=1, time_utc="", strategy="", placement=wanted)
        return [command.write(order, flight.body.names).encode()]

    flight, said = flown(scenario, due)
    assert [m.get("refusal") for m in planned(json.loads(line) for line in said)] == [None, None]
    assert flight.service.controller.wanted == wanted
