"""Prefixes of prompts that are cached already, and are not computed again. Compiled.

A trace says by hashes which pieces of prompts are the same, each together with all before it. What
a prompt has cached stays when its request goes, until its blocks are needed: the piece that has
been without users for longest goes first, and of one prompt the last piece.
"""

from numba import njit

from twin.serving.engine.records import NONE
from twin.serving.engine.rows import (
    hash_first,
    hash_piece,
    instance_at,
    instance_of,
    prefix_at,
    request_at,
)


@njit(cache=True)
def _pieces(x, r):  # type: ignore[no-untyped-def]
    """Whole pieces of a request's prompt that have a hash."""
    request = request_at(x, r)
    known = hash_first(x, request.number + 1) - hash_first(x, request.number)
    return min(known, request.prompt // x.prefix_tokens)


@njit(cache=True)
def _piece(x, r, i):  # type: ignore[no-untyped-def]
    return prefix_at(x, _row(x, r, i))


@njit(cache=True)
def _row(x, r, i):  # type: ignore[no-untyped-def]
    """Row of one of a request's pieces, on its instance."""
    request = request_at(x, r)
    return request.instance * x.pieces + hash_piece(x, hash_first(x, request.number) + i)


@njit(cache=True)
def cached_pieces(x, r):  # type: ignore[no-untyped-def]
    """Pieces that a request finds cached, and how many of them have no other user.

    One token of it is computed in any case.
    """
    if x.prefix_blocks == 0:
        return 0, 0
    request = request_at(x, r)
    most = min(_pieces(x, r), (request.due - 1) // x.prefix_tokens)
    found, idle = 0, 0
    while found < most and _piece(x, r, found).cached:
        idle += _piece(x, r, found).users == 0
        found += 1
    return found, idle


@njit(cache=True)
def use(x, r, pieces):  # type: ignore[no-untyped-def]
    """Begin a request behind pieces that are cached."""
    request = request_at(x, r)
    for i in range(pieces):
        _take(x, r, i)
    request.shared = pieces
    request.sent = request.context = pieces * x.prefix_tokens
    request.reused += pieces * x.prefix_tokens


@njit(cache=True)
def _take(x, r, i):  # type: ignore[no-untyped-def]
    """Let a request use a cached piece."""
    piece = _piece(x, r, i)
    if piece.users == 0:
        _unlink(x, request_at(x, r).instance, _row(x, r, i))
    piece.users += 1


@njit(cache=True)
def share(x, r):  # type: ignore[no-untyped-def]
    """Let others use what a request's prompt has cached, now that all of it has passed."""
    if x.prefix_blocks == 0:
        return
    request = request_at(x, r)
    for i in range(request.shared, _pieces(x, r)):
        piece = _piece(x, r, i)
        request.blocks -= x.prefix_blocks
        if piece.cached:  # another request has brought it meanwhile
            instance_of(x, r).blocks += x.prefix_blocks
            _take(x, r, i)
        else:
            piece.cached = piece.users = 1
        request.shared = i + 1


@njit(cache=True)
def let_go(x, r):  # type: ignore[no-untyped-def]
    """Use a request's pieces no longer; those without users may be evicted."""
    request, instance = request_at(x, r), instance_of(x, r)
    for i in range(request.shared - 1, -1, -1):
        piece = _piece(x, r, i)
        piece.users -= 1
        if piece.users == 0:
            p = _row(x, r, i)
            piece.previous, piece.next = instance.idle_last, NONE
            if instance.idle_last == NONE:
                instance.idle_first = p
            else:
                prefix_at(x, instance.idle_last).next = p
            instance.idle_last = p
            instance.idle += 1
    request.shared = 0


@njit(cache=True)
def _unlink(x, i, p):  # type: ignore[no-untyped-def]
    piece, instance = prefix_at(x, p), instance_at(x, i)
    if piece.previous == NONE:
        instance.idle_first = piece.next
    else:
        prefix_at(x, piece.previous).next = piece.next
    if piece.next == NONE:
        instance.idle_last = piece.previous
    else:
        prefix_at(x, piece.next).previous = piece.previous
    instance.idle -= 1


@njit(cache=True)
def evict(x, i, blocks):  # type: ignore[no-untyped-def]
    """Evict pieces without users of an instance until so many blocks are free, or none is left."""
    instance = instance_at(x, i)
    while instance.blocks < blocks and instance.idle_first != NONE:
        p = instance.idle_first
        _unlink(x, i, p)
        prefix_at(x, p).cached = 0
        instance.blocks += x.prefix_blocks
