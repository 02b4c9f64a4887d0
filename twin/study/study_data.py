"""What a report on a study is made from, read from its folder."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from twin.errors import InputError
from twin.runs.figures import FIGURES
from twin.runs.studies import Study, open_study
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.profiles import PROFILES
from twin.study.study_file import StudyFile, parse_study


@dataclass(frozen=True, kw_only=True)
class StudyData:
    """A complete study: its file, the scenario before the axes change it, its points in order."""

    kept: Study
    study: StudyFile
    base: Scenario
    points: pa.Table

    @property
    def errors(self) -> list[str | None]:
        """Why each point failed; None where it did not."""
        columns = (self.points[name].to_pylist() for name in ("status", "error"))
        return [
            None if status == "ok" else error or "unknown"
            for status, error in zip(*columns, strict=True)
        ]


def is_study(folder: Path) -> bool:
    """Whether a folder looks like that of a study."""
    return (folder / "study.toml").is_file()


def read_study_data(folder: Path) -> StudyData:
    """Read a complete study.

    Raises
    ------
    InputError
        If there is none, it was interrupted, or a part is missing.
    """
    kept = open_study(folder)
    try:
        study_toml = (folder / "study.toml").read_text(encoding="utf-8")
        points = kept.points()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: damaged study, cannot be read: {reason}") from None
    study = parse_study(study_toml, str(folder / "study.toml"))
    base = loader.load(str(folder / "scenario.toml"))
    needed = {"strategy", "policy", "status", "error", *study.fields, *FIGURES, *PROFILES}
    lack = sorted(needed - set(points.column_names))
    if lack or points.num_rows != study.size:
        what = f"columns {', '.join(lack)}" if lack else "rows"
        raise InputError(f"{folder}: damaged study, its points lack {what}")
    return StudyData(kept=kept, study=study, base=base, points=points)
