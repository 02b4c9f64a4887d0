"""State as one file: any tree of dataclasses, lists, arrays and plain values, there and back.

The file is a magic line, the SHA-256 of all that follows, the length of the header, the header
(JSON: version of the file's form, layout of the state, note, tree, of each array its type and
shape, checksum) and the arrays behind each other, compressed. Equal states give equal trees and
arrays.
"""

import dataclasses
import hashlib
import json
import os
import types
import typing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twin.errors import InputError

MAGIC = b"TWINSTATE, SHA-256\n"
_UNCHECKED = b"TWINSTATE\n"
"""Of files that an older twin wrote, without the sum of the whole."""
_SUM_BYTES = hashlib.sha256().digest_size
VERSION = 1
_CODEC = "zstd"
_ARRAY = "array"


class OtherTwinError(InputError):
    """A whole state, but of a twin, or on libraries, that cannot go on alike."""


def layout(kind: type) -> str:
    """Return a digest of what a dataclass of state holds: every field, its type and, below, theirs.

    A dataclass says in ``LAYOUT``, as plain data, what its annotations leave open: the fields of
    records, the meaning of numbers. So a state that changes has another digest without further ado.
    """
    return _digest(kind)


@cache
def _digest(kind: type) -> str:
    return hashlib.sha256(json.dumps(_described(kind)).encode()).hexdigest()


def _described(kind: Any) -> Any:
    if isinstance(kind, typing.TypeAliasType):
        return _described(kind.__value__)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        below = {field.name: _described(hints[field.name]) for field in dataclasses.fields(kind)}
        return [getattr(kind, "LAYOUT", None), below]
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union, list, tuple):
        return [str(origin), *map(_described, typing.get_args(kind))]
    return str(kind)


def equal(one: Any, other: Any) -> bool:
    """Whether two states are the same to the last bit; NaN equals NaN."""
    return _flat(one) == _flat(other)


def copy[T](state: T) -> T:
    """Return an equal state that shares nothing with this one."""
    arrays: list[np.ndarray[Any, Any]] = []
    tree = _plain(state, arrays)
    made: T = _built(type(state), tree, [array.copy() for array in arrays])
    return made


def write(path: Path, state: Any, *, note: dict[str, Any]) -> int:
    """Write a state so that a reader sees all of it or nothing, and it outlasts a power cut.

    Parameters
    ----------
    path : Path
    state : dataclass
    note : dict
        What else a reader must know, in plain data.

    Returns
    -------
    int
        Bytes written.
    """
    content = dumps(state, note=note)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return len(content)


def dumps(state: Any, *, note: dict[str, Any]) -> bytes:
    """Return a state as bytes."""
    arrays: list[np.ndarray[Any, Any]] = []
    tree = _plain(state, arrays)
    raw = b"".join(array.tobytes() for array in arrays)
    header = {
        "version": VERSION,
        "layout": layout(type(state)),
        "note": note,
        "tree": tree,
        "arrays": [[_type(array.dtype), list(array.shape)] for array in arrays],
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    text = json.dumps(header).encode()
    packed = pa.Codec(_CODEC, compression_level=1).compress(raw, asbytes=True) if raw else b""
    content = len(text).to_bytes(8, "little") + text + packed
    return MAGIC + hashlib.sha256(content).digest() + content


def read_note(path: Path) -> dict[str, Any]:
    """What a state's file says of itself; InputError if it is none."""
    return dict(_open(path)[0]["note"])


def read[T](path: Path, kind: type[T], *, part: bool = False) -> T:
    """Read a state of a dataclass `kind`.

    Parameters
    ----------
    path : Path
    kind : type
    part : bool
        Whether `kind` holds only some fields of the state that was written, to look at and not to
        go on from: these are read whatever the others are.

    Raises
    ------
    InputError
        If the file is no state, or is damaged.
    OtherTwinError
        If the state that was written is not laid out as `kind` is.
    """
    header, packed = _open(path)
    if not part and header.get("layout") != layout(kind):
        raise OtherTwinError(
            f"{path}: written by a twin whose state has another layout; "
            "a run goes on with the twin that it began with"
        )
    try:
        size = header["bytes"]
        raw = pa.Codec(_CODEC).decompress(packed, size, asbytes=True) if size else b""
    except (OSError, ValueError):
        raise InputError(f"{path}: damaged state") from None
    if hashlib.sha256(raw).hexdigest() != header["sha256"]:
        raise InputError(f"{path}: damaged state (its checksum differs)")
    arrays, offset = [], 0
    try:
        for name, shape in header["arrays"]:
            dtype = _dtype(name)
            count = int(np.prod(shape))
            array = np.frombuffer(raw, dtype, count, offset).reshape(shape).copy()
            offset += array.nbytes
            arrays.append(array)
        built: T = _built(kind, header["tree"], arrays)
    except (LookupError, TypeError, ValueError):
        raise InputError(f"{path}: damaged state") from None
    return built


def _type(dtype: np.dtype[Any]) -> Any:
    """A type as plain data; of records, the fields."""
    return dtype.str if dtype.names is None else dtype.descr


def _dtype(plain: Any) -> np.dtype[Any]:
    if isinstance(plain, str):
        return np.dtype(plain)
    return np.dtype([(name, kind, *map(tuple, shape)) for name, kind, *shape in plain])


def _open(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if content.startswith(_UNCHECKED):
        body = content[len(_UNCHECKED) :]
    elif content.startswith(MAGIC):
        after = content[len(MAGIC) :]
        digest, body = after[:_SUM_BYTES], after[_SUM_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            raise InputError(f"{path}: damaged state (its checksum differs)")
    else:
        raise InputError(f"{path}: not a saved state")
    end = 8 + int.from_bytes(body[:8], "little")
    try:
        header = json.loads(body[8:end])
    except ValueError:
        raise InputError(f"{path}: damaged state") from None
    version = header.get("version") if isinstance(header, dict) else None
    if version != VERSION:
        raise OtherTwinError(f"{path}: a state of version {version}; this twin reads {VERSION}")
    return header, body[end:]


def _plain(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {_ARRAY: len(arrays) - 1}
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name), arrays) for field in fields}
    if isinstance(value, list | tuple):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _built(kind: Any, tree: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Plain data as the type that a field is declared with."""
    if tree is None:
        return None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, typing.TypeAliasType):
        return _built(kind.__value__, tree, arrays)
    if origin is types.UnionType or origin is typing.Union:
        (kind,) = (part for part in arguments if part is not type(None))
        return _built(kind, tree, arrays)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        made: Any = kind
        return made(**{n: _built(kind, tree[n], arrays) for n, kind in hints.items() if n in tree})
    if isinstance(tree, dict):
        return arrays[tree[_ARRAY]]
    if origin is tuple:
        return tuple(tree)
    if origin is list:
        return [_built(arguments[0], item, arrays) for item in tree]
    return tree


def _flat(state: Any) -> tuple[str, list[tuple[str, tuple[int, ...], bytes]]]:
    arrays: list[np.ndarray[Any, Any]] = []
    tree = json.dumps(_plain(state, arrays))
    return tree, [(str(_type(array.dtype)), array.shape, array.tobytes()) for array in arrays]
