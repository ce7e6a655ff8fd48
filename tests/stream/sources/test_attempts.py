"""One attempt, one decision: what several lines of one attempt count as."""

from __future__ import annotations

import pytest

from stream.sources.base import Line

from .logs import new_source, read_log, sshd

IP = "203.0.113.9"
FAILED = f"Failed password for root from {IP} port 4711 ssh2"
FAILED_UNKNOWN = f"Failed password for invalid user bob from {IP} port 4711 ssh2"
INVALID = f"Invalid user bob from {IP} port 4711"
PAM = (
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
    f"rhost={IP}  user=root"
)
PAM_OTHER_MODULE = PAM.replace("pam_unix", "pam_sss")
PAM_UNKNOWN = PAM.removesuffix("  user=root")
CHECK_PASS = "pam_unix(sshd:auth): check pass; user unknown"
PAM_ERROR = f"error: PAM: Authentication failure for root from {IP}"
MORE = PAM.replace("pam_unix(sshd:auth): a", "PAM 2 more a").replace("failure", "failures")
EXCEEDED = f"error: maximum authentication attempts exceeded for root from {IP} port 4711 ssh2"
ACCEPTED = f"Accepted password for root from {IP} port 4711 ssh2"
BYE = f"Received disconnect from {IP} port 4711:11: Bye Bye [preauth]"
KEYBOARD = FAILED.replace("password", "keyboard-interactive/pam")

BAD = "bad_password"
UNKNOWN = "unknown_account"


@pytest.mark.parametrize(
    ("messages", "reasons"),
    [
        pytest.param([PAM, FAILED], [BAD], id="PAM and sshd tell of the same attempt"),
        pytest.param([PAM, FAILED, FAILED, FAILED], [BAD] * 3, id="three tries on one connection"),
        pytest.param([PAM, FAILED, FAILED, BYE, MORE], [BAD] * 2, id="PAM's sum counts nothing"),
        pytest.param([PAM, BYE, MORE], [BAD] * 3, id="PAM's sum counts where sshd is silent"),
        pytest.param([INVALID, FAILED_UNKNOWN], [UNKNOWN], id="Invalid user and Failed"),
        pytest.param(
            [INVALID, CHECK_PASS, PAM_UNKNOWN, FAILED_UNKNOWN, BYE], [UNKNOWN], id="all four lines"
        ),
        pytest.param([INVALID, BYE], [UNKNOWN], id="Invalid user, then gone"),
        pytest.param([INVALID, INVALID], [UNKNOWN] * 2, id="two names refused"),
        pytest.param([INVALID, INVALID, FAILED_UNKNOWN], [UNKNOWN], id="two refused, one decision"),
        pytest.param([INVALID, CHECK_PASS, PAM_UNKNOWN, BYE], [UNKNOWN], id="refused, PAM, gone"),
        pytest.param([PAM, PAM_OTHER_MODULE, FAILED], [BAD], id="two modules of one stack"),
        pytest.param([PAM, PAM_OTHER_MODULE, BYE], [BAD], id="two modules, sshd silent"),
        pytest.param([PAM, PAM, BYE], [BAD] * 2, id="the same module twice is two attempts"),
        pytest.param([PAM, PAM_ERROR, KEYBOARD], [BAD], id="keyboard-interactive, three lines"),
        pytest.param(
            [PAM, PAM_ERROR, PAM, PAM_ERROR, PAM, PAM_ERROR, KEYBOARD, EXCEEDED],
            [BAD] * 3,
            id="sshd logs Failed only from the third try on",
        ),
        pytest.param([PAM_ERROR, PAM_ERROR, BYE], [BAD] * 2, id="PAM's answer twice"),
        pytest.param([CHECK_PASS, PAM_UNKNOWN, BYE], [UNKNOWN], id="PAM does not know the user"),
        pytest.param([CHECK_PASS, PAM_UNKNOWN, PAM, BYE], [UNKNOWN, BAD], id="a hint is used once"),
        pytest.param([FAILED, FAILED, EXCEEDED], [BAD] * 2, id="attempts exceeded counts nothing"),
        pytest.param([EXCEEDED], [BAD], id="attempts exceeded alone"),
        pytest.param([PAM, ACCEPTED], [None], id="one module said no, the next yes"),
        pytest.param([PAM_ERROR, ACCEPTED], [BAD, None], id="PAM's final no, then the right one"),
        pytest.param([FAILED, ACCEPTED], [BAD, None], id="a typo, then the right one"),
        pytest.param(
            [f"User bob from {IP} not allowed because account is locked", FAILED_UNKNOWN],
            ["locked"],
            id="sshd calls a locked account invalid",
        ),
        pytest.param(
            ["User bob not allowed because account is locked", FAILED_UNKNOWN],
            ["locked"],
            id="the same without an address",
        ),
        pytest.param(
            [f"User bob from {IP} not allowed because listed in DenyUsers", FAILED_UNKNOWN],
            ["other"],
            id="denied, not unknown",
        ),
        pytest.param(
            ["pam_unix(sshd:account): account root has expired (account expired)", FAILED],
            ["expired"],
            id="expired",
        ),
        pytest.param(
            [f"message repeated 5 times: [ {FAILED}]"], [BAD] * 5, id="summed up by rsyslog"
        ),
        pytest.param([FAILED, f"message repeated 2 times: [ {FAILED}]"], [BAD] * 3, id="1 + 2"),
    ],
)
def test_lines_of_one_process(messages: list[str], reasons: list[str | None]) -> None:
    """Each attempt is one event, with the reason the lines together know."""
    log = read_log(sshd(*messages))

    assert sorted(map(str, (event.reason for event in log.events))) == sorted(map(str, reasons))
    assert len({event.event_id for event in log.events}) == len(reasons)


def test_processes_do_not_share_attempts() -> None:
    """The failure of one connection takes nothing from the refused name of another."""
    log = read_log([*sshd(INVALID, pid=1), *sshd(FAILED, pid=2), *sshd(BYE, pid=1)])

    assert sorted(e.reason or "" for e in log.events) == [BAD, UNKNOWN]


@pytest.mark.parametrize("messages", [(PAM_ERROR, KEYBOARD), (KEYBOARD,), (PAM_ERROR, BYE)])
def test_pams_helper_process_tells_of_the_same_attempt(messages: tuple[str, ...]) -> None:
    """The PAM line of a keyboard-interactive login has another number, and is no second attempt."""
    log = read_log([*sshd(PAM, pid=101), *sshd(*messages, pid=100)], cut_off=False)

    assert log.told == [("root", IP, "failure", BAD)]


def test_a_helper_process_of_another_address_is_another_attempt() -> None:
    """Only the same account and address make two processes one attempt."""
    elsewhere = PAM.replace(IP, "198.51.100.1")

    log = read_log([*sshd(elsewhere, pid=101), *sshd(KEYBOARD, pid=100), *sshd(BYE, pid=101)])

    assert sorted(e.ip or "" for e in log.events) == ["198.51.100.1", IP]


def test_a_process_number_that_comes_again_later_is_another_process() -> None:
    """After the time sshd waits for a password, an old refused name is an attempt of its own."""
    early = sshd(INVALID, at="Nov 22 10:00:00")
    late = sshd(FAILED_UNKNOWN, at="Nov 22 10:03:00")

    assert len(read_log([*early, *late]).events) == 2


def test_a_held_line_is_told_when_time_has_passed() -> None:
    """Without a closing line the event comes with the first line after the wait, not at the end."""
    source = new_source()
    first, later = sshd(INVALID)[0], sshd(FAILED, pid=9, at="Nov 22 10:03:00")[0]

    held = source.read(Line(first.encode(), 1))
    told = source.read(Line(later.encode(), 2))

    assert (held.kind, held.found) == ("held", ())
    assert [(found.at, found.event.reason) for found in told.found] == [(1, UNKNOWN), (2, BAD)]


def test_pams_word_at_the_end_of_a_file_is_no_decision() -> None:
    """Where sshd logs its decisions, the one of the last attempt stands in the next file."""
    log = read_log([*sshd(FAILED, pid=1), *sshd(PAM, pid=2)])

    assert len(log.events) == 1


def test_pams_word_before_silence_is_a_decision() -> None:
    """A log that goes on, and says nothing more of an attempt, has said what there is."""
    log = read_log([*sshd(FAILED, pid=1), *sshd(PAM, pid=2)], cut_off=False)

    assert len(log.events) == 2


def test_an_address_is_taken_from_the_line_that_has_one() -> None:
    """A later line may have a host name where `Invalid user` had the address."""
    error = "error: PAM: authentication error for illegal user bob from client.example.org"

    log = read_log(sshd(INVALID, error, BYE))

    assert log.told == [("bob", IP, "failure", UNKNOWN)]


def test_old_syslogd_sums_up_the_line_before() -> None:
    """`last message repeated 3 times` stands for three more attempts like the last one."""
    log = read_log([*sshd(FAILED), "Nov 22 10:00:30 host last message repeated 3 times"])

    assert len(log.events) == 4
    assert len({event.event_id for event in log.events}) == 4


def test_a_repeat_of_something_else_is_no_login() -> None:
    """After a line of another program the sum speaks of that one."""
    other = "Nov 22 10:00:10 host cron[5]: job"

    log = read_log([*sshd(FAILED), other, "Nov 22 10:00:30 host last message repeated 3 times"])

    assert len(log.events) == 1


def test_lines_without_process_numbers_are_taken_together_by_address() -> None:
    """`[sshd]: ` has no number: a refused name and a failure from one address are one attempt."""
    lines = [f"Nov 22 10:00:00 [sshd]: {INVALID}", f"Nov 22 10:00:01 [sshd] {FAILED_UNKNOWN}"]

    assert len(read_log(lines).events) == 1


def test_the_state_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of connections that say nothing more is told early, not kept without end."""
    monkeypatch.setattr("stream.sources.attempts._MOST_PROCESSES", 10)
    lines = [line for pid in range(100) for line in sshd(INVALID, pid=pid)]
    source = new_source()

    log = read_log(lines[:95], source)

    assert len(log.events) == 95
    assert source.needs_from() is not None
