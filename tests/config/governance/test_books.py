"""The rule book in force is what was approved, as its periods; damage never ends detection."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.governance.books import configured, folder_of, governed, sha256_of, store
from config.governance.exported import as_toml
from config.governance.ledger import FILE
from config.governance.owed import owed
from config.governance.records import Approved
from config.governance.timeline import differences, joined
from config.rules import RuleBook, load_rules
from config.settings import Settings, load
from tests.builders import found, series

from .builders import adopted, at, say

BURST = '[ip_fail_burst]\nmode = "live"\nowner = "soc"\nreason = "why"\nlimits = {{ {} }}\n'
SIX, SEVEN = BURST.format("failures = 6"), BURST.format("failures = 7")
NAT = BURST.format("failures = 7").replace("why", 'NAT of \\"Taichung\\"\\u007f 台中')


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation whose file says SIX."""
    (tmp_path / "my.toml").write_text(SIX)
    return load(
        environ={
            "LOGINWARD_HOME": str(tmp_path / "home"),
            "LOGINWARD_FILES_RULES": str(tmp_path / "my.toml"),
        }
    )


def put(settings: Settings, text: str, *, minutes: float, emergency: bool = False) -> str:
    """Adopt a rule book with this text and, where it is no emergency, have it in force then."""
    folder = folder_of(settings)
    file = settings.data_dir.parent / "new.toml"
    file.write_text(text)
    spells = governed(settings).spells
    base = spells[-1].rules if spells else store(folder, configured(settings))
    what = adopted(store(folder, file), base, emergency=emergency)
    line = say(folder, what, minutes=minutes)
    if not emergency:
        say(folder, Approved(id=f"C{line.number}", effective=at(minutes)), "bob", minutes)
    return f"C{line.number}"


def limits(book: RuleBook) -> list[tuple[str, int]]:
    """Since when (hours, minutes) which number of failures."""
    return [
        (f"{entry.effective:%H:%M}" if entry.effective else "ever", entry.limits.failures)
        for entry in book.periods("ip_fail_burst")
    ]


def test_without_a_ledger_the_file_of_the_settings_holds(settings: Settings) -> None:
    """Nothing is made, nothing is owed."""
    known = governed(settings)

    assert limits(known.book) == [("ever", 6)]
    assert known.version == sha256_of(configured(settings))[:16]
    assert owed(known, at(0)).texts == []
    assert not folder_of(settings).exists()


def test_each_change_begins_a_period_and_the_first_book_held_before(settings: Settings) -> None:
    """A replay of any day judges by what was in force on it; other detections are not touched."""
    put(settings, SEVEN, minutes=10)
    put(settings, SIX, minutes=60)
    known = governed(settings)

    assert limits(known.book) == [("ever", 6), ("12:10", 7), ("13:00", 6)]
    assert known.book.earlier.keys() == {"ip_fail_burst"}
    versions = [rule.version for rule in known.book.active() if rule.rule.id == "ip_fail_burst"]
    assert versions[2] == f"{versions[0]}.2"
    assert known.version.split() == [known.spells[-1].rules[:16], known.ledger.head[:16]]


def test_owner_and_reason_alone_begin_no_period(settings: Settings) -> None:
    """What does not judge otherwise gives no other version; the newest reason stands."""
    put(settings, SEVEN, minutes=10)
    put(settings, NAT, minutes=60)
    book = governed(settings).book

    assert limits(book) == [("ever", 6), ("12:10", 7)]
    assert book.entries["ip_fail_burst"].reason == 'NAT of "Taichung"\x7f 台中'


def test_an_edited_file_that_nobody_adopted_judges_nobody(settings: Settings) -> None:
    """Once governed, the file of the settings alone changes nothing."""
    put(settings, SEVEN, minutes=10)
    configured(settings).write_text(BURST.format("failures = 1000"))

    assert limits(governed(settings).book)[-1] == ("12:10", 7)


def test_a_file_can_not_change_the_past(settings: Settings) -> None:
    """What an adopted file says of times before its own is left out; of later ones it holds."""
    text = (
        '[ip_fail_burst]\nmode = "live"\neffective = 2026-11-23T14:00:00Z\n'
        "limits = { failures = 9 }\n[[ip_fail_burst.earlier]]\nmode = 'off'\n"
        "[[ip_fail_burst.earlier]]\neffective = 2026-11-23T11:00:00Z\n"
        "limits = { failures = 8 }\nmode = 'live'\n"
    )
    put(settings, text, minutes=10)

    assert limits(governed(settings).book) == [("ever", 6), ("12:10", 8), ("14:00", 9)]


def test_a_rule_that_begins_later_is_off_until_then(tmp_path: Path) -> None:
    """Between the start of its book and its own it is off, not as the book before said."""
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(SIX)
    second.write_text('[ip_fail_burst]\nmode = "live"\neffective = 2026-11-23T14:00:00Z\n')
    book = joined([(at(0), load_rules(first)), (at(10), load_rules(second))], first)

    modes = [book.at(at(m)).entries["ip_fail_burst"].mode for m in (-900, 9, 10, 119, 120)]
    assert modes == ["live", "live", "off", "off", "live"]


def test_an_exported_book_is_equal_when_read_again(settings: Settings, tmp_path: Path) -> None:
    """`replay --rules` of the export gives the alerts that were given live, byte for byte."""
    put(settings, SEVEN, minutes=10)
    put(settings, NAT.replace("live", "staged"), minutes=60)
    book = governed(settings).book
    (tmp_path / "all.toml").write_text(as_toml(book, "one\ntwo"), encoding="utf-8")

    again = load_rules(tmp_path / "all.toml")

    assert (again.entries, again.earlier) == (book.entries, book.earlier)
    # START of the events is 06:00; the burst at 12:30 is judged by the second period.
    events = series(12, every=5, start=timedelta(hours=6.5).total_seconds())
    old, new = (found(events, active=one.active()) for one in (book, again))
    assert old == new
    assert {alert.threshold for alert in old if alert.rule == "ip_fail_burst"} == {7}


@pytest.mark.parametrize("harm", ["gone", "altered"])
def test_a_lost_book_leaves_the_one_before_in_force(settings: Settings, harm: str) -> None:
    """Detection goes on with the last book that is what was approved, and it is told."""
    put(settings, SEVEN, minutes=10)
    known = governed(settings)
    path = folder_of(settings) / "rules" / f"{known.spells[-1].rules}.toml"
    path.unlink() if harm == "gone" else path.write_text(SIX + "# altered\n")

    hurt = governed(settings)

    assert limits(hurt.book) == [("ever", 6)]
    assert f"C1: {path}: " in hurt.troubles[0]
    assert owed(hurt, at(0)).grave


def test_a_damaged_ledger_keeps_what_stands_before_the_damage(settings: Settings) -> None:
    """A worker starts with the last good change and says so."""
    put(settings, SEVEN, minutes=10)
    put(settings, SIX, minutes=60)
    path = folder_of(settings) / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"nonsense\n", *lines[2:]]))

    hurt = governed(settings)

    assert limits(hurt.book) == [("ever", 6), ("12:10", 7)]
    assert f"{path}:3" in hurt.troubles[0]


def test_differences_name_rule_key_and_both_values(tmp_path: Path) -> None:
    """One line a key, also where it was not there."""
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(SIX)
    two.write_text(SEVEN.replace("soc", "ops") + "effective = 2026-11-23T14:00:00Z\n")

    assert differences(load_rules(one), load_rules(two)) == [
        "ip_fail_burst.owner: soc -> ops",
        "ip_fail_burst.effective: not there -> 2026-11-23T14:00:00+00:00",
        "ip_fail_burst.limits.failures: 6 -> 7",
    ]


def test_what_is_owed_is_named(settings: Settings) -> None:
    """An emergency is a note until it is overdue, then a finding."""
    identity = put(settings, SEVEN, minutes=0, emergency=True)
    known = governed(settings)

    early, late = owed(known, at(10)), owed(known, at(24 * 60 + 1))

    assert (early.grave, late.grave) == (False, True)
    assert f"{identity} of alice (because)" in early.texts[0]
    assert f"loginward rules approve {identity}" in late.texts[0]
