"""Bytes along the links of a shortest path."""

import numba


@numba.njit(cache=True)
def along(predecessor, source, indptr, indices, link_bytes, wanted):  # type: ignore[no-untyped-def]
    """Carry bytes from the source to the root of the tree; return how many, and over how many hops.

    Links are duplex: each direction has its own room in `link_bytes`, which is taken.
    """
    carried = wanted
    hops = 0
    for taking in range(2):
        node = source
        while predecessor[node] >= 0:
            after = predecessor[node]
            for j in range(indptr[node], indptr[node + 1]):
                if indices[j] == after:
                    if taking:
                        link_bytes[j] -= carried
                        hops += 1
                    else:
                        carried = min(carried, link_bytes[j])
            node = after
    return carried, hops
