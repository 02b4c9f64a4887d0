"""What satellites host in a step of a run."""

import numpy as np
import pyarrow.compute as pc

from placement.hosting import Hosting, from_rows, hosting
from twin.runs.store import Run


def hosted(run: Run, step: int, size: int) -> Hosting:
    """What satellites host under the placement of a step; nothing where there is none."""
    number = run.table("steps", ["placement"])["placement"][step - run.first_step].as_py()
    table = run.placements()
    table = table.filter(pc.equal(table["placement"], number))
    if not len(table):  # all is served on the ground
        nothing = np.full(size, -1, np.int16)
        return Hosting(
            layer=nothing, gateway=np.zeros(size, bool), experts=np.zeros(size, np.int64)
        )
    names = ("instance", "layer", "expert", "copy", "satellite")
    rows = {name: table[name].to_numpy() for name in names}
    return hosting(size, from_rows(**rows), int(rows["layer"].max()) + 1)
