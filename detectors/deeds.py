"""What is done in a session and matters: changes that let a thief stay or cash in, and orders.

A deed is an entry like a login's (detectors/attempts) with its action among the marks. It is never
an attempt: its outcome marks no success and no failure.
"""

from __future__ import annotations

from typing import Final

from .attempts import flags_of
from .events import Action, LoginEvent
from .verdicts import NoticeRisk

TOLD: Final = 0x10000000
"""Of a login in a log of deeds: the customer is asked or told of it (notice_risk ask or high)."""
ALARMED: Final = 0x200000
"""... is told of it at once (high)."""
COUNTS: Final = 0x400000
"""Of an order: its account is at risk by more than an unseen device, or its system was watched for
long enough to know what everybody orders.
"""

_SHIFT: Final = 24
DEED: Final = 0x7 << _SHIFT
"""The bits of the action; none of them: a login."""

CHANGES: Final[frozenset[Action]] = frozenset(
    {"contact_change", "device_bind", "certificate_issue", "settlement_change", "password_reset"}
)
"""What outlives the session: whoever did it comes back, is told instead of the owner, is paid."""

_DEEDS: Final[tuple[Action | None, ...]] = (None, *sorted(CHANGES), "order")
_MARKS: Final[dict[Action, int]] = {
    action: code << _SHIFT for code, action in enumerate(_DEEDS) if action is not None
}
_DEVICE: Final = slice(58, 66)
"""Where the hash of the device stands in an entry with its context (attempts)."""
_NOTHING: Final = bytes(8)


def deed_mark(action: Action) -> int:
    """The mark of a change or an order. Raises KeyError for any other action."""
    return _MARKS[action]


def deed_of(entry: bytes) -> Action | None:
    """What an entry says was done; None: it is a login."""
    return _DEEDS[(flags_of(entry) & DEED) >> _SHIFT]


def is_change(event: LoginEvent) -> bool:
    """Whether the event is a change that was made; one that was refused changes nothing."""
    return event.action in CHANGES and event.outcome == "success" and event.account is not None


def is_order(event: LoginEvent) -> bool:
    """Whether the event is an order that was taken, for something that is named."""
    return (
        event.action == "order"
        and event.outcome == "success"
        and event.account is not None
        and event.instrument is not None
    )


def risky(entry: bytes, risk: NoticeRisk) -> bytes:
    """The entry of a login of which the customer is asked or told."""
    marks = TOLD | ALARMED if risk == "high" else TOLD
    return entry[:26] + (flags_of(entry) | marks).to_bytes(4, "big") + entry[30:]


def alarms(entry: bytes) -> int:
    """How grave a login in a log of deeds is: 0 its device is unseen, 1 the customer is asked, 2
    is told.
    """
    flags = flags_of(entry)
    return bool(flags & TOLD) + bool(flags & ALARMED)


def device_of(entry: bytes) -> bytes:
    """The hash of the device of an entry with context; zeros where none is told."""
    return entry[_DEVICE]


def one_device(one: bytes, other: bytes) -> bool:
    """Whether two hashes of devices may be of one device: only two that are told can differ."""
    return one == other or _NOTHING in (one, other)
