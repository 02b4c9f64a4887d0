"""Values for fuzzers: scenarios and studies by their JSON schema, and damage to bytes."""

import copy
import random

import tomli_w

WRONG = (
    None, True, -1, 0, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, -0.0, 0.5, 5e-324, 1e-300,
    1e300, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), "", " ", "x", "0",
    "nan", "\x00", "\x1b[31m", "a\nb", "é" * 10, "x" * 20_000, "../../etc", [], [[]], [1, "x"], {},
    {"x": {"y": 1}}, {"": 0}, [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],
)  # fmt: skip
"""What no field expects, and the ends of number types."""

PIECES = (
    b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"9" * 5000, b"[" * 2000, b"nan", b"-1e999",
    b'"', b"=", b"{",
)  # fmt: skip
"""What readers stumble over."""


class Generator:
    """Draws values that fields of a JSON schema take, their bounds, and what lies beyond.

    Parameters
    ----------
    schema : dict
    rng : random.Random
    strange : float
        Share of the values that may be wrong.
    """

    def __init__(self, schema, rng, strange=0.25):
        self.schema, self.rng, self.strange = schema, rng, strange

    def resolved(self, node):
        """A node with its reference followed."""
        while "$ref" in node:
            node = self.schema["$defs"][node["$ref"].rpartition("/")[2]]
        return node

    def value(self, node):
        """A value for a node: at, inside or outside its bounds, or of another type."""
        rng, node = self.rng, self.resolved(node)
        if rng.random() < self.strange * 0.4:
            return rng.choice(WRONG)
        for several in ("anyOf", "oneOf"):
            if several in node:
                some = [n for n in node[several] if n.get("type") != "null"]
                return self.value(rng.choice(some))
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return rng.choice(node["enum"])
        return getattr(self, f"_{node.get('type', 'any')}")(node)

    def _number(self, node):
        low = node.get("minimum", node.get("exclusiveMinimum", -1e6))
        high = node.get("maximum", node.get("exclusiveMaximum", 1e6))
        rng = self.rng
        if rng.random() < self.strange:
            return rng.choice(
                (low, high, low - 1.0, high + 1.0, low * 0.999, high * 1.001, -low, 0.0)
            )
        if low > 0 and high / low > 1e3 and rng.random() < 0.7:
            return low * (high / low) ** rng.random()
        return low + (high - low) * rng.random() ** rng.choice((1, 1, 8))

    def _integer(self, node):
        low = node.get("minimum", -1000)
        high = node.get("maximum", node.get("exclusiveMaximum", 1001) - 1)
        rng = self.rng
        if rng.random() < self.strange:
            return rng.choice((low, high, low - 1, high + 1, 2 * high, low + 0.5))
        return low + int(min(high - low, 10 ** rng.uniform(0, 2)) * rng.random())

    def _boolean(self, node):
        return self.rng.random() < 0.5

    def _string(self, node):
        return self.rng.choice(
            ("x", "2026-03-20", "2099-12-31T23:59:59Z", "1900-01-01", "é", "a" * 99)
        )

    def _array(self, node):
        return [self.value(node.get("items", {})) for _ in range(self.rng.randrange(3))]

    def _object(self, node):
        if "properties" not in node:
            names = ("every_steps", "refine", "busy_margin", "events", "hysteresis_deg", "x")
            return {self.rng.choice(names): self._any({}) for _ in range(self.rng.randrange(3))}
        required = node.get("required", [])
        chosen = [k for k in node["properties"] if k in required or self.rng.random() < 0.3]
        return {key: self.value(node["properties"][key]) for key in chosen}

    def _any(self, node):
        return self.rng.choice((1, 0.5, "x", True, -3, 0, 10**6, 1e9, *WRONG[:10]))

    def mutated(self, data, changes):
        """Plain data with some of the schema's fields drawn anew, one sometimes unknown."""
        data = copy.deepcopy(data)
        tables = list(self.schema["properties"])
        for _ in range(changes):
            table = self.rng.choice(tables)
            node = self.resolved(self.schema["properties"][table])
            for several in ("oneOf", "anyOf"):
                if several in node:
                    node = self.resolved(self.rng.choice(node[several]))
            if "properties" not in node or not isinstance(data.setdefault(table, {}), dict):
                data[table] = self.value(node)
                continue
            key = self.rng.choice(list(node["properties"]))
            if self.rng.random() < 0.02:
                key = self.rng.choice(("unknown", "", "a b", "\x00", "ü"))
            data[table][key] = self.value(node["properties"].get(key, {}))
            if self.rng.random() < 0.03:
                del data[table][key]
        return data


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Bytes with one to three faults: flipped, cut, doubled, moved, replaced or put in."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(out) + 1)
        length = int(2 ** rng.uniform(0, 7))
        kind = rng.randrange(8)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            del out[at : at + length]
        elif kind == 3:
            out[at:at] = out[at : at + length]
        elif kind == 4:
            out[at : at + length] = rng.randbytes(length)
        elif kind == 5:
            out[at:at] = rng.choice(PIECES)
        elif kind == 6:
            lines = bytes(out).split(b"\n")
            rng.shuffle(lines)
            out = bytearray(b"\n".join(lines))
        else:
            lines = bytes(out).split(b"\n")
            del lines[rng.randrange(len(lines))]
            out = bytearray(b"\n".join(lines))
    return bytes(out)


def written(data) -> str:
    """Plain data as TOML, also what TOML cannot say: that is left out."""
    return tomli_w.dumps(_sayable(data))


def _sayable(value):
    if isinstance(value, dict):
        return {key: _sayable(v) for key, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_sayable(v) for v in value if v is not None]
    return value
