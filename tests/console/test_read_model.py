"""The folds behind the live screen: each number follows from the records, and from nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import read_model
from console.picture import Counts
from console.read_model import RATE_S, WINDOW_S, ReadModel
from detectors.alerts import AlertSubject
from detectors.events import instant, rfc3339
from detectors.rule import SEVERITIES

from .builders import NOON_MS, alert, batch, login


def test_rates_are_means_over_the_last_whole_seconds() -> None:
    """Ten failures a second for five seconds are 10.0/s; the running second does not count yet."""
    model = ReadModel()
    for second in range(RATE_S + 1):
        for _ in range(10):
            model.login(login(outcome="failure"), NOON_MS + second * 1000)
    model.login(login(), NOON_MS)

    rates = model.picture(NOON_MS + RATE_S * 1000 + 900).rates

    assert rates.failed == 10
    assert rates.succeeded == 1 / RATE_S
    assert rates.failed_history == (0,) * (WINDOW_S - RATE_S) + (10,) * RATE_S


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        pytest.param({"reason": "unknown_account"}, True, id="the source says so"),
        pytest.param({"account_class": "unknown"}, True, id="the class says so"),
        pytest.param({"account_class": "closed"}, True, id="a closed account"),
        pytest.param({"reason": "bad_password"}, False, id="a bad password"),
        pytest.param({}, False, id="nobody knows"),
    ],
)
def test_an_unknown_account_is_one_that_the_event_calls_so(
    facts: dict[str, str], unknown: bool
) -> None:
    """Absent facts are no verdict: only what the event says counts as unknown."""
    model = ReadModel()
    model.login(login(outcome="failure", **facts), NOON_MS)

    assert (model.picture(NOON_MS + 1000).rates.unknown > 0) is unknown


def test_addresses_with_most_failures_come_first_and_leave_after_a_minute() -> None:
    """The list is of the last minute; successes stand beside, and the worst alert of each."""
    model = ReadModel()
    for _ in range(3):
        model.login(login(ip="198.51.100.7", outcome="failure"), NOON_MS)
    model.login(login(ip="203.0.113.9", outcome="failure"), NOON_MS)
    model.login(login(ip="203.0.113.9"), NOON_MS)
    model.login(login(ip=None, outcome="failure"), NOON_MS)
    model.alert(alert(severity="medium", alert_id="m"), NOON_MS)
    model.alert(alert(severity="high", alert_id="h"), NOON_MS)

    rows = model.picture(NOON_MS + 1000).addresses

    assert [(row.address, row.failed, row.succeeded, row.severity) for row in rows] == [
        ("198.51.100.7", 3, 0, "high"),
        ("203.0.113.9", 1, 1, None),
    ]
    assert model.picture(NOON_MS + (WINDOW_S + 1) * 1000).addresses == ()


def test_a_flood_of_addresses_is_bounded_and_still_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the bound an address has no row of its own; the rates have every attempt."""
    monkeypatch.setattr(read_model, "MOST_ADDRESSES", 5)
    model = ReadModel()
    for number in range(20):
        model.login(login(ip=f"203.0.113.{number}", outcome="failure"), NOON_MS)

    shown = model.picture(NOON_MS + 1000)

    assert len(shown.addresses) == 5
    assert shown.rates.failed_history[-1] == 20


@given(st.lists(st.integers(1, 9), min_size=1), st.data())
def test_batches_that_come_again_count_once(sizes: list[int], data: st.DataObject) -> None:
    """After a kill the next worker starts at a batch's beginning and cuts anew: nothing twice."""
    model = ReadModel()
    edges = [0]
    for size in sizes:
        model.judged(batch(edges[-1], edges[-1] + size))
        edges.append(edges[-1] + size)
    at = data.draw(st.sampled_from(edges))
    end = edges[-1] + data.draw(st.integers(1, 5))
    while at < end:
        upto = min(end, at + data.draw(st.integers(1, 7)))
        model.judged(batch(at, upto))
        at = upto
    model.positions({0: end}, {})

    assert model.counts == Counts(read=end, judged=end)
    assert model.picture(NOON_MS).lag == 0


def test_many_batches_are_summed_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console that stays open for days holds a bounded number of batches and the right sum."""
    monkeypatch.setattr(read_model, "RECUT", 3)
    model = ReadModel()
    for number in range(50):
        model.judged(batch(number * 2, number * 2 + 2, judged=1, rejected=1))

    assert model.counts == Counts(read=100, judged=50, rejected=50)


def test_lag_is_never_negative_and_what_is_judged_is_in_kafka() -> None:
    """Ends are asked for less often than batches come: the picture never contradicts itself."""
    model = ReadModel()
    model.positions({0: 5, 1: 7}, {0: 4})
    model.judged(batch(0, 9))

    shown = model.picture(NOON_MS)

    assert [(row.end, row.lag, row.sealed) for row in shown.partitions] == [(9, 0, 4), (7, 7, 0)]
    assert (shown.in_kafka, shown.lag, shown.sealed) == (16, 7, 4)


@given(st.permutations(range(1, 8)))
def test_of_an_alert_the_highest_revision_stands(revisions: list[int]) -> None:
    """Revisions may come in any order and twice: the highest wins, the first delivery dates it."""
    model = ReadModel()
    first = [
        model.alert(alert(revision=revision), NOON_MS + at)
        for at, revision in enumerate([*revisions, *revisions])
    ]

    assert first == [True] + [False] * 13
    assert model.current_alerts()["a1"].revision == 7
    assert model.told() == [(alert(revision=7), NOON_MS)]


@given(
    st.lists(
        st.tuples(st.sampled_from(SEVERITIES), st.integers(0, 3), st.integers(0, 9)), max_size=12
    )
)
def test_the_worst_subject_stands_first(facts: list[tuple[str, int, int]]) -> None:
    """Subjects are in order of their worst alert; each alert belongs to exactly one subject."""
    model = ReadModel()
    for number, (severity, who, minute) in enumerate(facts):
        model.alert(
            alert(
                alert_id=f"a{number}",
                severity=severity,
                subject=AlertSubject("ip", f"198.51.100.{who}"),
                opened_at=rfc3339(instant(NOON_MS - minute * 60_000)),
            ),
            NOON_MS,
        )

    shown = model.picture(NOON_MS)

    ranks = [SEVERITIES.index(row.worst.severity) for row in shown.subjects]
    assert ranks == sorted(ranks, reverse=True)
    assert {row.worst.subject for row in shown.subjects} == {a.subject for a in shown.alerts}
    assert sum(shown.by_severity.values()) == len(facts)


def test_ages_count_from_the_events_own_time() -> None:
    """Opened and grown are told against the clock that is handed in."""
    model = ReadModel()
    model.alert(
        alert(updated_at=rfc3339(instant(NOON_MS + 20_000)), counts={"failures": 3, "capped": 1}),
        NOON_MS,
    )

    row = model.picture(NOON_MS + 30_000).alerts[0]

    assert (row.opened_s, row.grew_s, row.at_least) == (30, 10, True)


def test_the_board_keeps_a_bounded_number_of_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the alert that grew longest ago leaves."""
    monkeypatch.setattr(read_model, "MOST_ALERTS", 2)
    model = ReadModel()
    for number in (3, 1, 2):
        grew = rfc3339(instant(NOON_MS + number * 1000))
        model.alert(alert(alert_id=f"a{number}", updated_at=grew), NOON_MS)

    assert set(model.current_alerts()) == {"a2", "a3"}


def test_a_login_that_passes_shows_its_pseudonym_only() -> None:
    """The account as typed is in nothing that a picture holds."""
    model = ReadModel()
    model.login(login(), NOON_MS, "ab12-00")

    shown = model.picture(NOON_MS)

    assert shown.logins[0].account == "ab12-00"
    assert "A000000001" not in repr(shown)
