"""Quantities with units at the border of the Python interface: in, plain numbers come out.

A field's name ends in its unit. No unit library is imported here: a quantity is whatever has a
``unit`` and can be asked for its value in another, as astropy's can.
"""

from collections.abc import Mapping
from typing import Any

from twin.errors import InputError, shown

_UNITS = {
    "_rad_s": "rad / s",
    "_gb_per_s": "Gbyte / s",
    "_per_s": "1 / s",
    "_gbps": "Gbit / s",
    "_deg": "deg",
    "_km": "km",
    "_m2": "m2",
    "_wh": "W h",
    "_gb": "Gbyte",
    "_nj": "nJ",
    "_us": "us",
    "_ms": "ms",
    "_kg": "kg",
    "_c": "deg_C",
    "_j": "J",
    "_m": "m",
    "_s": "s",
    "_w": "W",
}
"""Units by the end of a field's name; longer ends first."""


def plain_values(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by ``table.key`` with each quantity as a number in its field's unit.

    Raises
    ------
    InputError
        If a field has no unit, or another than the quantity can be in.
    """
    return {path: _plain(path, value) for path, value in changes.items()}


def _plain(path: str, value: Any) -> Any:
    if not hasattr(value, "unit") or not hasattr(value, "to_value"):
        return value
    unit = next((unit for end, unit in _UNITS.items() if path.endswith(end)), None)
    if unit is None:
        raise InputError(f"override {path!r}: has no unit (got {shown(value)})")
    try:
        return value.to_value(unit).item()
    except ValueError:  # as astropy's UnitConversionError is
        raise InputError(
            f"override {path!r}: must be a single quantity in {unit} (got {shown(value)})"
        ) from None
