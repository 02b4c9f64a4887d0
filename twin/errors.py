"""The one error a user can cause: wrong input, told in one line."""


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line that says what is allowed."""
