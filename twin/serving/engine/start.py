"""The engine's state before the first request."""

from dataclasses import fields

import numpy as np

from twin.serving.engine import groups
from twin.serving.engine.core import CORE, TABLES
from twin.serving.engine.records import INSTANCE, NEVER, NONE
from twin.serving.engine.state import EngineState


def nothing_served(
    *,
    satellites: int,
    layers: int,
    experts: int,
    links: int = 0,
    heads: int = 1,
    instances: int = 1,
    choose_from: int = 1,
) -> EngineState:
    """Return the state before the first request.

    Tokens choose from so many copies of each expert.
    """
    rows = instances * layers
    columns = experts * choose_from
    sizes = {
        "satellites": satellites,
        "parts": rows + rows * columns + instances * heads,
        "instances": instances,
        "links": links,
    }
    names = [field.name for field in fields(EngineState) if field.name != "core"]
    core = np.zeros(1, CORE)
    for name in CORE.names or ():
        if name.startswith("free_"):
            core[name] = NONE
    core["layers"], core["experts"], core["heads"] = layers, experts, heads
    core["columns"] = columns
    core["copies"], core["rows"], core["first_head"] = instances, rows, rows + rows * columns
    core["boards"] = core["sites"] = 1
    core["last_ask_s"] = np.inf
    core["waiting_tokens"] = NEVER
    tables = {name: np.zeros(sizes.get(name, 0), TABLES[name]) for name in names}
    for name in ("satellites", "parts"):
        tables[name]["first"] = tables[name]["last"] = NONE
    tables["satellites"]["stay_first"] = tables["satellites"]["stay_last"] = NONE
    tables["satellites"]["serving"] = tables["satellites"]["done_order"] = NONE
    tables["satellites"]["speed"] = tables["satellites"]["pace"] = 1.0
    for name in INSTANCE.names or ():
        if name.endswith(("_first", "_last", "_batch")):
            tables["instances"][name] = NONE
    tables["instances"]["open"] = 1
    parts = tables["parts"]
    parts["next"] = parts["stamp"] = NONE
    row = np.concatenate([np.arange(rows), np.repeat(np.arange(rows), columns)])
    head = np.repeat(np.arange(instances), heads)
    parts["layer"] = np.append(row % layers, np.full(len(head), layers))
    parts["instance"] = np.append(row // layers, head)
    made = EngineState(**tables, core=core)
    for name in ("requests", *groups.GROWING):
        made.grow(name, 64)
    return made
