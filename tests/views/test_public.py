import logging
import sys
from pathlib import Path

import pytest

from twin.errors import InputError
from twin.views import quiet
from twin.views.public import LONGEST, plain, public, reason


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "constellation.tle /home/me/sets/x.tle: cannot be read",
            "constellation.tle x.tle: cannot be read",
        ),
        ("'/srv/a/b.toml' is damaged", "'b.toml' is damaged"),
        ("~/runs/x: no", "x: no"),
        ("~me/runs/x: no", "x: no"),
        ("../../etc/passwd: no", "passwd: no"),
        ("./x.toml: no", "x.toml: no"),
        ('(/a/b) and "/c/d"', '(b) and "d"'),
        ("path=/a/b/c.py, line 3", "path=c.py, line 3"),
        (r"C:\Users\me\x.toml: no", "x.toml: no"),
        ("7 km/s, 5 tokens/s, and/or 3 / 4", "7 km/s, 5 tokens/s, and/or 3 / 4"),
        ("two\nlines\tand\x1b[31m more", "two lines and\\x1b[31m more"),
    ],
)
def test_a_note_names_files_but_not_where_they_lie(text, shown):
    assert public(text) == shown


def test_folders_of_this_server_go_though_their_names_have_spaces(tmp_path, monkeypatch):
    here = tmp_path / "my own runs"
    here.mkdir()
    monkeypatch.chdir(here)
    assert public(f"{here}/runs/x.toml: no") == "runs/x.toml: no"
    assert str(Path.home()) not in public(f"{Path.home()}/a b/x.toml: no")
    assert sys.prefix not in public(f"in {sys.prefix}/lib/x.py")


def test_a_note_is_not_endless():
    assert len(public("x" * 10_000)) == LONGEST


def test_the_reason_for_an_unreadable_run_is_short():
    folder = Path("runs/a")
    wrong = InputError("runs/a/scenario.toml: links.up: unknown key")
    assert reason(folder, wrong) == "scenario.toml: links.up: unknown key"
    assert reason(folder, InputError("runs/a: damaged run")) == "damaged run"
    assert "secret" not in reason(folder, KeyError("/secret"))


@pytest.mark.parametrize("text", ["\x1b]0;pwned\x07", "\x9b31m", "a\rb", "\u202e", "\ud800"])
def test_nothing_that_steers_a_terminal_is_left(text):
    shown = plain(text)
    assert shown.isprintable()
    shown.encode()


def test_the_log_is_written_in_plain_characters(caplog):
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(quiet._Record)
    try:
        try:
            raise ValueError("\x1b]0;pwned\x07")
        except ValueError:
            logging.getLogger("a").exception("of \x1b[31m%s", "\x9b1m")
    finally:
        logging.setLogRecordFactory(factory)
    assert "of \\x1b[31m\\x9b1m" in caplog.text
    assert "ValueError: \\x1b]0;pwned" in caplog.text
    assert all(line.isprintable() for line in caplog.text.splitlines())


def test_a_traceback_that_would_be_shown_goes_to_the_log(caplog):
    untold = quiet._Untold("traceback")
    try:
        raise ZeroDivisionError("secret")
    except ZeroDivisionError as error:
        shown = untold.format_exception(None, error, error.__traceback__)
    assert shown == [quiet.FAILED]
    assert "secret" in caplog.text
    assert untold.format_stack()


def test_only_installed_assets_are_served_and_none_is_deleted(tmp_path):
    (tmp_path / "package@1.0.0").mkdir()
    file = tmp_path / "package@1.0.0" / "x.js"
    file.touch()
    (tmp_path.parent / "outside.js").touch()
    assert quiet.installed(tmp_path, "package@1.0.0/x.js") == file
    for path in (
        "package@1.0.0",
        "",
        "nothing.js",
        "../outside.js",
        "package@1.0.0/../../outside.js",
    ):
        with pytest.raises(FileNotFoundError):
            quiet.installed(tmp_path, path)
    assert file.is_file()
