"""An incident as it is written, and what stays of its oldest alerts when they are forgotten."""

from __future__ import annotations

import msgspec
import pytest

from detectors.alerts import Alert, AlertSubject
from detectors.events import milliseconds
from detectors.incidents import decode, encode, incident_of
from detectors.incidents.fold import Fold
from detectors.incidents.sums import Sum
from tests.builders import DAY, MINUTE, time

from .made_alerts import alert, botnet, takeover


def changed(name: str, account: str, *, at: float) -> Alert:
    """A thief changed something in an account."""
    return alert(
        name,
        "sensitive_change_after_risky_login",
        at=at,
        ip="10.1.0.1",
        accounts=(account,),
        subject=AlertSubject("account", account),
    )


def campaign(*alerts: Alert, forgotten_at: float | None = None) -> Sum:
    """The one campaign of these alerts; what is a week old at `forgotten_at` (s) forgotten."""
    fold = Fold()
    for one in alerts:
        fold.add(one)
    if forgotten_at is not None:
        fold.forget(milliseconds(time(forgotten_at)))
    (found,) = fold.campaigns()
    return found


def test_it_is_read_as_it_was_written() -> None:
    """One line of JSON, with hits and what was done in them."""
    total = campaign(
        *botnet(),
        takeover("t", "mei", at=31 * MINUTE, ip="10.1.0.1"),
        changed("c", "mei", at=40 * MINUTE),
    )
    incident = incident_of(total, milliseconds(time(DAY)))

    assert decode(encode(incident)) == incident
    assert [(hit.account, [deed.rule for deed in hit.next]) for hit in incident.hits] == [
        ("mei", ["sensitive_change_after_risky_login"])
    ]
    with pytest.raises(msgspec.DecodeError):
        decode(b"{}")


def test_what_is_forgotten_still_counts() -> None:
    """Alerts of more than a week ago leave their numbers, hits and deeds with the incident."""
    early = [
        *botnet(),
        takeover("t", "mei", at=31 * MINUTE, ip="10.1.0.1"),
        changed("c", "mei", at=40 * MINUTE),
    ]
    daily = [alert(f"d{day}", ip="10.1.0.1", at=day * DAY) for day in range(1, 9)]
    whole = campaign(*early, *daily)

    rest = campaign(*early, *daily, forgotten_at=8 * DAY + MINUTE)

    assert rest.hits == whole.hits != {}
    assert rest.deeds == whole.deeds != {}
    assert rest.alerts.count == whole.alerts.count == 14
    assert (rest.first, rest.name) == (whole.first, whole.name)
