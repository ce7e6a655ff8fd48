"""What customers may be told of a login: the one verdict, and the record of the topic `verdicts`.

Detect alone decides it (DESIGN.md 1); the notifier reads nothing else. One login may get several
records, each graver than the one before: consumers keep the gravest of a `verdict_id`.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from .events import Channel

NoticeRisk = Literal["none", "inbox", "ask", "high"]
"""high: tell at once on every channel. ask: ask whether it was them. inbox: an entry in the APP.
none: nothing (a wrong password, an account that is nobody's).
"""

RISKS: Final[tuple[NoticeRisk, ...]] = ("none", "inbox", "ask", "high")
"""From the least to the gravest."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is decided of one login. Times are RFC 3339 in UTC; what nobody knows is None.

    `verdict_id`: 16 hex digits, keyed hash of the login's identity (source, event_id): the same for
    every record of one login. `account` is a pseudonym, `device` a keyed hash of the device's id.
    `late`: the login was over 24 hours old when it arrived; nobody is woken for it (promise 7).
    """

    event_id: str
    occurred_at: str
    account: str
    notice_risk: NoticeRisk
    rules: list[str]
    verdict_id: str = ""
    system: str = ""
    channel: Channel | None = None
    country: str | None = None
    asn: int | None = None
    device: str | None = None
    late: bool = False


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Verdict)


def encode(verdict: Verdict) -> bytes:
    """One line of JSON, fields in the order of the class: equal verdicts are equal bytes."""
    return _encoder.encode(verdict)


def decode(raw: bytes) -> Verdict:
    """The verdict of a line or record. Raises msgspec.DecodeError."""
    return _decoder.decode(raw)


def joined(one: Verdict, other: Verdict | None) -> Verdict:
    """What two rules say of one login, together: the graver risk, every rule, all that is known."""
    if other is None:
        return one
    graver, lesser = sorted((one, other), key=lambda v: (RISKS.index(v.notice_risk), v.rules))[::-1]
    return msgspec.structs.replace(
        graver,
        rules=sorted({*one.rules, *other.rules}),
        channel=graver.channel or lesser.channel,
        country=graver.country or lesser.country,
        asn=graver.asn or lesser.asn,
        device=graver.device or lesser.device,
        late=one.late or other.late,
    )
