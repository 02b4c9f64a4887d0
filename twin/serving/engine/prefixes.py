"""Prefixes of prompts that are cached already, and are not computed again. Compiled.

A trace says by hashes which pieces of prompts are the same, each together with all before it. What
a prompt has cached stays when its request goes, until its blocks are needed: the piece that has
been without users for longest goes first, and of one prompt the last piece.
"""

from numba import njit

from twin.serving.engine.records import NONE
from twin.serving.engine.rows import hash_first, hash_piece, prefix_at, request_at


@njit(cache=True)
def _pieces(x, r):  # type: ignore[no-untyped-def]
    """Whole pieces of a request's prompt that have a hash."""
    request = request_at(x, r)
    known = hash_first(x, request.number + 1) - hash_first(x, request.number)
    return min(known, request.prompt // x.prefix_tokens)


@njit(cache=True)
def _piece(x, r, i):  # type: ignore[no-untyped-def]
    return prefix_at(x, hash_piece(x, hash_first(x, request_at(x, r).number) + i))


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
        _unlink(x, hash_piece(x, hash_first(x, request_at(x, r).number) + i))
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
            x.blocks += x.prefix_blocks
            _take(x, r, i)
        else:
            piece.cached = piece.users = 1
        request.shared = i + 1


@njit(cache=True)
def let_go(x, r):  # type: ignore[no-untyped-def]
    """Use a request's pieces no longer; those without users may be evicted."""
    request = request_at(x, r)
    for i in range(request.shared - 1, -1, -1):
        piece = _piece(x, r, i)
        piece.users -= 1
        if piece.users == 0:
            p = hash_piece(x, hash_first(x, request.number) + i)
            piece.previous, piece.next = x.idle_last, NONE
            if x.idle_last == NONE:
                x.idle_first = p
            else:
                prefix_at(x, x.idle_last).next = p
            x.idle_last = p
            x.idle += 1
    request.shared = 0


@njit(cache=True)
def _unlink(x, p):  # type: ignore[no-untyped-def]
    piece = prefix_at(x, p)
    if piece.previous == NONE:
        x.idle_first = piece.next
    else:
        prefix_at(x, piece.previous).next = piece.next
    if piece.next == NONE:
        x.idle_last = piece.previous
    else:
        prefix_at(x, piece.next).previous = piece.previous
    x.idle -= 1


@njit(cache=True)
def evict(x, blocks):  # type: ignore[no-untyped-def]
    """Evict pieces without users until so many blocks are free, or there are none."""
    while x.blocks < blocks and x.idle_first != NONE:
        p = x.idle_first
        _unlink(x, p)
        prefix_at(x, p).cached = 0
        x.blocks += x.prefix_blocks
