"""The engine's state before the first request."""

from dataclasses import fields

import numpy as np

from twin.serving.engine import groups
from twin.serving.engine.core import CORE, TABLES
from twin.serving.engine.records import NEVER, NONE
from twin.serving.engine.state import EngineState


def nothing_served(
    *, satellites: int, layers: int, experts: int, links: int = 0, heads: int = 1
) -> EngineState:
    """Return the state before the first request."""
    columns = layers * experts
    sizes = {"satellites": satellites, "parts": layers + columns + heads, "links": links}
    names = [field.name for field in fields(EngineState) if field.name != "core"]
    core = np.zeros(1, CORE)
    for name in CORE.names or ():
        if name.startswith(("free_", "waiting_", "running_")):
            core[name] = NONE
    for name in ("last_batch", "idle_first", "idle_last"):
        core[name] = NONE
    core["layers"], core["experts"], core["heads"] = layers, experts, heads
    core["open"] = core["boards"] = 1
    core["last_ask_s"] = np.inf
    core["waiting_tokens"] = NEVER
    rows = {name: np.zeros(sizes.get(name, 0), TABLES[name]) for name in names}
    for name in ("satellites", "parts"):
        rows[name]["first"] = rows[name]["last"] = NONE
    rows["satellites"]["stay_first"] = rows["satellites"]["stay_last"] = NONE
    rows["satellites"]["serving"] = rows["satellites"]["done_order"] = NONE
    rows["satellites"]["speed"] = rows["satellites"]["pace"] = 1.0
    parts = rows["parts"]
    parts["next"] = parts["stamp"] = NONE
    parts["layer"][:layers] = np.arange(layers)
    parts["layer"][layers:] = layers
    parts["layer"][layers + 1 : layers + 1 + columns] = np.repeat(np.arange(layers), experts)
    made = EngineState(**rows, core=core)
    for name in ("requests", *groups.GROWING):
        made.grow(name, 64)
    return made
