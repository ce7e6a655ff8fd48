"""Facts: the event's own word wins, look-ups fill gaps, and what nobody tells is not known."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.attempts import NON_CUSTOMER, distinct, unpack
from detectors.engine import Engine
from detectors.events import LoginEvent, Origin
from detectors.facts import Facts, Joiner, Listed, Place, facts_of
from detectors.familiarity import Familiar
from detectors.intake import Arrival, accepted, observe
from detectors.memory import MemoryStore
from detectors.networks import Networks
from detectors.windows import Subject
from tests.builders import IP, NAMES, START, arrivals, engine, final, finish, login, rules, series

from .made_events import EVENTS

CUSTOMER = NAMES.customer("C1")
PLACE = Place("TW", 3462, "Chunghwa Telecom")
LISTS = Networks(
    {64496: frozenset({"hosting", "vpn"})},
    {"web": (ip_network("198.51.100.0/28"),), "*": (ip_network("2001:db8:1::/64"),)},
    version="v1",
)


class Directory:
    """A directory of a few aliases."""

    def __init__(self, **listed: Any) -> None:
        self.listed = {name: Listed(kind, CUSTOMER) for name, kind in listed.items()}

    def look_up(self, account: str) -> Listed | None:
        """What stands in it."""
        return self.listed.get(account)


class Everywhere:
    """Every address lies in one place."""

    def __init__(self, place: Place = PLACE) -> None:
        self.place = place

    def look_up(self, _address: str) -> Place:
        """That place."""
        return self.place


def facts(event: LoginEvent, **sources: Any) -> Facts:
    """The facts of an event by a directory that knows alice, a look-up and the lists."""
    chosen: dict[str, Any] = {
        "directory": Directory(alice="customer", carol="closed", root="staff"),
        "origins": Everywhere(),
        "networks": LISTS,
    } | sources
    return facts_of(event, **chosen)


@given(event=EVENTS)
def test_without_look_ups_nothing_is_known_but_what_the_event_says(event: LoginEvent) -> None:
    """Whatever an event leaves out stays not known; an unmarked account is not called unknown."""
    known = facts_of(event)

    origin = event.origin or Origin()
    expected = "unknown" if event.reason == "unknown_account" else None
    assert known.account_class == (event.account_class or expected)
    assert (known.country, known.asn, known.address) == (origin.country, origin.asn, event.ip)
    assert (known.kinds, known.customer, known.as_name) == (None, None, None)
    for value, told in (
        (known.account_class, known.account_class_from),
        (known.country, known.country_from),
        (known.asn, known.asn_from),
    ):
        assert told == ("not known" if value is None else "event")


@given(event=EVENTS)
def test_the_events_own_word_wins(event: LoginEvent) -> None:
    """A directory and a look-up that contradict the event change nothing that it says."""
    known = facts(event)

    if event.account_class is not None:
        assert (known.account_class, known.account_class_from) == (event.account_class, "event")
    origin = event.origin or Origin()
    if origin.country is not None:
        assert (known.country, known.country_from) == (origin.country, "event")
    if origin.asn is not None:
        assert (known.asn, known.asn_from) == (origin.asn, "event")
        assert known.as_name is None or origin.asn == PLACE.asn


@pytest.mark.parametrize(
    ("fields", "account_class", "told", "non_customer"),
    [
        pytest.param({"account": "alice"}, "customer", "directory", False, id="listed"),
        pytest.param({"account": "carol"}, "closed", "directory", True, id="closed"),
        pytest.param({"account": "root"}, "staff", "directory", False, id="staff"),
        pytest.param({"account": "eve"}, "unknown", "directory", True, id="in no list"),
        pytest.param({"account": None}, None, "not known", False, id="no account"),
        pytest.param(
            {"account": "alice", "reason": "unknown_account"},
            *("unknown", "event", True),
            id="the core system knows better",
        ),
        pytest.param(
            {"account": "eve", "account_class": "customer"},
            *("customer", "event", False),
            id="a new customer, known to the core system first",
        ),
    ],
)
def test_who_an_account_is(
    fields: dict[str, Any], account_class: str | None, told: str, non_customer: bool
) -> None:
    """With a directory every account has a class, and one in no list is nobody's."""
    known = facts(login(0, "a", **fields))

    assert (known.account_class, known.account_class_from) == (account_class, told)
    assert known.non_customer == non_customer


def test_an_alias_leads_to_its_customer_even_where_the_event_says_the_class() -> None:
    """Whose account it is, only the directory knows."""
    assert facts(login(0, "a", account_class="customer")).customer == CUSTOMER
    assert facts(login(0, "a", account="eve")).customer is None


@pytest.mark.parametrize(
    ("origin", "kinds", "told"),
    [
        pytest.param({"asn": 64496}, {"hosting", "vpn"}, "networks", id="listed"),
        pytest.param({"asn": 64500}, set(), "networks", id="asked, and in no list"),
        pytest.param(None, None, "not known", id="no AS, nobody to ask"),
    ],
)
def test_what_kind_of_network_it_is(
    origin: dict[str, Any] | None, kinds: set[str] | None, told: str
) -> None:
    """A known AS is on a list or on none; without an AS nothing is known of its kind."""
    said = None if origin is None else Origin(**origin)
    known = facts(login(0, "a", origin=said), origins=None)

    assert (known.kinds, known.kinds_from) == (kinds if kinds is None else frozenset(kinds), told)


def test_a_look_up_of_kinds_adds_to_the_list() -> None:
    """An exit node inside an ordinary network is found by its address."""
    place = Place(asn=64496, kinds=frozenset({"tor"}))

    known = facts(login(0, "a"), origins=Everywhere(place))

    assert known.kinds == frozenset({"hosting", "vpn", "tor"})
    assert known.kinds_from == "geo"


@pytest.mark.parametrize(
    ("ip", "source", "behind"),
    [
        ("198.51.100.7", "web", True),
        ("198.51.100.16", "web", False),
        ("198.51.100.7", "app", False),
        ("2001:db8:1::9", "web", True),
        ("2001:db8:1::9", "app", True),
    ],
)
def test_a_proxys_own_address_is_nobodys(ip: str, source: str, behind: bool) -> None:
    """By source, or for all sources: then neither address nor place of the client is known."""
    known = facts(login(0, "a", ip=ip, source=source))

    assert known.behind_proxy == behind
    assert (known.address, known.country) == ((None, None) if behind else (ip, "TW"))


def test_the_engine_counts_no_address_that_is_a_proxys() -> None:
    """A thousand customers behind one balancer raise no alert on it; their logins are judged."""

    def alerts(joiner: Joiner | None) -> tuple[int, int]:
        async def run() -> tuple[int, int]:
            judge, store = Engine(rules(), NAMES, joiner), MemoryStore()
            tally = await judge.handle(arrivals(series(40, every=5, ip="198.51.100.7")), store)
            await finish(judge, store, 0)
            return len(final(store)), tally.judged.total()

        return asyncio.run(run())

    assert alerts(None)[0] > 0
    assert alerts(lambda event: facts_of(event, networks=LISTS)) == (0, 40)


def entry(known: Facts | None) -> bytes:
    """The log entry of one event under some facts."""
    event, at = login(0, "a", account="eve"), int(START.timestamp() * 1000)
    observed = observe(
        [
            accepted(
                Arrival(event, 0, 0, at),
                NAMES.event("web", "a"),
                at,
                NAMES,
                None if known is None else lambda _: known,
            )
        ],
        NAMES,
        Familiar(),
    )
    return observed.entries[Subject("web", "ip", IP)][0]


def test_an_event_that_comes_again_under_other_facts_counts_once() -> None:
    """A directory loaded between two deliveries of one batch must not make two of one attempt."""
    unmarked, marked = entry(None), entry(facts(login(0, "a", account="eve")))

    assert unpack(marked).flags & NON_CUSTOMER
    assert unmarked != marked
    assert distinct(unmarked + marked) == distinct(marked + unmarked) == [unmarked]


@given(order=st.permutations(range(12)), again=st.sets(st.integers(0, 11)))
def test_alerts_do_not_depend_on_when_a_directory_came(order: list[int], again: set[int]) -> None:
    """Events redelivered under other facts leave the same alerts, whatever came first."""
    events = series(12, every=1)

    async def run() -> list[Any]:
        judge, store = engine(rules(only="ip_fail_burst")), MemoryStore()
        for known in (None, Directory()):
            judge.facts = None if known is None else (lambda e, d=known: facts_of(e, d))
            for number in order:
                if known is None or number in again:
                    await judge.handle(arrivals([events[number]], offset=number), store)
        await finish(judge, store, 0)
        return final(store)

    (alert,) = asyncio.run(run())
    assert alert.counts["failures"] == 12


def test_facts_travel_unchanged() -> None:
    """Facts are values: equal where everything in them is, and safe to keep."""
    known = facts(login(0, "a", ip=IP))

    assert known == facts(login(0, "b", ip=IP))
    with pytest.raises(AttributeError):
        known.country = "JP"  # type: ignore[misc]
    assert msgspec.structs.replace(known, country="JP") != known
