"""What the ledger of governance holds: one line a decision, each naming the line before it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Id = Annotated[str, msgspec.Meta(pattern=r"^[CMA][0-9]{1,9}\Z")]
"""C, M or A for change, mute or allow-list entry, and the number of the line that made it."""
Sha = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Adopted(msgspec.Struct, frozen=True, kw_only=True, tag="adopted", tag_field="kind"):
    """A rule book was proposed. `base` is the one it was compared with (`differences`).

    An `emergency` is in force at once, and owes an approval within 24 hours.
    """

    rules: Sha
    base: Sha
    differences: list[Annotated[str, msgspec.Meta(max_length=500)]]
    emergency: bool = False


class Muted(msgspec.Struct, frozen=True, kw_only=True, tag="muted", tag_field="kind"):
    """Alerts of one rule on one subject page nobody until `until`; at most 8 hours."""

    rule: Text
    subject_type: Text
    subject_value: Text
    system: Text | None = None
    until: datetime


class Allowed(msgspec.Struct, frozen=True, kw_only=True, tag="allowed", tag_field="kind"):
    """Addresses of `network` are the firm's own, or a partner's: in force once approved."""

    network: Text
    owner: Text
    until: datetime


class Approved(msgspec.Struct, frozen=True, kw_only=True, tag="approved", tag_field="kind"):
    """Another person agrees. A change is in force from `effective` on (event time)."""

    id: Id
    effective: datetime | None = None


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True, tag="withdrawn", tag_field="kind"):
    """A change that nobody approved, a mute or an allow-list entry is taken back."""

    id: Id


What = Adopted | Muted | Allowed | Approved | Withdrawn


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One decision. `login` is the account of this machine under which `by` was typed."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    at: datetime
    by: Text
    login: str
    reason: Text
    what: What
    previous: Sha
    """SHA-256 of the bytes of the line before it, without its line end; zeros for the first."""
