"""The command that emits telemetry: of a plant with hidden differences, or of a run."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.options import RunsOption, SeedOption, SetOption, output
from twin.errors import InputError
from twin.runs import outputs

if TYPE_CHECKING:
    from twin.live.plant.flight import Flight
    from twin.live.spool import Spool

    type Write = Callable[[Iterable[str], Spool], object]

ToOption = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="FILE|-|mqtt://HOST",
        help="Where messages go; mqtts://USER@HOST:PORT/TOPIC.",
    ),
]
CaOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Certificates that a broker's is checked against."),
]


def emit(
    what: Annotated[str, typer.Argument(help="A scenario, or a run to be played back.")],
    to: ToOption = "-",
    speed: Annotated[
        float | None,
        typer.Option(min=1e-3, help="Seconds of flight in one of yours; default: at once."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Keep the truth, for judging.", callback=output),
    ] = None,
    plant: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Hidden differences, sensors, anomalies."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Let it serve the scenario's tokens, minute by minute.")
    ] = False,
    commands: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|mqtt://HOST",
            help="Where commands of 'twin live --act' come from; it serves.",
        ),
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep what a broker has not acknowledged; the same command goes on with it.",
        ),
    ] = None,
    ca_file: CaOption = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Fly a constellation with hidden differences, or play a run back, as telemetry."""
    from twin.live.plant.settings import settings

    spread, anomalies = settings(plant or ())
    write = _writer(to, ca_file)
    if spool is not None and not _is_broker(to):
        raise InputError(f"--spool {spool}: is for what goes to a broker, --to mqtt://HOST")
    if _is_run(what, runs_dir):
        if truth is not None or plant or overrides or serve or commands:
            raise InputError(
                "twin emit RUN: takes no --truth, --plant, --serve, --commands or --set"
            )
        _play_back(what, runs_dir, spool, write, speed)
        return
    from dataclasses import asdict

    from twin.live.plant.emit import Truth, lines, paced
    from twin.live.plant.flight import Flight
    from twin.live.plant.telemetry import Telemetry
    from twin.plugins.choices import load_scenario
    from twin.scenario.loader import scenario_hash

    chosen = load_scenario(what, overrides or [])
    number = 0 if seed is None else seed
    about = {"scenario": scenario_hash(chosen), "seed": number, "serves": serve or bool(commands)}
    kept = _spool(spool, about | asdict(spread) | asdict(anomalies))
    flight = Flight(chosen, spread=spread, anomalies=anomalies, seed=number)
    if serve or commands:
        from twin.live.plant.service import Service

        asked = _commands(commands, ca_file, spool)
        flight.service = Service(flight, seed=number, commands=asked)
    telemetry, true = Telemetry(flight, seed=number), None if truth is None else Truth(flight)
    write(paced(lines(flight, telemetry, true), speed, skip=kept.following), kept)
    if truth is not None and true is not None:
        true.write(truth, telemetry)
    if flight.service is not None:
        sys.stderr.write(_served(flight) + "\n")


def _play_back(
    what: str, runs_dir: Path, spool: Path | None, write: "Write", speed: float | None
) -> None:
    from twin.cli.look import run_folder
    from twin.live.plant import replay
    from twin.live.plant.emit import paced
    from twin.runs.store import open_run

    run = open_run(run_folder(what, runs_dir))
    kept = _spool(spool, {"run": run.manifest["run_id"]})
    write(paced(replay.lines(run), speed, skip=kept.following), kept)


def _spool(folder: Path | None, about: dict[str, Any]) -> "Spool":
    """Return where lines are kept that a broker may not have, and how many there were before."""
    from twin.live import spool

    return spool.Spool() if folder is None else spool.Kept(folder, about)


def _commands(
    source: str | None, ca_file: Path | None, spool: Path | None
) -> "Callable[[], Iterable[bytes]]":
    from twin.live import mqtt
    from twin.live.plant.commands import Noted, OfFile

    if source is None:
        return tuple
    if mqtt.is_address(source):
        where = mqtt.broker(source, client_id="twin-plant", ca_file=ca_file, topic=mqtt.COMMANDS)
        orders = mqtt.Subscription(where)
        return Noted(orders.come, spool, orders.acknowledge)
    if Path(source).is_dir():
        raise InputError(f"--commands {source}: is a folder; give a file, which may come later")
    return Noted(OfFile(Path(source)), spool)


def _served(flight: "Flight") -> str:
    """What became of the tokens."""
    from twin.live.plant.service import summary
    from twin.vocabulary import CAUSES, lost_column

    assert flight.service is not None
    found = summary(flight.service.counts)
    asked, served = found["asked"], found["served"]
    lost = [f"{found[lost_column(c)]:,} {c.word}" for c in CAUSES if found[lost_column(c)]]
    why = f"; lost: {', '.join(lost)}" if lost else ""
    return f"served {100 * served / max(asked, 1):.2f} % of {asked:,} tokens followed{why}"


def _is_run(what: str, runs_dir: Path) -> bool:
    return (Path(what) / "manifest.json").is_file() or (runs_dir / what / "manifest.json").is_file()


def _is_broker(to: str) -> bool:
    from twin.live import mqtt

    return mqtt.is_address(to)


def _writer(to: str, ca_file: Path | None) -> "Write":
    """Return what writes lines to a target, which is looked at before anything is flown."""
    from twin.live import mqtt
    from twin.live.publish import publish

    if mqtt.is_address(to):
        where = mqtt.broker(to, client_id=f"twin-emit-{os.getpid()}", ca_file=ca_file)
        return lambda lines, spool: publish(where, lines, spool=spool)
    if to == "-":
        return lambda lines, spool: _print(lines)  # noqa: ARG005
    outputs.check("--to", Path(to))
    return lambda lines, spool: _write(Path(to), lines)  # noqa: ARG005


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _write(to: Path, lines: Iterable[str]) -> None:
    with to.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
