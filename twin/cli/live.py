"""The command of the live twin: the mirror that follows telemetry, and what it does about it."""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.ahead import (
    STRATEGIES,
    DispatchesOption,
    MembersOption,
    OrbitsOption,
    PoliciesOption,
    StrategiesOption,
)
from twin.cli.emit import CaOption
from twin.cli.options import (
    JsonOption,
    PluginOption,
    RunsOption,
    SeedOption,
    SetOption,
    split,
    with_seed,
)
from twin.errors import InputError
from twin.runs import outputs

if TYPE_CHECKING:
    from twin.cli.console import Console
    from twin.live.act import Asked, ToFile
    from twin.live.mirror import Step
    from twin.live.publish import Orders
    from twin.live.session import Session
    from twin.live.sources import Wanted
    from twin.live.state import Options
    from twin.runs.store import Run
    from twin.scenario.schema import Scenario


def live(
    scenario: Annotated[str | None, typer.Argument(help="A preset's name or a TOML file.")] = None,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="A file of messages, '-', mqtt://HOST, or a folder of TLE, OMM or OEM.",
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
    metrics: Annotated[
        str | None,
        typer.Option(metavar="PORT|HOST:PORT", help="Serve /metrics for Prometheus meanwhile."),
    ] = None,
    outlook_every: Annotated[
        int, typer.Option(min=0, help="Steps from one outlook to the next; 0: none.")
    ] = 0,
    forks: Annotated[
        int, typer.Option(min=0, max=1_000, help="Whole twins of an outlook, that serve tokens.")
    ] = 0,
    advise_every: Annotated[
        int, typer.Option(min=0, help="Steps from one advice to the next; 0: none.")
    ] = 0,
    strategies: StrategiesOption = STRATEGIES,
    policies: PoliciesOption = None,
    dispatches: DispatchesOption = None,
    orbits: OrbitsOption = 2.0,
    members: MembersOption = 6,
    act: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|mqtt://HOST", help="Where to send what is advised, as commands."
        ),
    ] = None,
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
    if act is not None and not advise_every:
        raise InputError("--act: needs --advise-every, how often to advise")
    if resume is not None and (overrides or seed is not None):
        raise InputError("--resume: takes no --set or --seed, the run keeps its scenario")
    load_plugins(plugins or ())
    chosen = None if scenario is None else load_scenario(scenario, with_seed(overrides, seed))
    with progress_bar("compiling on first use, then following") as progress:
        from twin.live.act import Asked
        from twin.live.advice import choices
        from twin.live.sources import Wanted
        from twin.live.state import Options

        name = _scenario_name(resume) if chosen is None else chosen.name
        wanted = Wanted(
            source=source,
            follow=follow,
            mapping=mapping,
            idle_s=idle_s,
            client_id=client_id or f"twin-live-{name}",
            ca_file=ca_file,
        )
        options = Options(grace_s=grace_s, progress=progress)
        begin = partial(_begin, chosen, resume, wanted.checked(), runs_dir)
        asked = Asked(
            every=advise_every,
            wanted=choices(split(strategies), split(policies), split(dispatches)),
            orbits=orbits,
            members=members,
            waits=not wanted.of_broker,
        )
        send, ahead = _sender(act, ca_file), (outlook_every, forks)
        done, remarks = _followed(begin, options, metrics, ahead, asked, send)
    _show(console, done, remarks)


def _scenario_name(resume: Path | None) -> str:
    """Name of an interrupted run's scenario: the broker keeps its session under it."""
    from twin.runs.store import interrupted_scenario

    assert resume is not None
    return interrupted_scenario(resume)[1].name


def _sender(act: str | None, ca_file: Path | None) -> "Orders | ToFile | None":
    """Return what sends commands."""
    from twin.live import mqtt
    from twin.live.act import ToFile
    from twin.live.publish import Orders

    if act is None:
        return None
    if mqtt.is_address(act):
        where = mqtt.broker(
            act, client_id=f"twin-act-{os.getpid()}", ca_file=ca_file, topic=mqtt.COMMANDS
        )
        return Orders(where)
    if not Path(act).exists():
        outputs.check("--act", Path(act))
    return ToFile(Path(act))


def _followed(
    begin: "Callable[[Options], Run]",
    options: "Options",
    metrics: str | None,
    outlooks: tuple[int, int],
    asked: "Asked",
    send: "Orders | ToFile | None",
) -> "tuple[Run, list[str]]":
    """Follow with what is shown, forecast and advised meanwhile; also remarks on the latter."""
    from twin.live.act import Adviser
    from twin.live.cadence import Outlooks
    from twin.live.forecast import MEMBERS
    from twin.live.metrics import Metrics, served
    from twin.live.publish import Orders

    adviser, orders = Adviser(asked, send), send if isinstance(send, Orders) else None
    shown = Metrics()
    every, forks = outlooks
    ahead = Outlooks(every, orbits=2.0, members=MEMBERS, priors=options.priors, forks=forks)

    def watch(session: "Session", step: "Step") -> None:
        shown.watch(session, step)
        ahead.watch(session, step)
        adviser.watch(session, step)

    with served(shown, metrics), ahead, orders or nullcontext(), adviser:
        done = begin(replace(options, watch=watch, finish=ahead.finish))
    remarks = [f"outlooks: {ahead.made} made, {ahead.left_out} left out"] if every else []
    return done, remarks + adviser.remarks + (orders.remarks if orders is not None else [])


def _begin(
    chosen: "Scenario | None",
    resume: Path | None,
    wanted: "Wanted",
    runs_dir: Path,
    options: "Options",
) -> "Run":
    from twin.live import session

    if chosen is not None:
        return session.mirror(chosen, wanted, runs_dir=runs_dir, options=options)
    from twin.plugins.loading import load_kept

    assert resume is not None
    load_kept(resume)
    return session.resume(resume, wanted, options=options)


def _show(console: "Console", done: "Run", remarks: Sequence[str]) -> None:
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
    seen, moved = found["sites"].values()
    if seen or moved:
        console.say(f"sites: {seen:,.0f} requests seen, {moved:,.0f} hand-overs")
    for remark in remarks:
        console.say(remark)
    console.say(f"kept in {done.path}")
    console.json(found | {"path": str(done.path)})
    console.end()
