"""Sphinx's settings for the guide: all assets local, warnings for whatever does not resolve."""

import re
from importlib import metadata
from typing import Any

project = "Orbital Twin"
author = "the Orbital Twin authors"
copyright = "2026, the Orbital Twin authors"  # noqa: A001
release = metadata.version("orbital-twin")
extensions = ["myst_nb"]
exclude_patterns = ["**.ipynb_checkpoints", "__pycache__"]
html_theme = "furo"
html_title = "Orbital Twin"
html_show_sphinx = False
html_copy_source = False
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_ipywidgets_js: dict[str, Any] = {}
myst_heading_anchors = 3
suppress_warnings = ["myst.strikethrough"]


def _with_contents(app: object, docname: str, source: list[str]) -> None:  # noqa: ARG001
    """Give the first page, which lists the chapters, the contents that the side bar shows."""
    if docname != "index":
        return
    trees = []
    for section in source[0].split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        documents = re.findall(r"^- \[.*?\]\((.*?)\.md\)$", text, re.MULTILINE)
        trees.append(
            "\n".join(["```{toctree}", ":hidden:", f":caption: {title}", *documents, "```"])
        )
    source[0] += "\n" + "\n\n".join(trees) + "\n"


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx read the contents from the first page's lists."""
    app.connect("source-read", _with_contents)
    return {"parallel_read_safe": True}
