"""Every login event there can be, for properties."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from detectors.events import LoginEvent, Origin

_TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis wants them so)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
_ADDRESSES = st.ip_addresses().map(str)

EVENTS = st.builds(
    LoginEvent,
    schema=st.just(1),
    event_id=_TEXT.filter(bool),
    occurred_at=_TIMES,
    system=_NAMES,
    account=st.none() | _TEXT,
    ip=st.none() | _ADDRESSES,
    outcome=st.sampled_from(["success", "failure"]),
    source=st.none() | _NAMES,
    received_at=st.none() | _TIMES,
    reason=st.sampled_from([None, "bad_password", "unknown_account", "locked", "other"]),
    channel=st.sampled_from([None, "web", "phone", "dma"]),
    mfa=st.none() | st.booleans(),
    account_class=st.sampled_from([None, "customer", "unknown"]),
    device_id=st.none() | _TEXT,
    user_agent=st.none() | _TEXT,
    origin=st.none()
    | st.builds(
        Origin, country=st.sampled_from([None, "TW"]), asn=st.none() | st.integers(0, 2**32 - 1)
    ),
    seq=st.none() | st.integers(-(2**53), 2**53),
    action=st.sampled_from(["login", "logout", "order"]),
)
