"""What the law and other programs need to find in a distribution is there."""

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from twin.moe.presets import MODEL_CARDS

ROOT = Path(__file__).parents[1]
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
LICENCES = ROOT / "twin" / "views" / "static" / "stage.licences.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_licence_is_the_whole_apache_licence():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "APPENDIX: How to apply the Apache License to your work." in text
    assert PROJECT["license"] == "Apache-2.0"
    assert set(PROJECT["license-files"]) == {"LICENSE", "NOTICE"}


def test_the_notice_has_the_licence_of_every_package_in_the_bundle():
    """The build writes them for the packages that it finds in what it has made."""
    text = LICENCES.read_text(encoding="utf-8")
    assert text in NOTICE
    asked = json.loads((ROOT / "twin/views/js/package.json").read_text())["dependencies"]
    asked.pop("esbuild")  # makes the bundle, and is not in it
    for name, version in asked.items():
        assert f"\n{name} {version} (" in f"\n{text}"


@pytest.mark.parametrize(
    "table",
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("twin/*/*.json")
        if not path.name.endswith(".schema.json")  # our own
    ),
)
def test_the_notice_names_every_table_and_its_licence(table):
    data = json.loads((ROOT / table).read_text(encoding="utf-8"))
    entry = NOTICE[NOTICE.index(table) :].split("\n\n")[0]
    assert data["licence"].replace("-", " ") in " ".join(entry.split()).replace("License ", "")
    assert data["source"].split("github.com/")[1].split(",")[0] in entry


@pytest.mark.parametrize("oracle", sorted(path.name for path in ROOT.glob("tests/oracles/*")))
def test_the_notice_names_every_file_of_figures_to_test_against(oracle):
    assert f"\ntests/oracles/{oracle}\n" in NOTICE
    assert "source" in (ROOT / "tests" / "oracles" / oracle).read_text(encoding="utf-8")


@pytest.mark.parametrize("card", sorted(MODEL_CARDS))
def test_the_notice_names_the_source_of_every_model_card(card):
    source = MODEL_CARDS[card].source
    known = ["made up for this project", "arXiv 2401.04088", "arXiv 2407", "DeepSeek-V2-Lite"]
    named = next((name for name in known if name in source), source.split()[0])
    assert named == known[0] or named in " ".join(NOTICE.split())


def test_presets_of_azures_conversations_say_so_and_the_notice_cites_splitwise():
    named = [
        path.name
        for path in ROOT.glob("twin/*/presets/*.toml")
        if "Azure" in path.read_text(encoding="utf-8")
    ]
    entry = NOTICE[NOTICE.index("serving-study.toml") :].split("\n\n")[0]
    assert named
    assert all(name in entry for name in named)
    assert "Creative\n    Commons BY 4.0" in entry
    assert "Splitwise" in entry


@pytest.mark.parametrize("file", ["twin/network/cities.py", "twin/energy/bus.py"])
def test_the_notice_names_files_that_are_there(file):
    assert file in NOTICE
    assert (ROOT / file).is_file()


def test_the_command_says_its_version():
    command = [sys.executable, "-c", "from twin.cli.main import main; main()", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"orbital-twin {metadata.version('orbital-twin')}\n"


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The wheel and the source distribution."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_a_wheel_holds_all_of_it(dist):
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
        told = archive.read(f"{info}/METADATA").decode()
        assert archive.read(f"{info}/licenses/NOTICE").decode() == NOTICE
    assert {f"{package}/py.typed" for package in ("twin", "agents", "placement")} <= names
    assert {f"twin/views/static/stage.{end}" for end in ("js", "css", "licences.txt")} <= names
    assert {"twin/guide/index.md", "twin/guide/notebooks/what-if.md"} <= names
    assert f"{info}/licenses/LICENSE" in names
    assert not [name for name in names if name.startswith(("tests/", "twin/views/js/"))]
    assert not [name for name in names if name.endswith((".tle", ".omm", ".csv"))]
    assert "License-Expression: Apache-2.0" in told
    assert "License-File: NOTICE" in told
    assert "Classifier: Programming Language :: Python :: 3.13" in told


def test_links_of_the_description_lead_somewhere_from_anywhere(dist):
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        message = email.message_from_bytes(archive.read(name))
    assert message["Description-Content-Type"] == "text/markdown"
    text = message.get_payload()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](.assets/page.webp)" in readme
    assert readme.splitlines()[0] in text
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets
    assert all(target.startswith(("https://", "#")) for target in targets)


def test_links_are_to_the_repository_where_its_address_is_known(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from hatch_build import described

    text = "![A page](.assets/page.webp) [guide](twin/guide/index.md#x) [b](https://b.org) [c](#c)"
    at = "https://forge.example/twin"
    assert described(text, at + "/") == (
        f"![A page]({at}/raw/HEAD/.assets/page.webp) [guide]({at}/blob/HEAD/twin/guide/index.md#x) "
        "[b](https://b.org) [c](#c)"
    )
    assert described(text, "").split() == ["guide", "[b](https://b.org)", "[c](#c)"]


def test_the_source_distribution_can_be_built_from(dist):
    (source,) = dist.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"hatch_build.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "CITATION.cff"}
    assert needed <= names
    assert {"twin/guide/index.md", "twin/views/js/package-lock.json", "agents/model.py"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("runs/")]


def test_an_installed_wheel_works_from_another_folder(dist, tmp_path):
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import twin, sys; from twin.cli.entry import call; from twin.views import guide; "
        "print(twin.__file__); assert 'Install' in guide.html('index'); "
        "sys.exit(call(['scenarios']) or call(['show', 'strategy', 'joint']) "
        "or call(['passes', 'small', '--site', 'Paris']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(tmp_path / "site"))


def test_no_element_sets_are_in_the_repository():
    """Those of a Space Force's catalogue may not be given away."""
    line = re.compile(r"^1 [0-9A-Z]\d{4}U (?!22001A|00001A|58002B)\d{5}", re.MULTILINE)
    for folder in ("twin", "agents", "placement"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".md", ".json", ".csv", ".txt", ".tle"):
                assert not line.search(path.read_text(encoding="utf-8")), path


def test_another_package_called_agents_is_named_in_one_line(tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text('"""OpenAI\'s agents."""\n')
    done = subprocess.run(
        [sys.executable, "-c", "from twin.cli.entry import main; main()", "--version"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"twin: the package 'agents' in {tmp_path / 'agents'} is not the twin's")


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in text
    assert "license: Apache-2.0" in text
    assert "2605.00515" in text


def test_the_version_is_the_distributions():
    import twin

    assert twin.__version__ == metadata.version("orbital-twin")
