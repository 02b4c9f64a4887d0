"""Text that may be shown anywhere: on a terminal, in XML, in JSON."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_JOINERS = "\u200c\u200d"
"""Invisible, and part of words and emoji."""


def printable(text: str) -> str:
    r"""Return text with whatever is not to be printed written out, ESC as ``\x1b``.

    That is control and format characters (which steer a terminal, or turn its direction of
    writing), separators of lines, lone surrogates and what is no character at all; XML and UTF-8
    refuse some of these. Other text comes back as it is.
    """
    if text.isprintable():
        return text
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def meant(name: str, known: Iterable[str]) -> str:
    """Return what ends a message about an unknown name: the known one that is most like it.

    Empty if none is.
    """
    like = get_close_matches(name, list(known), n=1)
    return f"; did you mean {like[0]!r}?" if like else ""


def _shows(c: str) -> bool:
    nothing = ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF
    steers = unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in _JOINERS
    return not (nothing or steers)
