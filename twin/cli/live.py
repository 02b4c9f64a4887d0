"""Commands of the live twin: a plant that emits telemetry, and the mirror that follows it."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.options import (
    JsonOption,
    PluginOption,
    RunsOption,
    SeedOption,
    SetOption,
    output,
    with_seed,
)
from twin.errors import InputError
from twin.runs import outputs

if TYPE_CHECKING:
    from twin.cli.console import Console
    from twin.runs.store import Run

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
    ca_file: CaOption = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Fly a constellation with hidden differences, or play a run back, as telemetry."""
    from twin.live.plant.emit import paced
    from twin.live.plant.settings import settings

    spread_anomalies = settings(plant or ())
    write = _writer(to, ca_file)
    if _is_run(what, runs_dir):
        from twin.cli.look import run_folder
        from twin.live.plant import replay
        from twin.runs.store import open_run

        if truth is not None or plant or overrides:
            raise InputError("twin emit RUN: takes no --truth, --plant or --set")
        write(paced(replay.lines(open_run(run_folder(what, runs_dir))), speed))
        return
    from twin.live.plant.emit import Truth, lines
    from twin.live.plant.flight import Flight
    from twin.live.plant.telemetry import Telemetry
    from twin.plugins.choices import load_scenario

    spread, anomalies = spread_anomalies
    chosen = load_scenario(what, overrides or [])
    number = 0 if seed is None else seed
    flight = Flight(chosen, spread=spread, anomalies=anomalies, seed=number)
    telemetry, kept = Telemetry(flight, seed=number), None if truth is None else Truth(flight)
    write(paced(lines(flight, telemetry, kept), speed))
    if truth is not None and kept is not None:
        kept.write(truth, telemetry)


def _is_run(what: str, runs_dir: Path) -> bool:
    return (Path(what) / "manifest.json").is_file() or (runs_dir / what / "manifest.json").is_file()


def _writer(to: str, ca_file: Path | None) -> Callable[[Iterable[str]], object]:
    """Return what writes lines to a target, which is looked at before anything is flown."""
    from twin.live import mqtt

    if mqtt.is_address(to):
        where = mqtt.broker(to, client_id=f"twin-emit-{os.getpid()}", ca_file=ca_file)
        return partial(mqtt.publish, where)
    if to == "-":
        return _print
    outputs.check("--to", Path(to))
    return partial(_write, Path(to))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _write(to: Path, lines: Iterable[str]) -> None:
    with to.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def live(
    scenario: Annotated[str | None, typer.Argument(help="A preset's name or a TOML file.")] = None,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="A file of messages, '-', mqtt://HOST, or a folder of element sets.",
        ),
    ] = "-",
    mapping: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="How an archive's fields become ours."),
    ] = None,
    follow: Annotated[
        bool, typer.Option(help="The file or folder grows: wait for more at its end.")
    ] = False,
    grace_s: Annotated[float, typer.Option(min=0, help="How late a message may come, s.")] = 30.0,
    idle_s: Annotated[
        float | None, typer.Option(min=0, help="End after so long without a message by MQTT, s.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="Names the session that a broker keeps for this twin.")
    ] = None,
    ca_file: CaOption = None,
    resume: Annotated[
        Path | None, typer.Option(help="An interrupted live run's folder: go on with it.")
    ] = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    plugins: PluginOption = None,
    json_file: JsonOption = None,
    runs_dir: RunsOption = Path("runs"),
) -> None:
    """Mirror a constellation from its telemetry; keep it below runs/ as a live run."""
    from twin.cli.console import Console, progress_bar
    from twin.plugins import load_plugins
    from twin.plugins.choices import load_scenario

    console = Console(json_file)
    if (scenario is None) == (resume is None):
        raise InputError("twin live: give a scenario, or --resume FOLDER")
    if resume is not None and (overrides or seed is not None):
        raise InputError("--resume: takes no --set or --seed, the run keeps its scenario")
    load_plugins(plugins or ())
    chosen = None if scenario is None else load_scenario(scenario, with_seed(overrides, seed))
    with progress_bar("compiling on first use, then following") as progress:
        from twin.live import session
        from twin.live.sources import lines
        from twin.live.state import Options
        from twin.runs.store import interrupted_scenario

        asked = chosen if resume is None else interrupted_scenario(resume)[1]
        assert asked is not None

        from twin.live import mqtt

        session_id = client_id or f"twin-live-{asked.name}"
        broker = None
        if mqtt.is_address(source):
            broker = mqtt.broker(source, client_id=session_id, ca_file=ca_file)

        def come(skip: int) -> Iterable[bytes]:
            if broker is not None:
                return mqtt.Subscription(broker, idle_s=idle_s)
            return lines(source, follow=follow, skip=skip, mapping=mapping)

        options = Options(grace_s=grace_s, progress=progress)
        if resume is not None:
            done = session.resume(resume, come, options=options)
        else:
            done = session.mirror(asked, come, runs_dir=runs_dir, options=options)
    _show(console, done)


def _show(console: "Console", done: "Run") -> None:
    from twin.vocabulary.live import AlarmKind, Remark

    found = done.manifest["conclusion"]["live"]
    messages = {Remark(word): count for word, count in found["messages"].items() if count}
    console.table(
        "messages",
        ["what", "how many", ""],
        [[w, f"{n:,}", w.sentence] for w, n in messages.items()],
    )
    alarms = {AlarmKind(word): count for word, count in found["alarms"].items()}
    console.table(
        "alarms", ["kind", "how many", ""], [[w, f"{n:,}", w.sentence] for w, n in alarms.items()]
    )
    console.say(f"kept in {done.path}")
    console.json(found | {"path": str(done.path)})
    console.end()
