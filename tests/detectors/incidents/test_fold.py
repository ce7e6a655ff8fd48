"""Incidents live: alerts one after another come to what they come to at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import distinct
from detectors.alerts import Alert, AlertSubject
from detectors.distinct import Distinct
from detectors.events import milliseconds, rfc3339
from detectors.incidents import Incident, in_order, incident_of, incidents
from detectors.incidents.fold import Fold
from tests.builders import DAY, HOUR, MINUTE, time

from .made_alerts import alert, botnet, everybody, later, takeover

RULES = (
    "ip_account_spray",
    "ip_fail_burst",
    "subnet_attack",
    "success_after_attack",
    "global_attack_mode",
    "account_many_sources",
)


@st.composite
def finals(draw: st.DrawFn) -> list[Alert]:
    """Up to 12 alerts within two days, that share more or less."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        rule = draw(st.sampled_from(RULES))
        ip = f"10.{draw(st.integers(0, 3))}.0.{draw(st.integers(1, 3))}"
        about = {"global_attack_mode": AlertSubject("global", "all")}.get(rule)
        made = alert(
            f"a{number}",
            rule,
            at=draw(st.integers(0, 200)) * 15 * MINUTE,
            lasts=draw(st.integers(0, 8)) * 15 * MINUTE,
            ip=ip,
            severity=draw(st.sampled_from(["medium", "high", "critical"])),
            accounts=tuple(draw(st.sets(st.sampled_from("uvwxyz"), max_size=3))),
            subject=about,
        )
        found.append(later(made, draw(st.integers(1, 4))))
    return found


@given(finals(), st.data())
def test_any_order_any_revisions_any_restart(final: list[Alert], data: st.DataObject) -> None:
    """What it comes to depends on the highest revisions alone."""
    earlier = [
        later(one, revision, updated_at=one.opened_at, ips=one.ips[:0], severity="high")
        for one in final
        for revision in range(1, one.revision)
        if data.draw(st.booleans())
    ]
    come = data.draw(st.permutations([*final, *earlier, *final[:2]]))
    restarts = data.draw(st.lists(st.integers(0, len(come)), max_size=2))
    fold = Fold()
    for number, one in enumerate(come):
        if number in restarts:  # all that the compacted topic has of what came so far, and more
            fold = Fold()
            for before in data.draw(st.permutations(come[:number])):
                fold.add(before)
        fold.add(one)
        if data.draw(st.booleans()):
            list(fold.campaigns())  # to look changes nothing

    assert _found(fold) == incidents(final)


def _found(fold: Fold, now: int | None = None) -> list[Incident]:
    now = fold.newest if now is None else now
    return in_order(incident_of(total, now) for total in fold.campaigns())


def test_what_is_forgotten_stays_in_the_sum() -> None:
    """Sixty days of endless stuffing are one incident, of which the alerts of a week are held."""
    come = [
        one
        for day in range(60)
        for one in (
            everybody(f"g{day:02d}", at=day * DAY, lasts=DAY - HOUR),
            alert(f"s{day:02d}", ip=f"10.{day}.0.1", at=day * DAY + HOUR, accounts=(f"u{day}",)),
            takeover(f"t{day:02d}", f"hit{day}", at=day * DAY + 2 * HOUR, ip=f"10.{day}.0.7"),
        )
    ]
    fold = Fold()
    for one in come:
        fold.add(one)
        fold.forget(milliseconds(time(0)) if not fold.newest else fold.newest)

    assert _found(fold) == incidents(come)
    assert len(_found(fold)) == 1
    assert len(fold) < 30


def test_a_group_that_is_over_is_forgotten_altogether() -> None:
    """A week after its end nothing of it is held."""
    fold = Fold()
    for one in botnet():
        fold.add(one)
    fold.forget(milliseconds(time(9 * DAY)))

    assert (len(fold), list(fold.campaigns())) == (0, [])


def test_two_groups_that_grow_together_have_one_name() -> None:
    """The name of the older incident stays, also where an older alert turns up."""
    fold = Fold()
    for one in botnet():
        fold.add(one)
    (first,) = _found(fold)
    fold.opened(first.opened_with)
    fold.add(alert("late", ip="10.0.0.1", at=-10 * MINUTE))

    (now,) = _found(fold)

    assert (now.incident_id, now.alerts[0]) == (first.incident_id, "late")


def test_an_alert_without_a_time_is_refused() -> None:
    """Bad input is named, and changes nothing."""
    fold = Fold()
    with pytest.raises(ValueError, match="offset"):
        fold.add(later(alert("x"), 2, opened_at="2026-11-23T06:00:00"))

    assert len(fold) == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=80), st.integers(0, 80))
def test_distinct_names_do_not_depend_on_the_order(seen: list[tuple[int, int]], cut: int) -> None:
    """Added in another order, in parts that are joined: the same list and the same number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "KEPT", 10)
        whole, one, other = Distinct(), Distinct(), Distinct()
        for name, at in seen:
            whole.add(f"n{name}", at)
        for name, at in seen[cut:][::-1]:
            one.add(f"n{name}", at)
        for name, at in seen[:cut]:
            other.add(f"n{name}", at)
        one.join(other)

        assert one.listed(10) == whole.listed(10)
        assert one.count == whole.count
        if len({name for name, _ in seen}) <= 10:
            assert whole.count == len({name for name, _ in seen})


def test_a_million_names_are_estimated() -> None:
    """One in a hundred off, and bounded."""
    many = Distinct()
    for number in range(100_000):
        many.add(str(number), number)

    assert many.count == pytest.approx(100_000, rel=0.03)
    assert many.listed(3) == ["0", "1", "2"]


def test_times_are_written_as_alerts_write_them() -> None:
    """Whole seconds without a fraction."""
    (one,) = incidents(botnet())

    assert one.first_seen == rfc3339(time(0))
