"""What may be said of telemetry, and what an alarm of a mirrored constellation is about."""

from enum import StrEnum
from typing import Final, Self

KIND: Final = "live"
"""Kind of a run that mirrors telemetry, as its manifest has it."""


class _Told(StrEnum):
    """A word with the sentence that explains it."""

    sentence: str

    def __new__(cls, word: str, sentence: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.sentence = sentence
        return member


class Remark(_Told):
    """What became of a message, or of a part of it; each is counted."""

    TAKEN = "taken", "The message was used."
    MALFORMED = "malformed", "It is no JSON object in UTF-8: dropped."
    OVERSIZED = "oversized", "It is longer than a message may be: dropped."
    NO_SENDER = "no-sender", "It names neither a satellite nor a site: dropped."
    UNKNOWN_SENDER = "unknown-sender", "The scenario has no such satellite or site: dropped."
    NO_TIME = "no-time", "Its time is missing or no time: dropped."
    OTHER_VERSION = "other-version", "It is of a version that this twin does not read: dropped."
    UNKNOWN_FIELD = "unknown-field", "A field that is not in the schema: the field is ignored."
    WRONG_TYPE = "wrong-type", "A value of another type than the field's: the value is ignored."
    IMPOSSIBLE = "impossible", "A value that cannot be: the value is ignored."
    DOUBLED = "doubled", "The satellite sent it before, by number or else by time: dropped."
    OUT_OF_ORDER = "out-of-order", "It is older than the one before it: put in order."
    LATE = "late", "The mirror has passed its time: only an element set in it is used."
    MISSING = "missing", "A number that was skipped and has not come since."
    AHEAD = "ahead", "The fleet has not reached its time: only an element set in it is used."
    CLOCK_OFF = "clock-off", "The satellite's clock runs ahead of the fleet's: its time is moved."
    BAD_ELEMENTS = "bad-elements", "An element set that cannot be read: the set is ignored."


class AlarmKind(_Told):
    """What an alarm of the mirror is about."""

    LOST_STRING = "lost-string", "It charges less than its array should: string lost?"
    HIGH_LOAD = "high-load", "It draws more than it should in light and in shadow."
    STUCK_TERMINAL = "stuck-terminal", "A link stays down longer than its outages do."
    SILENT = "silent", "Nothing has come from it for too long."
    WRONG_ELEMENTS = "wrong-elements", "An element set is not of the orbit it is on."
    MANOEUVRE = "manoeuvre", "Its orbit has changed along the track."
