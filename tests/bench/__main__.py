"""``python tests/bench NAME [options]``: measure speed, side by side with the alternatives."""

from commands import main

main()
