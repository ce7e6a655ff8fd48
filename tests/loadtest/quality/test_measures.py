"""Small runs with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from loadtest.ledger import LedgerLine
from loadtest.quality import measures, truth
from loadtest.quality.counts import Counts
from loadtest.quality.said import AlertLine, IncidentLine, Said, Subject, VerdictLine

from .conftest import BAD, GOOD, OTHER, alert, attack, incident, login, ms, takeover, verdict


def _counts(
    lines: Sequence[LedgerLine],
    alerts: Sequence[AlertLine] = (),
    incidents: list[IncidentLine] | None = None,
    verdicts: list[VerdictLine] | None = None,
    since: float = 0,
) -> Counts:
    said = Said(alerts=list(alerts), incidents=incidents, verdicts=verdicts)
    real = truth.read(
        lines,
        evidence={name for one in alerts for name in one.event_ids},
        asked=said.asked,
        since_ms=ms(since),
    )
    return measures.ours(said, real)


CAMPAIGN = [attack(n, f"e{n}") for n in range(200)]


@pytest.mark.parametrize(
    ("found", "caught"),
    [
        pytest.param(alert(150, "e1", "e2"), 1, id="its own evidence"),
        pytest.param(alert(150, "e1", "g"), 1, id="half of the evidence"),
        pytest.param(alert(150, "e1", "g", "h"), 0, id="mostly a customer's"),
        pytest.param(alert(150, subject=Subject("global", "")), 0, id="no evidence at all"),
        pytest.param(alert(150, "?", ips=[BAD, OTHER]), 1, id="half of the addresses"),
        pytest.param(alert(150, "?", ips=[BAD, OTHER, GOOD]), 0, id="fewer of the addresses"),
        pytest.param(
            alert(150, subject=Subject("asn", "64496"), accounts=["victim", "customer"]),
            1,
            id="no addresses: half of the accounts",
        ),
        pytest.param(alert(150, "e1", severity="medium"), 0, id="wakes nobody"),
        pytest.param(alert(150, "e1", mode="staged"), 0, id="staged"),
        pytest.param(alert(259, "e1"), 1, id="60 s after its last attempt"),
        pytest.param(alert(260, "e1"), 0, id="when it was long over"),
        pytest.param(alert(-1, "e1"), 0, id="before it began"),
    ],
)
def test_what_catches_a_campaign(found: AlertLine, caught: int) -> None:
    """An alert of severity >= high, at least half its own, opened while it goes on."""
    lines = [login(0, "g"), login(0, "h"), *CAMPAIGN]

    assert _counts(lines, [found]).caught == caught


def test_time_to_detect_runs_from_the_hundredth_attempt() -> None:
    """The first alert counts; before the hundredth attempt it is no delay at all."""
    late = _counts(CAMPAIGN, [alert(150, "e1"), alert(160, "e2")])
    early = _counts(CAMPAIGN, [alert(30, "e1")])

    assert (late.detect_s, late.detect_first_s) == ([51.0], [150.0])
    assert (early.detect_s, early.detect_first_s) == ([0.0], [30.0])


def test_an_incident_catches_from_its_first_page_on() -> None:
    """A medium alert names the campaign, a page of the same incident wakes the analyst."""
    named = alert(110, "e1", severity="medium")
    page = alert(140, "g")
    lines = [login(0, "g"), *CAMPAIGN]

    both = _counts(lines, [named, page], [incident(named, page)])
    quiet = _counts(lines, [named], [incident(named)])

    assert (both.caught, both.detect_first_s) == (1, [140.0])
    assert quiet.caught == 0


_HIT = takeover(100, "t")


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        pytest.param(alert(100, "t", accounts=["victim"]), (1, 0), id="at the event"),
        pytest.param(alert(-300, "e", accounts=["victim"]), (1, 0), id="open at the event"),
        pytest.param(
            alert(100, "t", subject=Subject("account", "victim")), (1, 0), id="as its subject"
        ),
        pytest.param(alert(160, "t", accounts=["victim"]), (1, 0), id="60 s later"),
        pytest.param(alert(161, "t", accounts=["victim"]), (0, 1), id="later: look-back"),
        pytest.param(alert(-700, "e", accounts=["victim"]), (0, 0), id="over before the event"),
        pytest.param(
            alert(100, "t", accounts=["victim"], severity="medium"), (0, 0), id="wakes nobody"
        ),
        pytest.param(alert(100, "t", ips=[BAD]), (0, 0), id="the address is not the account"),
    ],
)
def test_what_flags_a_takeover(found: AlertLine, counts: tuple[int, int]) -> None:
    """An alert of severity >= high names the account within 60 s of the event."""
    told = _counts([attack(0, "e"), _HIT], [found])

    assert told.takeovers == 1
    assert (told.flagged, told.looked_back) == counts


@pytest.mark.parametrize(
    ("found", "risk", "counts"),
    [
        pytest.param(alert(90, "e", ips=[BAD]), None, (1, 0), id="its address was named"),
        pytest.param(alert(90, "e"), None, (1, 0), id="its address is the subject"),
        pytest.param(
            alert(90, "e", subject=Subject("subnet", "192.0.2.0/24")), None, (1, 0), id="its /24"
        ),
        pytest.param(alert(170, "e", ips=[BAD]), None, (0, 1), id="named later: look-back"),
        pytest.param(
            alert(90, "e", subject=Subject("global", "all")), None, (0, 1), id="nothing of it named"
        ),
        pytest.param(
            alert(90, "e", subject=Subject("global", "all")), "ask", (1, 0), id="asked at once"
        ),
        pytest.param(
            alert(90, "e", subject=Subject("global", "all")), "inbox", (0, 1), id="not asked"
        ),
    ],
)
def test_accounts_hit_count_when_they_could_be_known(
    found: AlertLine, risk: str | None, counts: tuple[int, int]
) -> None:
    """accounts_hit has no times: what only a look-back can have found is counted apart."""
    told = _counts(
        [attack(0, "e"), _HIT],
        [found],
        [incident(found, accounts_hit=["victim"])],
        None if risk is None else [verdict("t", risk)],
    )

    assert (told.flagged, told.looked_back) == counts


def test_attempts_are_attributed_by_address() -> None:
    """Medium alerts and incidents name addresses, low ones do not; a /24 is all of its own."""
    lines = [attack(n, f"e{n}", ip=BAD if n < 3 else OTHER) for n in range(4)]
    low = alert(10, severity="low")
    subnet = alert(10, severity="medium", subject=Subject("subnet", "192.0.2.0/24"))

    def attributed(*args: Any) -> int:
        return _counts(lines, *args).attributed

    assert attributed([alert(10)]) == 3
    assert attributed([low]) == 0
    assert attributed([low], [incident(low, ips=[OTHER])]) == 1
    assert attributed([subnet]) == 4


def test_a_false_campaign_is_an_incident_or_a_page_without_one() -> None:
    """Ten false alerts of one incident are one false campaign, on three subjects alone three."""
    addresses = [GOOD, "198.51.100.2", "198.51.100.3"] * 4
    alerts = [alert(n, "g", subject=Subject("ip", ip)) for n, ip in enumerate(addresses[:10])]
    silent = [alert(60, "g", severity="medium"), alert(61, "g", mode="staged")]
    true = alert(50, "e0", system="other")
    lines = [attack(0, "e0"), login(3600, "g")]

    together = _counts(lines, [*alerts, true, *silent], [incident(*alerts)])
    apart = _counts(lines, [*alerts[:2], true, *silent])

    assert (together.false_campaigns, together.hours) == (1, 1.0)
    assert (apart.pages, apart.false_campaigns) == (3, 2)


def test_customers_are_stepped_up_by_ask_and_high_alone() -> None:
    """An inbox message bothers nobody; a takeover's notice is a notice, but no good login."""
    lines = [login(n, f"g{n}") for n in range(4)] + [_HIT, login(9, "typo", kind="typo")]
    verdicts = [
        verdict("g0", "ask"),
        verdict("g1", "high"),
        verdict("g2", "inbox"),
        verdict("t", "high"),
    ]

    told = _counts(lines, verdicts=verdicts)
    silent = _counts(lines)

    assert (told.good, told.stepped_up, told.notices) == (4, 2, 3)
    assert (silent.stepped_up, silent.notices) == (None, None)


def test_second_copies_and_bad_records_are_no_attempts() -> None:
    """What Kafka delivered twice happened once."""
    lines = [attack(0, "e"), attack(0, "e", copy=1), LedgerLine(bad="not_json")]

    assert _counts(lines).attacks == 1


def test_each_detection_is_measured_alone() -> None:
    """Of two detections one catches the campaign, the other flags the takeover."""
    burst = alert(150, "e1", "e2")
    false = alert(150, "g", alert_id="false")
    named = alert(210, "t", accounts=["victim"], rule="success_after_attack", alert_id="named")

    told = _counts([login(0, "g"), *CAMPAIGN, takeover(210, "t")], [burst, false, named])

    rules = told.rules
    assert (rules["ip_fail_burst"].alerts, rules["ip_fail_burst"].true_alerts) == (2, 1)
    assert (rules["ip_fail_burst"].caught, rules["ip_fail_burst"].flagged) == (1, 0)
    assert (rules["success_after_attack"].caught, rules["success_after_attack"].flagged) == (1, 1)


def test_the_time_of_learning_is_not_measured() -> None:
    """Logins, notices and pages before `since` belong to a pipeline that knows nobody yet."""
    lines = [login(0, "g0"), login(100, "g1"), login(3700, "g2")]
    alerts = [alert(50, "g0"), alert(150, "g1", subject=Subject("ip", OTHER))]
    verdicts = [verdict("g0", "ask", 0), verdict("g1", "ask", 100), verdict("g2", "inbox", 3700)]

    told = _counts(lines, alerts, None, verdicts, since=100)

    assert (told.good, told.stepped_up, told.notices) == (2, 1, 1)
    assert (told.pages, told.false_campaigns, told.hours) == (1, 1, 1.0)
    assert told.rules["ip_fail_burst"].alerts == 1


def test_what_a_thief_does_afterwards_is_no_attempt() -> None:
    """Orders are evidence of his campaign, yet neither attempts nor good logins."""
    deeds = [
        takeover(100, "o", kind="thief_order"),
        login(100, "p", kind="order"),
        login(101, "q", kind="device_bind"),
        attack(102, "r", kind="own_login", outcome="success"),
    ]

    told = _counts([attack(0, "e"), *deeds], [alert(100, "o", rule="hit_accounts_same_order")])

    assert (told.attacks, told.takeovers, told.good) == (1, 0, 0)
    assert told.rules["hit_accounts_same_order"].true_alerts == 1
