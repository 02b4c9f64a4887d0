"""The one error a user can cause: wrong input, told in one line."""

from twin.text import printable

_MOST = 1500
"""Characters of a line, of which the middle goes first."""


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what is allowed.

    What it quotes may come from a file: `one_line` of it is shown.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


def one_line(text: str, most: int = _MOST) -> str:
    """Return a text as one line that any terminal shows as it is: long ones cut in the middle.

    Control characters, and what else does not print, are written out.
    """
    shown = printable(text)
    if len(shown) <= most:
        return shown
    half = (most - 5) // 2
    return f"{shown[:half]} ... {shown[-half:]}"


def shown(value: object) -> str:
    """Return a value as a message shows it, short whatever it is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return one_line(repr(value), 100)
