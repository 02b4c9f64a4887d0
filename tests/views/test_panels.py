import json
from pathlib import Path

import pytest
import solara

from twin.views import globe, panels


def test_presets_that_need_a_file_are_not_offered():
    offered = panels.runnable_presets()
    assert {"paper", "paper-star", "small"} <= set(offered)
    assert not {"oneweb", "starlink-shell"} & set(offered)


def test_headline_tells_the_run_and_the_step(trace):
    box, rc = solara.render(panels.Headline(trace, 2), handle_error=False)
    text = str(_texts(box))
    assert f"{trace.latency_s.mean():.2f}" in text
    assert f"now {trace.latency_s[2]:.2f} s" in text
    assert f"now {100 * trace.availability[2]:.1f} %" in text
    rc.close()


def _texts(widget):
    children = getattr(widget, "children", [])
    return [child if isinstance(child, str) else _texts(child) for child in children]


def test_dependencies_of_the_page_are_pinned_and_name_no_host():
    sources = Path(globe.__file__).parent / "js"
    if not sources.is_dir():
        pytest.skip("installed without the JavaScript sources")
    package = json.loads((sources / "package.json").read_text())
    versions = package["dependencies"] | package["devDependencies"]
    assert all(version.replace(".", "").isdigit() for version in versions.values())
    lock = (sources / "package-lock.json").read_text()
    assert "://" not in lock
    assert all(
        json.loads(lock)["packages"][f"node_modules/{name}"]["version"] == version
        for name, version in versions.items()
    )
