"""One login event, as it travels on the wire and as every rule sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

Outcome = Literal["success", "failure"]
Reason = Literal["bad_password", "unknown_account", "locked", "expired", "mfa_failed", "other"]
Channel = Literal["web", "app", "api", "dma", "phone", "staff", "other"]
AccountClass = Literal["customer", "closed", "prospect", "staff", "unknown"]
Action = Literal[
    "login",
    "logout",
    "password_reset",
    "contact_change",
    "device_bind",
    "certificate_issue",
    "settlement_change",
    "order",
    "order_refused",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
AS_OF_MS = 60_000
"""What is not counted but remembered is read as it stood so long before the login that asks."""

FUTURE_TOLERANCE = timedelta(minutes=5)
"""A clock ahead of its first receiver by more than this is wrong (RELIABILITY.md section 3)."""

PAST_TOLERANCE = timedelta(days=7)
"""A clock behind its first receiver by more than this is wrong, not late (RELIABILITY.md section
3).
"""

Instant = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with offset")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
EventId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Account = Annotated[str, msgspec.Meta(max_length=256, description="as typed at the login")]


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where the source itself places the address; known facts win over any look-up."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    asn: Annotated[int, msgspec.Meta(ge=0, le=4294967295)] | None = None


class LoginEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One attempt to log in (or action of a session), as its source tells it; times are aware."""

    schema: Literal[1] = msgspec.field()
    event_id: EventId
    occurred_at: Instant
    system: Name
    account: Account | None
    ip: Annotated[str, msgspec.Meta(max_length=64)] | None
    outcome: Outcome
    source: Name | None = None
    received_at: Instant | None = None
    reason: Reason | None = None
    channel: Channel | None = None
    mfa: bool | None = None
    account_class: AccountClass | None = None
    device_id: str | None = None
    fingerprint: str | None = None
    user_agent: str | None = None
    session_id: str | None = None
    origin: Origin | None = None
    seq: int | None = None
    action: Action = "login"
    instrument: str | None = None
    market: str | None = None

    @property
    def emitter(self) -> str:
        """Who tells: `source`, or the system itself where none is named. Identity is (emitter,
        event_id).
        """
        return self.source or self.system

    @property
    def skewed(self) -> bool:
        """Whether the emitter's clock is wrong against the first receiver's; without
        `received_at`, never.
        """
        received = self.received_at
        if received is None:
            return False
        return not (received - PAST_TOLERANCE <= self.occurred_at <= received + FUTURE_TOLERANCE)

    @property
    def judged_at(self) -> datetime:
        """The time the rules use: `occurred_at`, or `received_at` where the emitter's clock is
        wrong.
        """
        received = self.received_at
        return self.occurred_at if received is None or not self.skewed else received


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC; what the windows count in."""
    delta = at - EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def instant(ms: int) -> datetime:
    """The UTC time of `milliseconds`; exact inverse of `milliseconds` on whole milliseconds."""
    return EPOCH + timedelta(milliseconds=ms)


def rfc3339(at: datetime) -> str:
    """RFC 3339 in UTC with Z, seconds or milliseconds as needed: the one format of every output."""
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds") + "Z"
