"""Build the guide as a static site with search: ``python -m twin.guide.build FOLDER``.

Needs the extra ``[docs]``. Notebooks are run. Every warning is an error.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence

from twin.guide.walk import GUIDE


def main(args: Sequence[str] | None = None) -> int:
    """Build the site; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m twin.guide.build", description=__doc__)
    parser.add_argument("folder", help="where the site goes")
    asked = parser.parse_args(args)
    try:
        from sphinx.cmd.build import build_main
    except ImportError:
        sys.stderr.write('the guide needs: pip install "orbital-twin[docs]"\n')
        return 2
    with tempfile.TemporaryDirectory() as doctrees:
        options = ["-q", "-W", "--keep-going", "-n", "-b", "html", "-d", doctrees]
        return int(build_main([*options, str(GUIDE), asked.folder]))


if __name__ == "__main__":
    sys.exit(main())
