"""Bring the guide up to date: run its blocks and write what they print where it stands.

``python -m twin.guide.refresh`` does it; with ``--check`` it changes nothing, and ends with code 1
where a chapter would change. Chapters may be named, without their ending.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from twin.guide import reference
from twin.guide.walk import GUIDE, blocks, follow, generated, refreshed


def chapters() -> list[Path]:
    """Files of the guide and the README; notebooks are run when the site is built."""
    readme = GUIDE.parents[1] / "README.md"
    return [*sorted(GUIDE.glob("*.md")), *([readme] if readme.is_file() else [])]


def fresh(chapter: Path) -> str:
    """Return a chapter as it should be."""
    text = chapter.read_text(encoding="utf-8")
    made = {name: reference.MADE[name]() for name in generated(text)}
    printed = {}
    if any(block.shows for block in blocks(text)):
        with tempfile.TemporaryDirectory() as folder:
            printed = follow(text, Path(folder))
    return refreshed(text, printed, made)


def main(args: Sequence[str] | None = None) -> int:
    """Refresh or check chapters; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m twin.guide.refresh", description=__doc__)
    parser.add_argument("chapter", nargs="*", help="default: all")
    parser.add_argument("--check", action="store_true", help="change nothing")
    asked = parser.parse_args(args)
    old = 0
    for chapter in chapters():
        if asked.chapter and chapter.stem not in asked.chapter:
            continue
        text = fresh(chapter)
        if text == chapter.read_text(encoding="utf-8"):
            continue
        old += 1
        if not asked.check:
            chapter.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{chapter.name}: {'out of date' if asked.check else 'refreshed'}\n")
    return int(asked.check and old > 0)


if __name__ == "__main__":
    sys.exit(main())
