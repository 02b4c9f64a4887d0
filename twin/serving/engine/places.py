"""Where a group is, and where it goes next: rows of the placement, parts, LM heads. Compiled."""

from numba import njit

from twin.serving.engine.rows import group_at, member_at, part_at, request_at, way_s


@njit(cache=True)
def row_of(x, g):  # type: ignore[no-untyped-def]
    """Row of the placement that a group is at: its layer of its instance."""
    return group_at(x, g).instance * x.layers + group_at(x, g).layer


@njit(cache=True)
def expert_part(x, row, column):  # type: ignore[no-untyped-def]
    """Part of a copy of a row's expert."""
    return x.rows + row * x.columns + column


@njit(cache=True)
def column_of(x, p):  # type: ignore[no-untyped-def]
    """Column of a part that is a copy of an expert."""
    return (p - x.rows) % x.columns


@njit(cache=True)
def copies_each(x):  # type: ignore[no-untyped-def]
    """How many columns an expert has."""
    return x.columns // x.experts


@njit(cache=True)
def is_expert(x, p):  # type: ignore[no-untyped-def]
    """Whether a part is an expert."""
    return x.rows <= p < x.first_head


@njit(cache=True)
def head_of(x, g):  # type: ignore[no-untyped-def]
    """Which of its instance's LM heads makes a group's tokens: requests take turns by number."""
    return request_at(x, member_at(x, group_at(x, g).first).request).number % x.heads


@njit(cache=True)
def head_row(x, g):  # type: ignore[no-untyped-def]
    """The LM head that makes a group's tokens, among those of all instances."""
    return group_at(x, g).instance * x.heads + head_of(x, g)


@njit(cache=True)
def on_row(x, g):  # type: ignore[no-untyped-def]
    """Row of ways on from a group's layer: a layer's own, or behind them a head's."""
    group = group_at(x, g)
    row = group.instance * (x.layers - 1 + x.heads) + group.layer
    return row if group.layer + 1 < x.layers else row + head_of(x, g)


@njit(cache=True)
def next_satellite(x, g):  # type: ignore[no-untyped-def]
    """Satellite of the gateway, or LM head, that follows a group's layer."""
    if group_at(x, g).layer + 1 < x.layers:
        return part_at(x, row_of(x, g) + 1).satellite
    return part_at(x, _head_part(x, g)).satellite


@njit(cache=True)
def gateway_part(x, g):  # type: ignore[no-untyped-def]
    """Part that a group goes to next: its layer's gateway, or its LM head."""
    return row_of(x, g) if group_at(x, g).layer < x.layers else _head_part(x, g)


@njit(cache=True)
def _head_part(x, g):  # type: ignore[no-untyped-def]
    return x.first_head + head_row(x, g)


@njit(cache=True)
def first_gateway(x, i):  # type: ignore[no-untyped-def]
    """Satellite of an instance's first gateway."""
    return part_at(x, i * x.layers).satellite


@njit(cache=True)
def reach_s(x, g, s):  # type: ignore[no-untyped-def]
    """Way between a satellite and the gateway, or LM head, of a group's layer."""
    return _reach_s(x, g, group_at(x, g).layer, s)


@njit(cache=True)
def reach_next_s(x, g, s):  # type: ignore[no-untyped-def]
    """Way between a satellite and the gateway, or LM head, that follows a group's layer."""
    return _reach_s(x, g, group_at(x, g).layer + 1, s)


@njit(cache=True)
def _reach_s(x, g, layer, s):  # type: ignore[no-untyped-def]
    each = x.layers + x.heads
    row = group_at(x, g).instance * each + layer
    if layer == x.layers:
        row += head_of(x, g)
    return way_s(x, s * x.copies * each + row)
