"""Small runs with known answers, as a peer sees them."""

from __future__ import annotations

from loadtest.ledger import LedgerLine
from loadtest.quality import peer_measures, truth
from loadtest.quality.counts import Counts
from loadtest.quality.fail2ban import Fail2ban

from .conftest import GOOD, OTHER, attack, login, takeover


def _counts(*lines: LedgerLine) -> Counts:
    return peer_measures.peer(truth.read(lines, peers=[Fail2ban()]), "fail2ban")


BURST = [attack(n, f"e{n}") for n in range(5)]


def test_a_ban_catches_the_campaign_whose_attempt_set_it_off() -> None:
    """The fifth failure bans; the time to it runs from the first attempt."""
    told = _counts(*BURST)

    assert (told.campaigns, told.caught, told.pages, told.false_campaigns) == (1, 1, 1, 0)
    assert (told.detect_s, told.detect_first_s) == ([0.0], [4.0])
    assert told.rules["sshd"].true_alerts == 1


def test_a_ban_set_off_by_a_customer_is_false() -> None:
    """Five mistakes at home; the good logins behind the same address are turned away."""
    mistakes = [login(n, f"m{n}", kind="typo", outcome="failure") for n in range(5)]

    told = _counts(*mistakes, login(6, "g"), login(700, "h"))

    assert (told.pages, told.false_campaigns, told.good, told.stepped_up) == (1, 1, 2, 1)


def test_a_takeover_is_flagged_under_a_ban_or_a_minute_before_one() -> None:
    """Banned at the time: flagged. Let in at the third try and banned at the fifth: flagged."""
    under = _counts(*BURST, takeover(6, "t"))
    before = _counts(*BURST[:3], takeover(2.5, "t"), *BURST[3:])
    elsewhere = _counts(*BURST, takeover(6, "t", ip=OTHER))
    long_after = _counts(*BURST, takeover(700, "t"))

    flagged = [told.flagged for told in (under, before, elsewhere, long_after)]
    assert flagged == [1, 1, 0, 0]


def test_all_attempts_of_a_named_address_are_attributed() -> None:
    """Before and after the ban."""
    told = _counts(*BURST, attack(800, "later"), attack(801, "other", ip=OTHER))

    assert (told.attacks, told.attributed) == (7, 6)


def test_what_a_peer_has_no_notion_of_is_not_measured() -> None:
    """No notices, no look-back, no takeover of a single rule: None, never 0."""
    told = _counts(*BURST, login(9, "g", ip=GOOD))

    assert (told.notices, told.looked_back, told.rules["sshd"].flagged) == (None, None, None)
