"""What the command line makes of runs, from Python: events, reports, files for other programs."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from twin.errors import InputError
from twin.runs import outputs
from twin.runs import store as runs
from twin.runs.store import Run

__all__ = ["events", "export_run", "summary", "write_report"]


def summary(run: Run | str | Path) -> dict[str, float | None]:
    """Figures of a run by name, as ``twin run --json`` writes them; None where there is none.

    Parameters
    ----------
    run : Run, or path of one
    """
    from twin.runs.summary import summarise

    return summarise(_opened(run))


def events(
    run: Run | str | Path,
    *,
    kinds: Sequence[str] = (),
    satellite: str | None = None,
    from_s: float | None = None,
    to_s: float | None = None,
) -> pa.Table:
    """Read what happened in a run, with the names of satellites and the time in UTC.

    Parameters
    ----------
    run : Run, or path of one
    kinds : sequence of str
        Any of these; all if empty.
    satellite : str, optional
        Name or number; also as the other end of a link or a move.
    from_s, to_s : float, optional
        Seconds since the start of the run, both included.
    """
    from twin.export.events import select

    chosen = select(_opened(run), kinds=kinds, satellite=satellite, from_s=from_s, to_s=to_s)
    return pa.Table.from_pylist(chosen.records())


def write_report(
    targets: Run | str | Path | Sequence[Run | str | Path],
    file: str | Path,
    *,
    png_dir: str | Path | None = None,
    csv_dir: str | Path | None = None,
) -> Path:
    """Write a report on runs, side by side, or on a study: one HTML file. Return its path.

    Parameters
    ----------
    targets : Run, path, or sequence of these
        Runs, or one study.
    file : str or Path
    png_dir, csv_dir : str or Path, optional
        Folders for the plots, and for the tables.
    """
    from twin.report.document import report as put_together
    from twin.report.document import write

    several = [targets] if isinstance(targets, Run | str | Path) else targets
    folders = [each.path if isinstance(each, Run) else Path(each) for each in several]
    outputs.check("file", Path(file))
    write(
        put_together(folders),
        Path(file),
        png_dir=None if png_dir is None else Path(png_dir),
        csv_dir=None if csv_dir is None else Path(csv_dir),
    )
    return Path(file)


def export_run(run: Run | str | Path, file: str | Path, *, step: int | None = None) -> Path:
    """Write a run for other programs; what, the ending of the file says. Return its path.

    Parameters
    ----------
    run : Run, or path of one
    file : str or Path
        Orbits as ``.czml``, links of a step as ``.graphml``, element sets (OMM) as ``.csv``,
        ``.json`` or ``.xml``.
    step : int, optional
        Of the links; the first by default.
    """
    opened, path = _opened(run), Path(file)
    if step is not None and path.suffix != ".graphml":
        raise InputError(f"step {step}: goes with a .graphml file, not {path.name}")
    outputs.check("file", path)
    if path.suffix == ".czml":
        from twin.export.czml import czml

        text = czml(opened)
    elif path.suffix == ".graphml":
        from twin.export.graphml import graphml

        text = graphml(opened, opened.first_step if step is None else step)
    else:
        from twin.export.omm import ending_of, omm

        text = omm(opened, ending_of(path))
    outputs.write(path, text)
    return path


def _opened(run: Run | str | Path) -> Run:
    from twin.plugins.loading import load_kept

    if isinstance(run, Run):
        load_kept(run.path)
        return run
    load_kept(Path(run))
    return runs.open_run(run)
