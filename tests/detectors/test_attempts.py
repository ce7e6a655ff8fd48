"""An entry of a log says what an alert needs, and its bytes are in the order of time."""

from __future__ import annotations

import inspect
import re
from itertools import combinations
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import attempts, deeds
from detectors.attempts import (
    HEAD_BYTES,
    IPV6,
    NO_ACCOUNT,
    NON_CUSTOMER,
    account_of,
    address_of,
    pack,
    split,
    unpack,
)
from detectors.events import LoginEvent, Reason, milliseconds
from tests.builders import NAMES, login

from .logs import entry

IPV4 = st.integers(1, 254).map(lambda last: f"192.0.2.{last}")
IPV6_ADDRESS = st.integers(0, 2**64 - 1).map(lambda host: f"2001:db8:0:7:{_groups(host)}")
REASONS = (None, "bad_password", "unknown_account", "locked", "expired", "mfa_failed", "other")


def _groups(host: int) -> str:
    return ":".join(f"{host >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))


EVENTS = st.builds(
    login,
    st.integers(0, 10**7).map(lambda ms: ms / 1000),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=128),
    account=st.none() | st.text(st.characters(codec="utf-8"), max_size=256),
    ip=IPV4 | IPV6_ADDRESS,
    reason=st.sampled_from(REASONS),
)


@given(EVENTS)
@settings(deadline=None)
def test_an_entry_says_what_its_event_said(event: LoginEvent) -> None:
    """Time, identity, account, reason, id and address come back as they went in."""
    assert event.ip is not None
    identity = NAMES.event(event.emitter, event.event_id)

    packed = pack(event, event.ip, identity, milliseconds(event.judged_at), NAMES)
    attempt = unpack(packed)

    assert attempt.at_ms == milliseconds(event.judged_at)
    assert attempt.event == identity
    assert attempt.event_id == event.event_id
    assert attempt.reason == event.reason
    expected = None if event.account is None else NAMES.account_bytes(event.account)
    assert attempt.account == account_of(packed) == expected
    if ":" in event.ip:
        assert address_of("2001:db8:0:7::/64", attempt.suffix) == event.ip
    else:
        assert attempt.suffix == b""
    assert len(packed) >= HEAD_BYTES


@given(st.lists(EVENTS, max_size=20))
@settings(deadline=None)
def test_appended_entries_are_told_apart(events: list[LoginEvent]) -> None:
    """A log is cut into exactly what was appended, whatever ids and addresses hold."""
    entries = [entry(event) for event in events]

    assert split(b"".join(entries)) == entries


@given(EVENTS, EVENTS)
@settings(deadline=None)
def test_bytes_are_ordered_by_time(one: LoginEvent, other: LoginEvent) -> None:
    """Sorting entries is sorting attempts: a log needs no key function."""
    first, second = sorted([entry(one), entry(other)])

    assert unpack(first).at_ms <= unpack(second).at_ms


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, 0),
        ({"account": None}, NO_ACCOUNT),
        ({"ip": "2001:db8::1"}, IPV6),
        ({"reason": "unknown_account"}, NON_CUSTOMER),
        ({"account_class": "unknown"}, NON_CUSTOMER),
        ({"account_class": "closed"}, NON_CUSTOMER),
        ({"account_class": "customer"}, 0),
        ({"account_class": "prospect"}, 0),
    ],
)
def test_flags_say_what_is_known(fields: dict[str, str | None], flags: int) -> None:
    """An absent fact sets no flag: no verdict comes from what nobody said."""
    assert unpack(entry(login(0, "e", **fields))).flags & 0xF8 == flags


def test_every_reason_has_a_code_of_its_own() -> None:
    """A new reason must be given a code before it can be packed."""
    known = {unpack(entry(login(0, "e", reason=reason))).reason for reason in REASONS}

    assert known == set(REASONS) == {None, *get_args(Reason)}


def test_no_two_marks_share_a_bit() -> None:
    """A mark is one bit of its own among the four bytes; only what is never kept lies beyond."""
    found: dict[str, int] = {"DEED": deeds.DEED}
    for module in (attempts, deeds):
        source = inspect.getsource(module)
        found |= {
            name: int(value, 16)
            for name, value in re.findall(r"^([A-Z]\w+): Final = (0x\w+)$", source, re.MULTILINE)
        }

    assert len(found) > 20
    assert not [pair for pair in combinations(found, 2) if found[pair[0]] & found[pair[1]]]
    assert {name for name, mark in found.items() if mark >> 32} == {"ELSEWHERE"}
