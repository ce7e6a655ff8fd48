"""The roster says who is on duty, holes included; what is wrong is told with its place."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.roster_file import DEFAULT, load_roster

ROSTER = """timezone = "Asia/Taipei"
[[person]]
name = "chen"
channels = ["sms:+886900000001", "push:chen.token"]
[[person]]
name = "lin"
channels = ["webhook:https://pager.example/lin"]
[[level]]
name = "analyst"
escalate_after = "10m"
shift = [
  {days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "20:00", people = ["chen"]},
  {days = ["sun", "mon", "tue", "wed", "thu"], from = "20:00", to = "08:00", people = ["lin"]},
]
[first]
high = "analyst"
critical = "analyst"
"""


def roster_file(folder: Path, text: str = ROSTER) -> Path:
    """A roster of the test's own."""
    path = folder / "roster.toml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with a roster."""
    with pytest.raises(SettingsError) as caught:
        load_roster(roster_file(folder, text))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-11-23T08:00:00+08:00", ["chen"]),
        ("2026-11-23T19:59:59+08:00", ["chen"]),
        ("2026-11-23T20:00:00+08:00", ["lin"]),
        ("2026-11-24T07:59:59+08:00", ["lin"]),
        ("2026-11-23T00:30:00+00:00", ["chen"]),
        ("2026-11-27T20:00:00+08:00", []),
        ("2026-11-28T03:00:00+08:00", []),
        ("2026-11-28T12:00:00+08:00", []),
        ("2026-11-22T23:00:00+08:00", ["lin"]),
        ("2026-11-23T07:00:00+08:00", ["lin"]),
    ],
)
def test_shifts_are_hours_of_the_roster_s_own_zone(
    tmp_path: Path, when: str, who: list[str]
) -> None:
    """To the second; a night belongs to the day on which it begins."""
    roster = load_roster(roster_file(tmp_path))

    assert [one.name for one in roster.on_duty(0, datetime.fromisoformat(when))] == who


def test_equal_hours_are_a_whole_day(tmp_path: Path) -> None:
    """From 00:00 to 00:00, and from 08:00 to 08:00."""
    text = ROSTER.replace('from = "08:00", to = "20:00"', 'from = "00:00", to = "00:00"')
    roster = load_roster(roster_file(tmp_path, text))

    for hour in range(24):
        at = datetime.fromisoformat(f"2026-11-23T{hour:02}:00:00+08:00")
        assert "chen" in [one.name for one in roster.on_duty(0, at)]


def test_hours_that_nobody_covers_are_found(tmp_path: Path) -> None:
    """From Friday evening to Sunday evening."""
    roster = load_roster(roster_file(tmp_path))
    week = datetime.fromisoformat("2026-11-23T00:00:00+08:00")

    (gap,) = roster.gaps(0, week)
    assert [at.isoformat() for at in gap] == [
        "2026-11-27T20:00:00+08:00",
        "2026-11-29T20:00:00+08:00",
    ]


def test_the_one_that_comes_along_names_nobody() -> None:
    """And is a roster all the same; its example is one, too."""
    assert load_roster().people == {}


def test_the_example_in_it_is_a_roster(tmp_path: Path) -> None:
    """With the comment signs gone and the other two people added."""
    lines = [line[2:] for line in DEFAULT.read_text().splitlines() if line.startswith("# ")]
    start = next(n for n, line in enumerate(lines) if line.startswith("timezone"))
    others = "".join(
        f'[[person]]\nname = "{name}"\nchannels = ["sms:+886900000002"]\n' for name in ("lin", "wu")
    )

    roster = load_roster(roster_file(tmp_path, "\n".join(lines[start:]) + "\n" + others))

    assert [level.name for level in roster.levels] == ["analyst", "lead"]
    assert dict(roster.first) == {"high": 0, "critical": 1}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Asia/Taipei", "Asia/Taipeh", "timezone: 'Asia/Taipeh' is no time zone"),
        ('"10m"', '"10min"', "level analyst: escalate_after: '10min' is not a duration"),
        ('"10m"', '"1s"', "level analyst: escalate_after is not between 1m and 24h"),
        ('people = ["chen"]', 'people = ["chan"]', "level analyst: 'chan' is no [[person]]"),
        ('"lin"\nch', '"chen"\nch', "person chen: stands there twice"),
        ('high = "analyst"', 'high = "boss"', "first.high: 'boss' is no level"),
        ('high = "analyst"\n', "", "first.high: is not set, so nobody would be paged"),
        ("sms:+886900000001", "sms:0900000001", "person chen: the sms number is not in E.164"),
        ("sms:+886900000001", "fax:+886900000001", "person chen: a channel is no way:address"),
        ("https://pager", "http://pager", "person lin: the webhook is plain http"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """With its place and a way out, all of it at once."""
    assert any(said in text for text in problems(tmp_path, ROSTER.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('to = "20:00"', 'to = "25:00"', "roster.toml:11 level[0].shift[0].to"),
        ('channels = ["webhook', 'chanels = ["webhook', "roster.toml:5 person[1]"),
        ('["mon", "tue", "wed", "thu", "fri"]', '["mo"]', "roster.toml:11 level[0].shift[0].days"),
    ],
)
def test_what_has_the_wrong_shape_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    """As near as the file's tables allow."""
    (said,) = problems(tmp_path, ROSTER.replace(old, new))

    assert place in said


def test_no_message_and_no_repr_shows_a_number(tmp_path: Path) -> None:
    """Numbers of people stand in no log and no traceback."""
    roster = load_roster(roster_file(tmp_path))

    assert "900000001" not in repr(roster)
    assert roster.people["chen"].channels[1].address == str(tmp_path / "chen.token")
    assert not any(
        "0900000001" in text
        for text in problems(tmp_path, ROSTER.replace("sms:+886900000001", "sms:0900000001"))
    )
