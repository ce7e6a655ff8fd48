"""What several rules say of one login is one word, the gravest; an ordinary login is an entry."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.events import LoginEvent, Origin
from detectors.facts import Facts
from detectors.verdicts import RISKS, Verdict, decode, encode, joined
from tests.builders import NAMES, arrivals, engine, login
from tests.detectors.warm import warm

WORDS = st.builds(
    Verdict,
    event_id=st.just("e"),
    occurred_at=st.just("2026-11-23T06:00:00Z"),
    account=st.just("a"),
    notice_risk=st.sampled_from(RISKS),
    rules=st.lists(st.sampled_from(["r", "s", "t"]), max_size=1),
    verdict_id=st.just("v"),
    system=st.just("web"),
    country=st.sampled_from([None, "TW"]),
    asn=st.sampled_from([None, 3462]),
    device=st.sampled_from([None, "d"]),
    late=st.booleans(),
)


@given(st.lists(WORDS, min_size=1, max_size=3))
def test_joined_is_the_gravest_and_all_that_is_known(words: list[Verdict]) -> None:
    """In whatever order the rules speak: one record, every rule in it once, late if any is."""
    found = set()
    for order in permutations(words):
        whole: Verdict | None = None
        for word in order:
            whole = joined(word, whole)
        assert whole is not None
        found.add(encode(whole))
        assert whole.notice_risk == max((w.notice_risk for w in words), key=RISKS.index)
        assert whole.country == next((w.country for w in words if w.country), None)
        assert whole.late == any(w.late for w in words)
        if len(words) > 1:
            assert whole.rules == sorted({rule for w in words for rule in w.rules})
    assert len(found) == 1


@given(WORDS)
def test_a_verdict_survives_the_wire(word: Verdict) -> None:
    """Read back it is the same; what nobody knows takes no byte."""
    assert decode(encode(word)) == word
    assert b"null" not in encode(word)


def inbox(*events: LoginEvent, facts: Any = None, **fields: Any) -> list[Verdict]:
    """The inbox entries of one batch."""
    store = warm()

    async def run() -> list[Verdict]:
        judge = engine(facts=facts)
        arriving = [one._replace(**fields) for one in arrivals(events)]
        return judge.inbox(await judge.handle(arriving, store))

    return asyncio.run(run())


def test_an_ordinary_login_is_an_entry() -> None:
    """With place, channel and device, and neither rule nor account as typed."""
    (word,) = inbox(
        login(
            0,
            "e",
            outcome="success",
            channel="app",
            device_id="phone",
            origin=Origin(country="TW", asn=3462),
        )
    )

    assert (word.event_id, word.notice_risk, word.rules) == ("e", "inbox", [])
    assert (word.account, word.system) == (NAMES.account("alice"), "web")
    assert (word.channel, word.country, word.asn) == ("app", "TW", 3462)
    assert len(word.verdict_id) == len(word.device or "") == 16
    assert word.occurred_at == "2026-11-23T06:00:00Z"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"outcome": "failure"}, id="a failure"),
        pytest.param({"account": None}, id="nobody's"),
        pytest.param({"account_class": "staff"}, id="of staff"),
        pytest.param({"account_class": "closed"}, id="of a closed account"),
        pytest.param({"action": "logout"}, id="no login"),
    ],
)
def test_what_is_no_customers_login_is_no_entry(fields: dict[str, Any]) -> None:
    """Nobody is told of what is not theirs."""
    assert inbox(login(0, "e", **{"outcome": "success"} | fields)) == []


def test_an_import_is_no_entry() -> None:
    """What happened years ago fills no inbox."""
    assert inbox(login(0, "e", outcome="success"), backfill=True) == []


def test_the_directory_says_who_is_staff() -> None:
    """Where the event does not say it, the joined facts do."""

    def staff(_: LoginEvent) -> Facts:
        return Facts(account_class="staff")

    assert inbox(login(0, "e", outcome="success"), facts=staff) == []


def test_a_repeated_event_is_one_entry() -> None:
    """A duplicate under the same identity is not a second login."""
    event = login(0, "e", outcome="success")

    assert len(inbox(event, event)) == 1
