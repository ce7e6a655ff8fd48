"""The trading calendar: weekends by rule, holidays as announced, other years from a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.trading_days import load_trading_days


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-11-23", "trading"),
        ("2026-11-22", "weekend"),
        ("2026-02-12", "holiday"),
        ("2026-02-20", "holiday"),
        ("2026-02-28", "holiday"),
        ("2026-12-25", "holiday"),
        ("2027-03-02", "weekday"),
        ("2027-03-06", "weekend"),
    ],
)
def test_days_are_what_the_exchange_announced(day: str, kind: str) -> None:
    """A holiday on a weekend is a holiday; a year nobody entered knows weekends alone."""
    assert load_trading_days().kind(date.fromisoformat(day)) == kind


def test_after_the_new_year_trading_begins_again() -> None:
    """The longest pause of 2026: the last trading day is 11 February, the next 23 February."""
    assert load_trading_days().next_open(date(2026, 2, 11)) == date(2026, 2, 23)


def test_a_file_adds_years(tmp_path: Path) -> None:
    """The firm's own file brings the next year; ours stay."""
    own = tmp_path / "days.toml"
    own.write_text(
        '[[year]]\nyear = 2027\nsource = "TWSE"\n'
        'closed = [{ day = 2027-01-01, zh = "元旦", en = "New Year" }]\n',
        encoding="utf-8",
    )

    calendar = load_trading_days(own)

    assert calendar.kind(date(2027, 1, 1)) == "holiday"
    assert calendar.kind(date(2027, 1, 4)) == "trading"
    assert calendar.kind(date(2026, 12, 25)) == "holiday"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("year = 2027\n", ": write [[year]]"),
        ("[[year]]\nyear = 2027\n", ":1 year: "),
        (
            '[[year]]\nyear = 2027\nsource = "x"\nclosed = [{ day=2026-01-01, zh = "a", en = "b"}]',
            "does not lie within 2027",
        ),
        ("[[yaer]]\n", ":1 yaer: is unknown"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, place: str) -> None:
    """File, line, value and way out."""
    own = tmp_path / "days.toml"
    own.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError) as failure:
        load_trading_days(own)

    assert str(own) in str(failure.value)
    assert place.removeprefix(": ") in str(failure.value)
