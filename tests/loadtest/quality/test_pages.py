"""Who is woken by which alerts: the policy of the SOC's queue over a whole run."""

from __future__ import annotations

from typing import Any

from loadtest.quality import pages as paging
from loadtest.quality.pages import Limits, Page
from loadtest.quality.said import AlertLine, Subject

from .conftest import alert, ms

_MINUTE, _HOUR = 60, 3600


def _pages(*alerts: AlertLine, per_hour: int = 12) -> list[Page]:
    return paging.pages(alerts, Limits(quiet=lambda _: _HOUR * 1000, per_hour=per_hour))


def _on(second: float, host: int, **fields: Any) -> AlertLine:
    """An alert on an address of its own; above 100 in another network."""
    ip = f"192.0.2.{host}" if host <= 100 else f"198.51.100.{host}"
    said: dict[str, Any] = {"subject": Subject("ip", ip), "ips": [ip], "system": "web"}
    return alert(second, **said | {"alert_id": f"{host}-{second}"} | fields)


def _kinds(pages: list[Page]) -> list[tuple[float, str]]:
    return [((page.at_ms - ms(0)) / 1000, page.kind) for page in pages]


def test_a_subject_pages_once_in_its_quiet_time() -> None:
    """From the page on, not from the last alert; what is graver pages again."""
    told = _pages(
        _on(0, 1),
        _on(3000, 1),
        _on(3601, 1),
        _on(4000, 1, severity="critical"),
        _on(4001, 1, severity="medium"),
        _on(4002, 1, mode="staged"),
    )

    assert _kinds(told) == [(0, "alert"), (3601, "alert"), (4000, "alert")]
    assert told[0].alerts == ["1-0", "1-3000"]


def test_an_incident_pages_when_it_opens_and_when_it_first_hits() -> None:
    """Its first alerts page singly until there are three subjects; what follows joins."""
    hits = [
        _on(second, 1, rule="success_after_attack", severity="high", accounts=["victim"])
        for second in (300, 400)
    ]
    told = _pages(*(_on(60 * n, n) for n in range(1, 6)), *hits, _on(500, 6, severity="critical"))

    assert _kinds(told) == [
        (60, "alert"),
        (120, "alert"),
        (180, "incident"),
        (300, "incident"),
        (500, "incident"),
        (4100, "digest"),
    ]
    assert told[2].alerts == ["3-180", "4-240"]
    assert told[5].alerts == ["1-400"]


def test_incidents_that_become_one_do_not_page_again() -> None:
    """What was told of either was told of both."""
    early = [_on(n, n) for n in range(1, 5)]
    late = [_on(10 * _HOUR + n, 200 + n) for n in range(1, 5)]
    bridge = _on(11 * _HOUR, 99, severity="medium", ips=["192.0.2.1", "198.51.100.201"])
    last = _on(11 * _HOUR + 1, 98, ips=["192.0.2.1"])

    told = _pages(*early, *late, bridge, last)

    assert [kind for _, kind in _kinds(told)] == ["alert", "alert", "incident"] * 2
    assert told[2].alerts[-1] == "98-39601"


def test_no_more_than_so_many_an_hour() -> None:
    """The rest goes into a digest an hour; only what is critical passes."""
    alone = [_on(n, n, system=f"s{n}") for n in range(1, 6)]
    grave = _on(6, 6, system="s6", severity="critical")

    told = _pages(*alone, grave, per_hour=2)

    assert _kinds(told) == [
        (1, "alert"),
        (2, "alert"),
        (3, "digest"),
        (6, "alert"),
        (3603, "digest"),
    ]
    assert [page.alerts for page in told if page.kind == "digest"] == [["3-3"], ["4-4", "5-5"]]


def test_the_limits_are_those_in_force() -> None:
    """Of the files beside the code: a run is the same whatever is set up on a machine."""
    limits = paging.in_force()

    assert limits.per_hour == 12
    assert limits.quiet("ip_fail_burst") > 0
    assert limits.quiet("no such rule") >= limits.quiet("ip_fail_burst")
