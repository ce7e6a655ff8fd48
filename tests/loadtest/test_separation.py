"""No single field of the wire gives B, D, E or F away."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.errors import LoginwardError
from loadtest.rendering import OPTIONAL
from loadtest.separation import EXEMPT, LIMIT, Measured, measure, too_far

from .conftest import Make

_DAY = 86_400_000


@pytest.mark.parametrize(
    ("profile", "scale", "days", "second_factor"),
    [
        pytest.param("B:0.18+G", 0.1, 1, False, id="B"),
        pytest.param("D+G", 0.1, 1, True, id="D, second factor"),
        pytest.param("E+G:0.2", 1.0, 1, False, id="E"),
        pytest.param("F+G:0.1", 1.0, 3, False, id="F"),
        pytest.param("F+G:0.1", 1.0, 2, True, id="F, second factor"),
    ],
)
def test_no_field_tells_the_attack_by_itself(
    make: Make, profile: str, scale: float, days: int, second_factor: bool
) -> None:
    """AUC at most 0.7 for every field but outcome and reason, in all readings of its value."""
    options: dict[str, Any] = {"fields": OPTIONAL, "second_factor": second_factor}
    request = make.request(profile, scale=scale, duration_ms=days * _DAY, **options)

    fields = measure(request).fields()

    assert {name: one for name, one in fields.items() if name in too_far(fields)} == {}
    assert fields["outcome"].auc > LIMIT
    assert {*OPTIONAL, *EXEMPT, "ip", "account", "event_id", "occurred_at"} <= set(fields)


def test_an_undisguised_attack_is_told(make: Make) -> None:
    """A datacenter with one old program is told by its network and by its program."""
    request = make.request("A:0.1+G", scale=0.1, duration_ms=_DAY // 4, fields=OPTIONAL)

    told = too_far(measure(request).fields())

    assert {"user_agent", "fingerprint", "origin.asn", "account_class"} <= set(told)


@pytest.mark.parametrize(
    ("attack", "benign", "auc"),
    [
        pytest.param("a", "b", 1.0, id="another value"),
        pytest.param("a", "a", 0.5, id="the same value"),
        pytest.param(None, "b", 1.0, id="a missing value"),
    ],
)
def test_the_measure_itself(attack: str | None, benign: str, auc: float) -> None:
    """Values that differ are certain, values that are equal say nothing, absence counts."""
    measured = Measured()
    at = "2026-11-16T01:00:00.000Z"
    pairs = [
        ({"occurred_at": at, "channel": value}, is_attack)
        for value, is_attack in ((attack, True), (benign, False))
        for _ in range(500)
    ]
    measured.take(pairs)

    assert measured.fields()["channel"].auc == pytest.approx(auc, abs=0.01)


def test_chance_is_not_taken_for_knowledge() -> None:
    """Values that never come again tell nothing, however many of them were learned."""
    measured = Measured()
    measured.take(
        ({"occurred_at": "2026-11-16T01:00:00.000Z", "instrument": str(at)}, at % 2 == 0)
        for at in range(2_000)
    )

    assert measured.fields()["instrument"].auc == pytest.approx(0.5, abs=0.01)


def test_a_run_without_customers_is_refused(make: Make) -> None:
    """There is nothing to tell apart; the sentence says what to write."""
    with pytest.raises(LoginwardError, match=r"no benign record.*B:0\.18\+G"):
        measure(make.request("B"))
