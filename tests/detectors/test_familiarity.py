"""Nothing is said from an absent fact, nothing while memory is cold, and aliases share a memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.attempts import (
    COLD,
    KNOWN_DEVICE,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    OLD_DEVICE,
)
from detectors.events import LoginEvent, Origin
from detectors.facts import Facts, facts_of
from detectors.familiarity import Familiarity
from detectors.intake import claims, sort_out
from detectors.memory import MemoryStore
from tests.builders import DAY, NAMES, arrivals, login

from .warm import HOME, NEWCOMER, PHONE, START_MS, YOUNG, warm

NEW = NEW_DEVICE | NEW_COUNTRY | NEW_ASN
CUSTOMER = bytes(range(12))


def marks(*events: LoginEvent, store: MemoryStore | None = None, facts: Any = None) -> list[int]:
    """The marks of each login of one batch."""
    kept = warm() if store is None else store

    async def run() -> list[int]:
        arriving = arrivals(events)
        claimed = claims(arriving, NAMES)
        tally = sort_out(arriving, claimed, await kept.claim(claimed), NAMES, facts)
        familiar = await Familiarity().read(tally.accepted, kept)
        return [familiar.marks(one) for one in tally.accepted]

    return asyncio.run(run())


ORIGINS = st.sampled_from(
    [None, Origin(country="VN"), Origin(asn=45899), Origin(country="VN", asn=45899)]
)


@given(
    origin=ORIGINS,
    device=st.sampled_from([None, PHONE, "strange"]),
    account=st.sampled_from([None, "alice", NEWCOMER, "dora"]),
    outcome=st.sampled_from(["success", "failure"]),
    system=st.sampled_from(["web", YOUNG]),
)
@settings(max_examples=40, deadline=None)
def test_no_mark_comes_from_an_absent_fact(
    origin: Origin | None, device: str | None, account: str | None, outcome: str, system: str
) -> None:
    """No device told, no word on a device; no place told, none on it; cold, nothing is new."""
    (said,) = marks(
        login(
            0, "e", origin=origin, device_id=device, account=account, outcome=outcome, system=system
        )
    )

    if device is None or account is None:
        assert not said & (NEW_DEVICE | KNOWN_DEVICE | OLD_DEVICE)
    if origin is None or origin.country is None:
        assert not said & NEW_COUNTRY
    if origin is None or origin.asn is None:
        assert not said & NEW_ASN
    if account != "alice" or system == YOUNG:
        assert not said & NEW
    elif device is not None:
        assert bool(said & NEW_DEVICE) == (device == "strange")
        assert bool(said & KNOWN_DEVICE) == (device == PHONE)


def test_a_device_is_old_after_a_week() -> None:
    """Known from the first minute, old from the seventh day on: what the guard counts."""
    young, old = (
        marks(login(0, "e", device_id=PHONE), store=warm(days_ago=days))[0] for days in (6.9, 7.1)
    )

    assert (young & OLD_DEVICE, old & OLD_DEVICE) == (0, OLD_DEVICE)
    assert young & KNOWN_DEVICE
    assert old & KNOWN_DEVICE


def test_aliases_of_one_customer_share_a_memory() -> None:
    """Whoever logs in by national id has the devices of the branch account."""

    def listed(event: LoginEvent) -> Facts:
        return facts_of(event) if event.account == "other" else Facts(customer=CUSTOMER)

    first = login(0, "first", account="A123456789", outcome="success", device_id="mine")
    later = [
        login(60, f"e{n}", account=name, device_id="mine")
        for n, name in enumerate(("98-7654", "other"))
    ]

    _, alias, other = marks(first, *later, facts=listed)
    _, unlisted, _ = marks(first, *later)

    assert alias & KNOWN_DEVICE
    assert not (other | unlisted) & KNOWN_DEVICE


@pytest.mark.parametrize("place", [HOME, Origin(country="VN", asn=45899)])
def test_after_a_loss_nothing_is_new(place: Origin) -> None:
    """While memory is incomplete what is remembered still counts, what is not says nothing."""

    class Lossy(MemoryStore):
        async def cold_until(self) -> int:
            return START_MS + DAY * 1000

    store = Lossy()
    whole = warm()
    store._memories, store._earliest = whole._memories, whole._earliest

    strange, known = marks(
        login(0, "a", device_id="strange", origin=place, outcome="success"),
        login(1, "b", device_id=PHONE, origin=place),
        store=store,
    )
    (warm_again,) = marks(login(DAY, "c", device_id="new", origin=place), store=store)

    assert not (strange | known) & NEW
    assert strange & known & COLD
    assert known & KNOWN_DEVICE
    assert warm_again & NEW_DEVICE
    assert not warm_again & COLD


def test_what_was_seen_of_a_lost_state_is_forgotten() -> None:
    """A worker that remembers that a system was warm asks again after a loss."""
    stores = (warm(), MemoryStore(), MemoryStore())

    async def run() -> list[int | None]:
        familiarity = Familiarity()
        arriving = arrivals([login(0, "e", device_id="strange")])
        steps: list[int | None] = []
        for store in stores:
            claimed = claims(arriving, NAMES)
            tally = sort_out(arriving, claimed, await store.claim(claimed), NAMES)
            familiar = await familiarity.read(tally.accepted, store)
            steps.append(familiar.warm_from["web"])
            if len(steps) == 2:
                familiarity.forget()
        return steps

    first, second, third = asyncio.run(run())
    assert first == second is not None
    assert third is None


def test_a_system_is_warm_by_its_logins_alone() -> None:
    """A thousand orders or changes tell nothing of who logs in from where."""
    events = [
        login(n / 100, f"{action}{n}", outcome="success", action=action, system=YOUNG)
        for action in ("order", "logout", "contact_change")
        for n in range(5)
    ]

    said = marks(*events, login(60, "e", device_id="strange", system=YOUNG), store=warm())

    assert said[-1] & COLD
