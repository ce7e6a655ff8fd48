"""The page: both languages, no script, nothing foreign unescaped, the same bytes for one record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from archive.daily import charts
from archive.daily.page import LANGUAGES, Language, page, texts_of
from archive.daily.record import DayRecord, Hour, PastDay
from detectors import notices as _notices
from detectors.notices import STATES, NoticeChannel, NoticeStep
from detectors.verdicts import RISKS

from .archives import MONDAY, NOTICES, Shelf, at, attempt, counted, in_order, steady

PRINTABLE = '"><script>alert(1)</script>{{ 7*7 }}'
HOSTILE = f"{PRINTABLE}\x1b[31m\u202e"


class Seen(HTMLParser):
    """Tags that never close what they open, attributes and text of a page."""

    VOID = frozenset({"meta", "br", "rect", "line", "circle", "polyline"})

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        self.text += data


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> DayRecord:
    """Give a day with an attack, hostile names, notices in every state."""
    shelf = Shelf(tmp_path_factory.mktemp("busy"))
    for back in range(9, 0, -1):
        shelf.logins(steady(MONDAY - timedelta(days=back)))
    begin = at(MONDAY, "10:00:00")
    attack = [
        attempt(begin + timedelta(seconds=n), f"x{n}", account=f"S{n % 30}", ip="203.0.113.9")
        for n in range(90)
    ]
    evil = attempt(begin, "evil", system=PRINTABLE, source=PRINTABLE, account=HOSTILE)
    shelf.logins(in_order(steady(MONDAY), attack, [evil]))
    shelf.alerts(at(MONDAY, "23:00:00"))
    steps = [
        NoticeStep(
            schema=1, notice_id=f"{state}-{risk}-{channel}", seq=1, at="2026-11-23T02:00:00Z",
            state=state, verdict_id="0", event_id="e", account="x", system="trading-web",
            notice_risk=risk, channel=channel,
        )
        for state in STATES
        for risk in RISKS
        for channel in get_args(NoticeChannel)
    ]  # fmt: skip
    shelf.put(NOTICES, [(1, None, b"")])
    shelf.put(NOTICES, [(1_795_400_000_000, None, _notices.encode(one)) for one in steps])
    record = counted(shelf.store)
    evil_alert = replace(record.alerts[0], rule=HOSTILE, subject=HOSTILE, updated_at=HOSTILE)
    return replace(record, alerts=[evil_alert, *record.alerts])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_foreign_becomes_part_of_the_page(busy: DayRecord, language: Language) -> None:
    """Tags, control and bidi characters in names of systems and sources are text, and bounded."""
    seen = Seen(page(busy, language))

    assert not {"script", "iframe", "img", "link", "form", "object"} & set(seen.tags)
    assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in seen.attributes)
    assert seen.open == []
    assert f"{PRINTABLE}\\x1b[31m\\u202e" in seen.text
    assert "\x1b" not in seen.text
    assert "\u202e" not in seen.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_accounts_are_pseudonyms(busy: DayRecord, language: Language) -> None:
    """No account as typed stands in the page or the record."""
    text = page(busy, language).decode()

    assert "S17" not in re.sub(r"[0-9a-f]{4}-[0-9a-f]{24}", "", text)
    assert re.search(r"[0-9a-f]{4}-[0-9a-f]{24}", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_record_gives_the_same_page(busy: DayRecord, language: Language) -> None:
    """Made twice, byte for byte."""
    assert page(busy, language) == page(busy, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_has_a_page(tmp_path: Path, language: Language) -> None:
    """Of an archive that holds nothing too, with every registered system in it."""
    seen = Seen(page(counted(Shelf(tmp_path).store), language))

    for name in ("trading-web", "trading-app", "dma-gateway", "phone-desk"):
        assert name in seen.text


def test_the_page_loads_nothing(busy: DayRecord) -> None:
    """It is one file: no address of anything in it, and a policy that forbids all loading."""
    text = page(busy, "zh-TW").decode()

    assert "default-src 'none'" in text
    assert not re.search(r"https?://|url\(|@import", text)


def test_both_languages_say_the_same() -> None:
    """The two files have the same keys, and no text is empty or left in the other language."""
    one, other = (_flat(texts_of(language)) for language in LANGUAGES)

    assert one.keys() == other.keys()
    assert all(one.values())
    assert all(other.values())
    assert not [key for key, text in other.items() if re.search(r"[\u4e00-\u9fff]", str(text))]


def _flat(texts: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in texts.items():
        found |= _flat(value, f"{at}{key}.") if isinstance(value, dict) else {f"{at}{key}": value}
    return found


def test_every_state_and_channel_has_its_word() -> None:
    """A notice in any state, of any risk, on any channel can be shown."""
    for language in LANGUAGES:
        texts = texts_of(language)
        assert set(texts["notice_state_of"]) == set(STATES)
        assert set(texts["risk_of"]) == set(RISKS)
        assert set(texts["channel_of"]) == set(get_args(NoticeChannel))


def test_bars_stay_inside_the_chart() -> None:
    """The highest bar reaches its tick and no higher; an hour of nothing has no height."""
    found = charts.bars([Hour(failures=n * 37, strangers=n) for n in range(24)], (8.5, 14.5))

    assert min(mark.y for mark in found.failures) >= charts.TOP
    assert found.failures[0].height == 0
    assert found.axis.top >= 23 * 37
    assert all(value == int(value) for _, value in found.axis.ticks)


@pytest.mark.parametrize("largest", [0, 1, 4, 5, 99, 101, 1_000_001])
def test_ticks_are_round_and_high_enough(largest: int) -> None:
    """The scale ends at a round even number at or above the largest figure."""
    found = charts.axis(largest, 100)

    assert found.top >= largest
    assert found.top % 2 == 0
    assert [value for _, value in found.ticks] == [0, found.top // 2, found.top]


def test_days_before_the_system_was_known_draw_no_line() -> None:
    """The line begins where the system was first heard, not at zero."""
    past = [
        PastDay(date=f"2026-10-{n:02d}", kind="trading", known=n > 5, failures=n, strangers=0)
        for n in range(1, 31)
    ]

    found = charts.line(past, 7, 0)

    assert len(found.dots) == 25
    assert len(found.failures.split()) == 26
