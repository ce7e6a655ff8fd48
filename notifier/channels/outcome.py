"""What a channel is asked to deliver, and what it says became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from notifier.contacts import Contact
from notifier.ledger_records import SendChannel
from notifier.messages import Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt at one message. `unsure_since`: when an earlier attempt began of which nobody
    knows whether the provider took it; None where there is none.
    """

    notice_id: str
    number: str
    message: Rendered
    contact: Contact
    expires_at: datetime
    unsure_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """accepted: the provider has it, no more. transient: it has not, try again. permanent: it never
    will. unknown: it may have taken it (a timeout, a cut connection).

    `code` is the provider's own, or one of ours; `dead` are parts of the contact (a number, a
    token) that the provider calls gone for good. Neither is ever logged with the contact.
    """

    result: Literal["accepted", "transient", "permanent", "unknown"]
    provider_id: str = ""
    code: str = ""
    dead: tuple[str, ...] = ()


class Channel(Protocol):
    """One way to a customer."""

    @property
    def name(self) -> SendChannel:
        """Which."""
        ...

    async def send(self, delivery: Delivery) -> Outcome:
        """Try once, within the channel's own timeout; every failure is an outcome."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
