"""Arguments and options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from twin.cli.console import STANDARD_OUTPUT
from twin.runs import outputs

if TYPE_CHECKING:
    from twin.scenario.schema import Scenario
    from twin.study.pool import Pool

OUTPUTS = "twin.outputs"
"""Where a command's context keeps the files that it will write, with their options."""

ScenarioArgument = Annotated[str, typer.Argument(help="A preset's name or a TOML file's path.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Override a field; may be repeated."),
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of all randomness.")]


def output(context: typer.Context, option: typer.CallbackParam, value: Path | None) -> Path | None:
    """Check a file that an option names for output, when options are read."""
    return _checked(context, option, value, makes_folder=False)


def output_in_new_folder(
    context: typer.Context, option: typer.CallbackParam, value: Path | None
) -> Path | None:
    """Check a file for output whose folder is made if it is missing."""
    return _checked(context, option, value, makes_folder=True)


def output_folder(option: typer.CallbackParam, value: Path | None) -> Path | None:
    """Check a folder for output, which is made if it is missing."""
    if value is not None:
        outputs.check_folder(option.opts[0], value)
    return value


def _checked(
    context: typer.Context, option: typer.CallbackParam, value: Path | None, *, makes_folder: bool
) -> Path | None:
    if value is None or value == STANDARD_OUTPUT or context.resilient_parsing:
        return value
    outputs.check(option.opts[0], value, makes_folder=makes_folder)
    named = context.meta.setdefault(OUTPUTS, [])
    named.append((option.opts[0], value))
    outputs.check_apart(named)
    return value


def file_option(name: str, text: str, *, metavar: str = "FILE") -> Any:
    """Return an option that names a file for output."""
    return typer.Option(name, metavar=metavar, help=text, callback=output)


def folder_option(text: str) -> Any:
    """Return an option that names a folder for output."""
    return typer.Option(metavar="DIR", help=text, callback=output_folder)


JsonOption = Annotated[
    Path | None, file_option("--json", "Write the figures as JSON ('-': print them).")
]
CsvOption = Annotated[Path | None, file_option("--csv", "Write all rows as CSV.")]
FigureOption = Annotated[
    Path | None,
    typer.Option(help="Where the plot goes, as PNG.", callback=output_in_new_folder),
]
ReportOption = Annotated[
    Path | None, file_option("--report", "Write a report.", metavar="FILE.html")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Processes; default: all cores.")
]
RunsOption = Annotated[Path, typer.Option(help="Folder that holds the runs.")]
PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py|MODULE",
        help="Load a plug-in of your own: strategies, outage models, ... (see: twin list); "
        "may be repeated.",
    ),
]


def _say_version(asked: bool) -> None:
    """Print which version this is, and end."""
    if asked:
        from twin.runs.files import versions

        typer.echo(f"orbital-twin {versions()['orbital-twin']}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=_say_version, is_eager=True, help="Show the version, and end."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Options of all commands that answer a question by many runs."""

    workers: WorkersOption = None
    json_file: JsonOption = None
    figure: FigureOption = None
    page: ReportOption = None
    runs_dir: RunsOption = Path("runs")

    def plot(self, name: str) -> Path:
        """Where the plot goes: by default to runs/, which is looked at before all is computed."""
        if self.figure is not None:
            return self.figure
        outputs.check("--figure", self.runs_dir / name, makes_folder=True)
        return self.runs_dir / name


@dataclass(frozen=True, kw_only=True)
class Asking(Answering):
    """Those of commands that put a question to a scenario."""

    overrides: SetOption = None
    seed: SeedOption = None
    plugins: PluginOption = None

    def pool(self, progress: Callable[[int, int], None]) -> "Pool":
        """Return the processes that jobs run in."""
        from twin.study.pool import Pool

        return Pool(workers=self.workers, plugins=self.plugins or (), progress=progress)

    def load(self, source: str, *changes: str) -> "Scenario":
        """Load a scenario as these options change it, and further changes."""
        from twin.plugins.choices import load_scenario

        settings = [*with_seed(self.overrides, self.seed), *changes]
        return load_scenario(source, settings, plugins=self.plugins or ())


def sharing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the class of its parameter `shared`, as its own."""
    own = dict(inspect.signature(command).parameters)
    group = own.pop("shared").annotation
    hints = get_type_hints(group, include_extras=True)
    added = {
        one.name: inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default,
            annotation=hints[one.name],
        )
        for one in fields(group)
    }  # fmt: skip

    @wraps(command)
    def call(**values: Any) -> None:
        shared = group(**{name: values.pop(name) for name in added})
        command(**values, shared=shared)

    parameters = own | added
    call.__annotations__ = {name: one.annotation for name, one in parameters.items()}
    call.__signature__ = inspect.Signature([*parameters.values()])  # type: ignore[attr-defined]
    return call


def with_seed(overrides: list[str] | None, seed: int | None) -> list[str]:
    """Overrides of a scenario, the seed's among them if there is one."""
    return [*(overrides or []), *([] if seed is None else [f"simulation.seed={seed}"])]


def split(text: str | None) -> list[str]:
    """Names that stand in an option with commas between them; none where it is not given."""
    return [] if text is None else [part.strip() for part in text.split(",")]
