"""What changes the runs on disk: who may do it; going on with one, and deleting it."""

import os
import secrets
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode

from agents.run import resume
from twin.errors import InputError
from twin.plugins.loading import load_kept
from twin.runs.files import PARTIAL
from twin.runs.lock import Lock
from twin.runs.studies import ENDING
from twin.study import answers
from twin.views import limits
from twin.views.guard import NEAR

TOKEN: Final = "ORBITAL_TWIN_TOKEN"
"""Environment variable: who names its value in the address may, and then nobody else."""
REFUSED: Final = (
    "Runs are started, branched, gone on with and deleted from the server itself, or with its "
    "token: ?token=... in the address. What is here can be looked at."
)


def may(headers: Mapping[str, Sequence[str]] | None, token: str) -> bool:
    """Whether a visitor may change runs: by the token, or from the server itself."""
    wanted = os.environ.get(TOKEN, "")
    if wanted:
        return secrets.compare_digest(token.encode(), wanted.encode())
    return bool(headers and headers.get(NEAR.decode()))


def check(allowed: bool) -> None:
    """Refuse to start, fork, go on with or delete a run for a visitor who may not.

    Raises
    ------
    InputError
        With what a visitor needs to be allowed to.
    """
    if not allowed:
        raise InputError(REFUSED)


def token_of(search: str | None) -> str:
    """The token that a visitor has in the address; nothing where there is none."""
    return parse_qs(search or "").get("token", [""])[0]


def with_token(path: str, token: str) -> str:
    """A path on this server that a visitor goes to with the same token."""
    return f"{path}?{urlencode({'token': token})}" if token else path


def delete(root: Path, name: str) -> None:
    """Delete a run or a study, complete or not, or what a command has found.

    Raises
    ------
    InputError
        If there is none of that name, or it is being computed.
    """
    if name.endswith(answers.ENDING) and _fits(name) and (root / name).is_file():
        (root / name).unlink()
        return
    folder = _folder(root, name)
    with Lock.take(folder):  # refuses what is being computed
        shutil.rmtree(folder)


def go_on(root: Path, name: str) -> None:
    """Go on with an interrupted run in the background.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    folder = _folder(root, name)
    if not folder.name.endswith(PARTIAL) or folder.name.endswith(ENDING + PARTIAL):
        raise InputError(f"{name}: only an interrupted run can go on here; twin sweep --resume can")
    threading.Thread(target=_go_on, args=(folder,), daemon=True).start()


def _go_on(folder: Path) -> None:
    with limits.turn(lambda: False, lambda _: None) as mine:
        if mine:
            load_kept(folder)
            resume(folder)


def _fits(name: str) -> bool:
    """Whether a name is no path."""
    return name.isprintable() and Path(name).name == name and name not in ("", ".", "..")


def _folder(root: Path, name: str) -> Path:
    """Folder of a run or study by its name, which is no path."""
    for folder in (root / name, root / f"{name}{PARTIAL}") if _fits(name) else ():
        if (folder / "manifest.json").is_file() and not folder.is_symlink():
            return folder
    raise InputError(f"{name[:80]}: there is no such run here")
