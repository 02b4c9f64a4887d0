"""Where everything should be there, no test is skipped but for a reason that has a name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("reason", "ci", "code"),
    [
        ("I had no time", "true", 1),
        ("I had no time", "", 0),
        ("needs real element sets or measured runs beside the checkout", "true", 0),
    ],
)
def test_a_skip_without_a_name_fails_in_ci(tmp_path, reason, ci, code):
    file = tmp_path / "test_x.py"
    file.write_text(f"import pytest\ndef test_x():\n    pytest.skip({reason!r})\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-n", "0", str(file)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"CI": ci, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert ("tests/conftest.py does not name" in done.stdout) == (code == 1)
    assert (f"test_x: {reason}" in done.stdout) == (code == 1)
