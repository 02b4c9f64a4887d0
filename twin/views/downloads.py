"""What of a run can be taken away: its scenario, its tables, its orbits, its network."""

import io
import json
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import reacton.ipyvuetify as rv
import solara
import tomli_w

from twin.runs.files import sealed
from twin.runs.store import SOURCES, START, Run
from twin.scenario.attachments import FIELDS, FOLDER
from twin.views import shelf
from twin.views.parts import box
from twin.views.public import without_folders
from twin.views.session import Session

type Exports = Mapping[str, Callable[[Run, int], str]]
"""Text of a run at a step, by the ending of the file it goes to."""


@solara.component
def Downloads(  # noqa: N802
    session: Session, step: int, exports: Exports, on_close: Callable[[], None]
) -> None:
    """What can be taken of the runs on stage."""

    def fail(run: Run, error: Exception) -> None:
        # The note is below what is open here. Closing ends the thread that this is called in.
        session.note(shelf.told(run.path, error))
        on_close()

    shown = session.shown.value
    complete = [(s.run_id, s.run) for s in shown if s.run is not None]
    with rv.Html(tag="section", class_="tw-form", attributes={"aria-label": "download"}):
        if len(complete) < len(shown):
            rv.Html(
                tag="p", class_="tw-form-note", children=["A run can be taken when it is complete."]
            )
        for run_id, run in complete:
            rv.Html(tag="p", class_="tw-form-note", children=[shelf.label(run)])
            with box("tw-form-buttons"):
                for name, text, data in _files(run_id, run, run.first_step + step, exports):
                    key = f"{run_id}{Path(name).suffix}"
                    _File(text, data, name, partial(fail, run)).key(key)
        rv.Html(
            tag="p",
            class_="tw-form-note",
            children=[
                "TOML runs again with `twin run FILE`; tables are Parquet; CZML opens in Cesium, "
                "the network (GraphML) in networkx or Gephi. PNG is above the stage."
            ],
        )
        solara.Button("Close", on_click=on_close, classes=["tw-plain-button"])


def _files(
    run_id: str, run: Run, step: int, exports: Exports
) -> list[tuple[str, str, Callable[[], str | bytes]]]:
    """Name, what the button says, and content of each file."""
    files: list[tuple[str, str, Callable[[], str | bytes]]] = [
        (f"{run_id}.toml", "Scenario", partial(scenario_text, run)),
        (f"{run_id}.zip", "Tables", partial(tables, run)),
    ]
    for ending, export in exports.items():
        graph = ending == "graphml"
        name = f"{run_id}-step{step}" if graph else run_id
        text = f"Network, step {step}" if graph else ending.upper()
        files.append((f"{name}.{ending}", text, partial(export, run, step)))
    return files


@solara.component
def _File(  # noqa: N802
    text: str, data: Callable[[], str | bytes], name: str, fail: Callable[[Exception], None]
) -> None:
    """A button that gives a file as it is when it is asked for."""
    taken, take = solara.use_state(name)
    latest = solara.use_ref((name, data))
    latest.current = name, data

    def content() -> str | bytes | None:
        asked: str
        made: Callable[[], str | bytes]
        asked, made = latest.current
        take(asked)
        try:
            return made()
        except Exception as error:
            fail(error)
            return None

    # The same function while the clock goes on: another one would drop what was asked for.
    kept = solara.use_memo(lambda: content, [])
    solara.FileDownload(data=kept, filename=taken, label=text)


def scenario_text(run: Run) -> bytes:
    """The scenario of a run as TOML, which names its files by where the run keeps them."""
    written = (run.path / "scenario.toml").read_bytes()
    places = _places(run.manifest)
    if not places:
        return written
    data = tomllib.loads(written.decode())
    for table, key in FIELDS:
        path = data.get(table, {}).get(key)
        if path is not None:
            data[table][key] = places.get(path, Path(path).name)
    return tomli_w.dumps(data).encode()


def tables(run: Run) -> bytes:
    """The files of a run as one archive, without what only this server needs or knows."""
    written, scenario = (run.path / "scenario.toml").read_bytes(), scenario_text(run)
    told = json.dumps(_told(run.manifest))
    # Where the manifest says what the scenario's bytes were.
    told = told.replace(sha256(written).hexdigest(), sha256(scenario).hexdigest())
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"{run.path.name}/manifest.json", sealed(json.loads(told)))
        archive.writestr(f"{run.path.name}/scenario.toml", scenario)
        kept = [*run.path.glob("*.parquet"), run.path / START, *(run.path / FOLDER).rglob("*")]
        for file in sorted(kept):
            # A link may lead anywhere on this server.
            if file.is_file() and not file.is_symlink():
                archive.write(file, f"{run.path.name}/{file.relative_to(run.path)}")
    return made.getvalue()


def _places(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Where a run keeps the files that it was made from, by the paths they came from."""
    kept = (manifest.get(source, {}) for source in SOURCES)
    return {path: entry["file"] for entries in kept for path, entry in entries.items()}


def _told(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without the folders that files came from."""
    places = _places(manifest)
    named = {s: {places[p]: e for p, e in manifest.get(s, {}).items()} for s in SOURCES}
    told: dict[str, Any] = _public(manifest) | named
    return told


def _public(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _public(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_public(value) for value in data]
    return without_folders(data) if isinstance(data, str) else data
