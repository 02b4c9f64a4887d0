"""Another distribution's package that has the name of one of the twin's."""

import importlib.util
from pathlib import Path

from twin.errors import InputError

_OURS = '"""Agents of Orbital Twin'


def check() -> None:
    """Raise `InputError` if ``import agents`` gives the package of another distribution.

    ``openai-agents`` has one, for instance. Nothing is imported.
    """
    found = importlib.util.find_spec("agents")
    origin = None if found is None else found.origin
    if origin is None:
        raise InputError("the package 'agents', which is part of the twin, is not installed")
    with Path(origin).open(encoding="utf-8") as file:
        if not file.read(len(_OURS)) == _OURS:
            raise InputError(
                f"the package 'agents' in {Path(origin).parent} is not the twin's, but that of "
                "another distribution, such as openai-agents; install the twin in an environment "
                "of its own"
            )
