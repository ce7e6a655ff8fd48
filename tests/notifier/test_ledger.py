"""The ledger goes forward only, tells Kafka of every step, and belongs to many processes."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.errors import LoginwardError
from detectors.notices import STATES, NoticeState, decode_confirmation, decode_step
from notifier.ledger import Ledger
from notifier.ledger_records import RANKS

from .made import NOON, notice

HOUR = timedelta(hours=1)


def steps(ledger: Ledger) -> list[tuple[int, str]]:
    """Number and state of every step in the outbox."""
    found = [decode_step(one.value) for one in ledger.outgoing() if one.topic == "notices"]
    return [(step.seq, step.state) for step in found]


def test_one_verdict_has_one_notice(ledger: Ledger) -> None:
    """A redelivered verdict finds the notice that is there, and makes no step."""
    first, again = notice(ledger), notice(ledger)

    assert first == again
    assert steps(ledger) == [(1, "planned")]


def test_a_notice_is_found_by_its_id_and_by_its_spoken_number(ledger: Ledger) -> None:
    """Eight digits, with or without what people put between them; nothing else finds anything."""
    made = notice(ledger)

    assert ledger.find(made.notice_id) == made
    assert ledger.find(f"{made.number[:4]}-{made.number[4:]}") == made
    assert ledger.find(f" {made.number[:4]} {made.number[4:]}") == made
    assert ledger.find("") is None
    assert ledger.find(made.number[:7]) is None
    assert ledger.find("' OR 1=1 --") is None


def test_every_state_has_a_rank() -> None:
    """The published states and the ledger's order of them are the same set."""
    assert set(RANKS) == set(STATES)


@given(states=st.lists(st.sampled_from([state for state in STATES if state != "answered"])))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_states_go_forward_only(
    states: list[NoticeState], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is reported in whatever order, ranks rise, numbers have no gap, nothing is lost."""
    ledger = Ledger.open(tmp_path_factory.mktemp("ledger") / "l.db")
    made = notice(ledger)

    applied = [ledger.step(made.notice_id, state, NOON, channel="sms") for state in states]

    told = steps(ledger)[1:]
    ranks = [RANKS[state] for _, state in told]  # type: ignore[index]  # decoded as one of STATES
    assert ranks == sorted(set(ranks))
    assert [seq for seq, _ in told] == list(range(2, len(told) + 2))
    reports = ledger._rows("SELECT count(*) FROM reports")[0][0]
    assert len(told) + reports == len(states)
    assert [seq for seq in applied if seq is not None] == [seq for seq, _ in told]
    ledger.close()


def test_a_channel_that_failed_leaves_the_notice_to_the_next(ledger: Ledger) -> None:
    """`failed` of one channel is no end; `failed` without a channel is."""
    made = notice(ledger)
    ledger.step(made.notice_id, "queued", NOON, channel="app")

    ledger.step(made.notice_id, "failed", NOON, channel="app")
    after_app = ledger.find(made.notice_id)
    ledger.step(made.notice_id, "failed", NOON)
    after_all = ledger.find(made.notice_id)

    assert after_app is not None
    assert after_app.state == "queued"
    assert after_all is not None
    assert after_all.state == "failed"


def test_a_graver_verdict_upgrades_the_same_notice(ledger: Ledger) -> None:
    """The notice keeps its id and gets a new round, in which its channels start again."""
    made = notice(ledger)
    ledger.step(made.notice_id, "accepted", NOON, channel="app")

    graver = ledger.upgrade(made.notice_id, "high", NOON, "takeover")
    again = ledger.upgrade(made.notice_id, "ask", NOON, "late")

    assert (graver.notice_id, graver.notice_risk, graver.round) == (made.notice_id, "high", 2)
    assert again == graver
    assert ledger.step(made.notice_id, "accepted", NOON, channel="app") is not None


def test_the_first_no_stands_for_ever(ledger: Ledger) -> None:
    """Yes may become a stronger yes or a no; after a no nothing changes any more."""
    made = notice(ledger)

    def answer(said: str, strength: str | None = None) -> str | None:
        found = ledger.record_answer(made.notice_id, said, "page", strength, "", NOON)  # type: ignore[arg-type]  # tables of texts
        return None if found is None else found.answer

    assert answer("yes", "weak") == "yes"
    assert answer("yes", "weak") is None
    assert answer("yes", "strong") == "yes"
    assert answer("yes", "weak") is None
    assert answer("no") == "no"
    assert answer("no") is None
    assert answer("yes", "strong") is None
    sent = [decode_confirmation(o.value) for o in ledger.outgoing() if o.topic == "confirmations"]
    assert [(one.answer, one.strength) for one in sent] == [
        ("yes", "weak"),
        ("yes", "strong"),
        ("no", None),
    ]
    assert [state for _, state in steps(ledger)] == ["planned", "answered", "answered", "answered"]
    assert ledger.answers_of(made.notice_id) == sent
    found = ledger.find(made.notice_id)
    assert found is not None
    assert (found.answer, found.state) == ("no", "answered")


def test_the_file_itself_refuses_to_unsay_a_no(ledger: Ledger) -> None:
    """Not even a hand on the database takes a no back or rewrites a step."""
    made = notice(ledger)
    ledger.record_answer(made.notice_id, "no", "desk", None, "clerk", NOON)

    for statement in (
        "UPDATE notices SET answer = 'yes'",
        "UPDATE notices SET answer = NULL",
        "UPDATE steps SET state = 'planned'",
        "DELETE FROM steps",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            ledger._execute(statement)


def test_an_answer_still_counts_when_the_notice_has_expired(ledger: Ledger) -> None:
    """A customer who calls on the third day is heard."""
    made = notice(ledger)
    ledger.step(made.notice_id, "expired", NOON + 24 * HOUR)

    assert ledger.record_answer(made.notice_id, "no", "desk", None, "clerk", NOON + 60 * HOUR)


def test_a_token_is_used_once_and_not_after_its_time(ledger: Ledger) -> None:
    """Expired, used and unknown tokens all fail to be used; the notice is still found by them."""
    made = notice(ledger)
    ledger.issue_token(made.notice_id, b"1" * 32, "answer", NOON + HOUR)
    ledger.issue_token(made.notice_id, b"2" * 32, "lock", NOON + HOUR)

    found = ledger.notice_of_token(b"1" * 32)
    assert found is not None
    assert (found.notice, found.usable(NOON), found.usable(NOON + HOUR)) == (made, True, False)
    assert ledger.use_token(b"1" * 32, NOON)
    assert not ledger.use_token(b"1" * 32, NOON)
    assert not ledger.use_token(b"2" * 32, NOON + HOUR)
    assert not ledger.use_token(b"3" * 32, NOON)
    assert ledger.notice_of_token(b"3" * 32) is None
    used = ledger.notice_of_token(b"1" * 32)
    assert used is not None
    assert used.used_at == NOON


def test_a_failed_transaction_leaves_nothing(ledger: Ledger) -> None:
    """A step, an answer and a record for Kafka come together or not at all."""
    made = notice(ledger)
    before = ledger.outgoing()

    def fail_half_way() -> None:
        with ledger.transaction():
            ledger.record_answer(made.notice_id, "no", "page", None, "", NOON)
            ledger.enqueue("alerts", b"k", b"v")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert ledger.outgoing() == before
    assert ledger.find(made.notice_id) == made


def test_a_task_is_one_workers_until_its_lease_ends(ledger: Ledger) -> None:
    """Claimed work is nobody else's; what is not finished comes back; one of a kind a notice."""
    assert ledger.add_task("webhook", "n1", b"{}", NOON, NOON)
    assert not ledger.add_task("webhook", "n1", b"other", NOON, NOON)

    first = ledger.claim_tasks("webhook", NOON, lease=HOUR)
    assert [task.attempts for task in first] == [1]
    assert ledger.claim_tasks("webhook", NOON, lease=HOUR) == []
    assert ledger.claim_tasks("other", NOON, lease=HOUR) == []
    (again,) = ledger.claim_tasks("webhook", NOON + HOUR, lease=HOUR)
    ledger.postpone_task(again.task_id, NOON + 3 * HOUR, "503")
    assert ledger.claim_tasks("webhook", NOON + 2 * HOUR, lease=HOUR) == []
    assert [task.error for task in ledger.open_tasks("webhook")] == ["503"]
    (last,) = ledger.claim_tasks("webhook", NOON + 3 * HOUR, lease=HOUR)
    ledger.finish_task(last.task_id, NOON + 3 * HOUR)
    assert ledger.claim_tasks("webhook", NOON + 9 * HOUR, lease=HOUR) == []
    assert ledger.open_tasks("webhook") == []


def test_what_kafka_has_is_forgotten_and_nothing_else(ledger: Ledger) -> None:
    """The outbox is read in order; delivering the first leaves the rest."""
    for number in range(3):
        ledger.enqueue("notices", b"k", str(number).encode())

    ledger.delivered(ledger.outgoing(2))

    assert [record.value for record in ledger.outgoing()] == [b"2"]


def test_only_the_owner_reads_the_file(ledger: Ledger) -> None:
    """Ledger and its write-ahead log have mode 0600."""
    notice(ledger)

    for path in ledger.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_file_of_another_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Neither a later version nor a file that is none is written to."""
    later, none = tmp_path / "later.db", tmp_path / "none.db"
    with sqlite3.connect(later) as made:
        made.execute("PRAGMA user_version = 99")
    made.close()
    none.write_bytes(b"not a database" * 100)

    for path in (later, none):
        with pytest.raises(LoginwardError, match=r"notifier\.ledger: .*db"):
            Ledger.open(path)


def _answer_many(path: Path, said: str, number: int) -> None:
    other = Ledger.open(path)
    for one in range(40):
        made = notice(other, one)
        other.record_answer(made.notice_id, said, "page", "weak", str(number), NOON)  # type: ignore[arg-type]  # yes or no
    other.close()


def test_many_processes_share_the_file(ledger: Ledger) -> None:
    """Four processes make and answer the same notices: one notice each, one no each, no gap."""
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_answer_many, args=(ledger.path, said, number))
        for number, said in enumerate(("yes", "no", "yes", "no"))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    (count,) = ledger._rows("SELECT count(*) FROM notices")[0]
    (said_no,) = ledger._rows("SELECT count(*) FROM answers WHERE answer = 'no'")[0]
    gaps = ledger._rows(
        "SELECT notice_id FROM steps GROUP BY notice_id HAVING max(seq) <> count(*)"
    )
    assert (count, said_no, gaps) == (40, 40, [])
