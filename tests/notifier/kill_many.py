"""Kill a notifier with SIGKILL at every step, again and again, and count what customers got.

Run as a process of its own (`python -m tests.notifier.kill_many FOLDER KILLS`). A child without
threads forks a notifier for every kill; the providers run in this process. Every verdict is
delivered again at every start, as Kafka would at worst. Prints what it did as JSON.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from config import failpoints
from detectors.verdicts import NoticeRisk
from loadtest.providers import FakeFcm, FakeSmtp, FakeTwilio

from .harness import NAMES, Clock, Harness, Providers, customer, environment

STEPS = (
    "notify.before_ledger",
    "notify.before_commit",
    "notify.after_ledger",
    "notify.claimed",
    *(
        f"notify.{channel}_{step}"
        for channel in ("app", "sms", "email")
        for step in ("before_call", "after_call", "recorded")
    ),
)
KILLS_A_LEDGER = 13
VERDICTS_A_KILL = 2
START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CLEAN = ""


class Job(msgspec.Struct, frozen=True):
    """One life of a notifier: where, until which step, with which verdicts, at what time."""

    home: str
    environ: dict[str, str]
    step: str
    first: int
    last: int
    minute: int


def live(job: Job) -> None:
    """Take every verdict so far, send what is due, and end; or be killed at `step`."""
    clock = Clock(START + timedelta(minutes=job.minute))
    one = Harness(Path(job.home), job.environ, clock)
    failpoints.arm(f"{job.step}=kill" if job.step else "")
    one.take(*(_verdict(one, number) for number in range(job.first, job.last)))
    # A repeat of what failed for now is due a minute later at most.
    one.work(timedelta(minutes=3), step=timedelta(minutes=1))
    os._exit(0)


def _verdict(one: Harness, number: int) -> Any:
    risk: NoticeRisk = "high" if number % 2 else "ask"
    return one.verdict(
        number + 1,
        who=number % 10,
        notice_risk=risk,
        device=f"d{number}",
        occurred_at="2026-11-22T03:59:00Z",
    )


def forker(commands: socket.socket) -> None:
    """Fork a notifier for every job that is read; answer the signal that ended it."""
    with commands.makefile("rwb") as lines:
        for line in lines:
            job = msgspec.json.decode(line, type=Job)
            child = os.fork()
            if child == 0:
                live(job)
            _, status = os.waitpid(child, 0)
            ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
            lines.write(b"%d\n" % ended)
            lines.flush()
    os._exit(0)


class Forker:
    """The child that forks; started before this process has threads."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            forker(theirs)
        theirs.close()
        self._lines = ours.makefile("rwb")
        self._socket = ours

    def run(self, job: Job) -> int:
        """The signal that ended the job's notifier; 0: it ended by itself."""
        self._lines.write(msgspec.json.encode(job) + b"\n")
        self._lines.flush()
        return int(self._lines.readline())

    def end(self) -> None:
        """Let the child end."""
        self._lines.close()
        self._socket.close()
        os.waitpid(self.pid, 0)


def wrong_with(one: Harness, providers: Providers, count: int, told: Counter[str]) -> list[str]:
    """What is lost or doubled after all `count` verdicts were taken and every send has ended."""
    wrong = []
    notices = [one.ledger.of_verdict(f"{number + 1:016x}") for number in range(count)]
    ids = {notice.notice_id: notice for notice in notices if notice is not None}
    if len(ids) != count:
        wrong.append(f"{len(ids)} notices for {count} verdicts")
    gaps = one.ledger._rows(
        "SELECT notice_id FROM steps GROUP BY notice_id HAVING max(seq) <> count(*)"
    )
    kept = one.ledger._rows("SELECT notice_id, seq FROM steps ORDER BY notice_id, seq")
    sent = sorted((step.notice_id, step.seq) for step in one.steps())
    if gaps or sent != [tuple(row) for row in kept]:
        wrong.append("steps and records for Kafka differ")
    pushes = Counter(push.tag for push in providers.fcm.sent)
    mails = Counter(str(m.message["message-id"]).split(".")[0][1:] for m in providers.smtp.sent)
    numbers = {f"{n.number[:4]}-{n.number[4:]}": n.notice_id for n in ids.values()}
    texts = Counter(
        notice
        for sms in providers.twilio.sent
        for said, notice in numbers.items()
        if said in sms.text
    )
    for notice in ids.values():
        reached = [notice.notice_id in who for who in (pushes, texts, mails)]
        # high: on every channel. ask: a kill may leave the APP's turn to the next channel.
        if not (all(reached) if notice.notice_risk == "high" else any(reached)):
            wrong.append(f"{notice.notice_risk} {notice.notice_id} reached {reached}")
    if astray := (set(pushes) | set(mails)) - set(ids):
        wrong.append(f"messages of no notice: {sorted(astray)}")
    if providers.twilio.listed and sum(texts.values()) > len(texts):
        wrong.append("an SMS twice, although the provider's list showed the first")
    # A push that replaces itself and a mail with one id are seen once; an SMS is seen twice.
    told["notices"] += count
    for name, who in (("push_repeated", pushes), ("sms_doubled", texts), ("mail_repeated", mails)):
        told[name] += sum(who.values()) - len(who)
    return wrong


def main(folder: Path, kills: int) -> dict[str, object]:
    """Kill `kills` times over several ledgers; how often at which step, and what was wrong."""
    fork = Forker()
    at_step: Counter[str] = Counter()
    told: Counter[str] = Counter()
    wrong: list[str] = []
    with FakeFcm() as fcm, FakeTwilio() as twilio, FakeSmtp() as smtp:
        providers = Providers(fcm=fcm, twilio=twilio, smtp=smtp)
        for number in range(0, kills, KILLS_A_LEDGER):
            providers.reset()
            # In every second ledger Twilio's list lags: the one way to a second SMS.
            twilio.listed = number // KILLS_A_LEDGER % 2 == 0
            here = folder / str(number)
            here.mkdir()
            steps = [
                STEPS[n % len(STEPS)] for n in range(number, min(kills, number + KILLS_A_LEDGER))
            ]
            wrong += _one_ledger(fork, here, steps, providers, at_step, told)
    fork.end()
    return {"killed": dict(at_step), "told": dict(told), "wrong": wrong}


def _one_ledger(
    fork: Forker,
    here: Path,
    steps: list[str],
    providers: Providers,
    at_step: Counter[str],
    told: Counter[str],
) -> list[str]:
    environ = environment(
        here,
        providers,
        LOGINWARD_NOTIFIER_UNSEEN_AFTER="0s",
        LOGINWARD_NOTIFIER_CALL_TIMEOUT="20s",
        LOGINWARD_NOTIFIER_SMS_PER_DAY="100",
        LOGINWARD_NOTIFIER_PUSH_PER_DAY="100",
        LOGINWARD_NOTIFIER_RETRY_FOR="24h",
    )
    _known_customers(here, environ)
    wrong = []
    count = minute = 0
    for step in steps:
        count += VERDICTS_A_KILL
        minute += 5
        ended = fork.run(_job(here, environ, step, count, minute))
        if ended == signal.SIGKILL:
            at_step[step] += 1
        else:
            wrong.append(f"{step}: ended with {ended}, was not killed")
    ended = fork.run(_job(here, environ, CLEAN, count, minute + 5))
    if ended != 0:
        wrong.append(f"the last, undisturbed run ended with {ended}")
    one = Harness(here, environ)
    wrong += [f"{here.name}: {text}" for text in wrong_with(one, providers, count, told)]
    one.close()
    return wrong


def _known_customers(here: Path, environ: Mapping[str, str]) -> None:
    one = Harness(here, environ)
    one.contacts.replace([customer(number) for number in range(10)], NAMES)
    one.close()


def _job(here: Path, environ: dict[str, str], step: str, count: int, minute: int) -> Job:
    return Job(home=str(here), environ=environ, step=step, first=0, last=count, minute=minute)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(main(Path(sys.argv[1]), int(sys.argv[2]))) + b"\n")
