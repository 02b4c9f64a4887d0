"""Follow a chapter of the guide as a reader does: write its files, run its commands.

A chapter is Markdown. Comments before and after its code blocks say what they are:

- ``<!-- file: NAME -->`` before a block: a file of that name, in the current folder.
- ``<!-- not run: REASON -->`` before a block: it is skipped.
- ``<!-- output -->`` after a block: what the block prints, up to ``<!-- /output -->``; with
  ``<!-- output, first N lines -->`` the beginning of it.
- ``<!-- generated: NAME -->``: what `twin.guide.reference` makes, up to ``<!-- /generated -->``.

Blocks of ``sh`` and ``python`` are run, all others are only shown.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parent

COLUMNS = 80
"""Width of the terminal that the guide shows."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): (?P<of>[^\n]*?) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```\n"
    r"(?:\n?<!-- output(?:, first (?P<most>\d+) lines)? -->\n(?P<output>.*?)<!-- /output -->)?",
    re.MULTILINE | re.DOTALL,
)
_GENERATED = re.compile(
    r"<!-- generated: (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- /generated -->", re.DOTALL
)

_UNSTEADY = (
    (re.compile(r"\d{8}-\d{6}-"), "<time>-"),
    (re.compile(r"[^\n]*wall_time_s[^\n]*\n"), ""),
    (re.compile(r"checkpoints: [^\n]*\n"), ""),
)
"""What differs from run to run, and what stands for it."""


class BlockError(Exception):
    """A block of the guide fails."""


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes
    ----------
    language : str
        As written after the fence; empty where nothing is.
    text : str
    file : str
        Name of the file that it is; empty where it is none.
    skipped : str
        Why it is not run; empty where it may be.
    shows : bool
        Whether its output follows.
    """

    language: str
    text: str
    file: str = ""
    skipped: str = ""
    shows: bool = False

    @property
    def runs(self) -> bool:
        """Whether it is to be run."""
        return self.language in ("sh", "python") and not self.file and not self.skipped


def blocks(text: str) -> Iterator[Block]:
    """Give the code blocks of a chapter in their order."""
    for found in _BLOCK.finditer(text):
        yield _block(found)


def _block(found: re.Match[str]) -> Block:
    mark, of = found["mark"], found["of"] or ""
    return Block(
        language=found["language"],
        text=found["text"],
        file=of if mark == "file" else "",
        skipped=of if mark == "not run" else "",
        shows=found["output"] is not None,
    )


def follow(text: str, folder: Path) -> dict[str, str]:
    """Write a chapter's files and run its blocks; give the output of each by its text.

    Parameters
    ----------
    text : str
        Of the chapter.
    folder : Path
        Where a reader sits.

    Raises
    ------
    BlockError
        If a block ends with an error.
    """
    printed = {}
    for block in blocks(text):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.runs:
            printed[block.text] = run(block, folder)
    return printed


def run(block: Block, folder: Path) -> str:
    """Run a block in a folder; give what it prints, without what differs from run to run."""
    shell = block.language == "sh"
    command = ["bash", "-e", "-c", block.text] if shell else [sys.executable, "-c", block.text]
    own = Path(sys.executable).parent
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(own), os.environ.get("PATH", "")]),
            "COLUMNS": str(COLUMNS),
            "PYTHONIOENCODING": "utf-8",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise BlockError(f"exit code {done.returncode}\n{block.text}{done.stdout}{done.stderr}")
    return steady(done.stdout)


def steady(text: str) -> str:
    """Replace what differs from run to run, such as the time in a run's id."""
    for pattern, instead in _UNSTEADY:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def generated(text: str) -> list[str]:
    """Names of what is generated in a chapter."""
    return [found["name"] for found in _GENERATED.finditer(text)]


def refreshed(text: str, printed: dict[str, str], made: dict[str, str]) -> str:
    """Return a chapter with its outputs and generated parts replaced.

    Parameters
    ----------
    text : str
    printed : mapping of str to str
        Outputs by the text of the block, as from `follow`.
    made : mapping of str to str
        Generated Markdown by name.
    """

    def output(found: re.Match[str]) -> str:
        if found["output"] is None or found["text"] not in printed:
            return found[0]
        start = found.start("output") - found.start()
        end = found.end("output") - found.start()
        lines = printed[found["text"]].splitlines()
        if found["most"] is not None and len(lines) > int(found["most"]):
            lines = [*lines[: int(found["most"])], "..."]
        shown = "\n".join(["```text", *lines, "```", ""])
        return found[0][:start] + shown + found[0][end:]

    def part(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- generated: {name} -->\n{made[name].strip()}\n<!-- /generated -->"

    return _GENERATED.sub(part, _BLOCK.sub(output, text))
