"""The one error a user can cause: wrong input, told in one line."""

from twin.text import printable


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what is allowed.

    What it quotes may come from a file: control characters in it are written out.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))
