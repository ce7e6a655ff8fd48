"""What the ledger of threat intelligence holds: one line a bulletin, revocation, hunt or export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from .feed import Format
from .indicator import Tlp

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
BulletinId = Annotated[str, msgspec.Meta(pattern=r"^B[0-9]{1,9}\Z")]
"""B and the number of the line that received it."""
Sha = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Counts = dict[Annotated[str, msgspec.Meta(max_length=300)], Count]


class Received(msgspec.Struct, frozen=True, kw_only=True, tag="received", tag_field="kind"):
    """A bulletin came in: what was made of it, entry by entry.

    `content` is the hash of what came, `indicators` that of the list that was made of it. An
    indicator without an end holds for `validity_s` seconds. `cursor`: where the next poll of a
    TAXII collection begins.
    """

    source: Text
    title: Annotated[str, msgspec.Meta(max_length=500)] = ""
    format: Format
    tlp: Tlp
    content: Sha
    indicators: Sha
    applied: Count
    skipped: Counts
    ignored: Counts
    bad: Count
    validity_s: Count
    cursor: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Renewed(msgspec.Struct, frozen=True, kw_only=True, tag="renewed", tag_field="kind"):
    """The same content came again: what has no end of its own holds on from now."""

    bulletin: BulletinId
    validity_s: Count


class Revoked(msgspec.Struct, frozen=True, kw_only=True, tag="revoked", tag_field="kind"):
    """A bulletin is in force no more, or networks, of one bulletin or of all."""

    bulletin: BulletinId | None = None
    networks: Annotated[list[Text], msgspec.Meta(max_length=1000)] = []


class Hunted(msgspec.Struct, frozen=True, kw_only=True, tag="hunted", tag_field="kind"):
    """The archive was searched for logins from a bulletin's addresses.

    `judged`: those that detection knew as listed, by event time. `at_least`: so many that
    redelivered ones may be among them twice.
    """

    bulletin: BulletinId
    since: datetime
    until: datetime
    logins: Count
    successes: Count
    addresses: Count
    judged: Count
    first: datetime | None = None
    last: datetime | None = None
    at_least: bool = False


class Exported(msgspec.Struct, frozen=True, kw_only=True, tag="exported", tag_field="kind"):
    """Our own indicators were written for others: the hash of the file, and what was held back."""

    format: Format
    tlp: Tlp
    indicators: Count
    withheld: Counts
    content: Sha


What = Received | Renewed | Revoked | Hunted | Exported


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line. `login` is the account of this machine under which `by` was typed."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    at: datetime
    by: Text
    login: str
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    what: What
    previous: Sha
    """SHA-256 of the bytes of the line before it, without its line end; zeros for the first."""

    @property
    def id(self) -> str:
        """How a bulletin is called: B and the number of its line."""
        return f"B{self.number}"
