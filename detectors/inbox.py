"""The least of the verdicts: an ordinary login, for an entry in the inbox of the customer's APP."""

from __future__ import annotations

from .attempts import short_hash
from .events import instant, rfc3339
from .intake import Accepted
from .pseudonyms import Pseudonyms
from .verdicts import Verdict


def is_told(login: Accepted) -> bool:
    """Whether a login is a customer's own, and none of an import, of staff or of nobody."""
    known = login.known
    account_class = login.event.account_class if known is None else known.account_class
    return (
        login.event.action == "login"
        and login.event.account is not None
        and not login.backfill
        and account_class in {None, "customer"}
    )


def inbox_entry(login: Accepted, names: Pseudonyms) -> Verdict:
    """The verdict `inbox` of one success."""
    event = login.event
    device = event.device_id
    return Verdict(
        event_id=event.event_id,
        occurred_at=rfc3339(instant(login.at_ms)),
        account=names.account(event.account or ""),
        notice_risk="inbox",
        rules=[],
        verdict_id=login.identity.hex(),
        system=event.system,
        channel=event.channel,
        country=login.country,
        asn=login.asn,
        device=None if device is None else short_hash(device).hex(),
        late=login.late,
    )
