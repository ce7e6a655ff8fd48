"""Verdicts into the ledger: what is decided of each is durable before Kafka hears of it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from config.failpoints import hit
from detectors import verdicts as wire
from detectors.errors import LoginwardError
from detectors.verdicts import Verdict

from . import plan
from .call_back import ask_to_call
from .contacts import Contact, ContactBook
from .ledger import Ledger
from .ledger_records import Notice, SendChannel
from .metrics import NotifierMetrics
from .plan import Inbox, Known, Limits, Skip, Step, Suppress, Tell, Upgrade

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Intake:
    """Takes records of `verdicts`. `channels` are those that are set up; `now` gives aware UTC."""

    ledger: Ledger
    contacts: ContactBook
    channels: Collection[SendChannel]
    limits: Limits
    now: Callable[[], datetime]
    metrics: NotifierMetrics

    def take(self, records: Sequence[bytes | None]) -> None:
        """Decide of every record, in one transaction: all of them are in the ledger, or none.

        Raises LoginwardError or sqlite3.Error where contact book or ledger cannot be used: then
        nothing is decided. A record that does not decode is counted (the archive keeps its bytes);
        one that we fail on is counted and logged, and costs the others nothing.
        """
        hit("notify.before_ledger")
        with self.ledger.transaction():
            for raw in records:
                try:
                    verdict = wire.decode(raw or b"")
                except msgspec.MsgspecError as failure:
                    self.metrics.unreadable.inc()
                    _log.warning("unreadable verdict", error=type(failure).__name__)
                    continue
                self._guarded(verdict)
            hit("notify.before_commit")
        hit("notify.after_ledger")

    def _guarded(self, verdict: Verdict) -> None:
        try:
            with self.ledger.savepoint():
                self._one(verdict)
        except (LoginwardError, sqlite3.Error):
            # Contact book or ledger cannot be used: nothing is decided, nothing committed.
            raise
        except Exception:  # noqa: BLE001
            # Our bug: counted and told with its trace; the record stays in Kafka and archive.
            self.metrics.failures.labels("intake").inc()
            _log.exception("verdict failed", verdict_id=verdict.verdict_id)

    def _one(self, verdict: Verdict) -> None:
        now = self.now()
        verdict = identified(verdict)
        contact = self.contacts.find(verdict.account)
        person = verdict.account if contact is None else contact.person
        today = self.ledger.of_person(person, now - plan.DAY)
        for notice in plan.finished(verdict, today):
            self.ledger.cancel_sends(notice.notice_id, "finished")
            self.ledger.step(notice.notice_id, "suppressed", now, reason="finished")
        known = Known(
            channels=None if contact is None else self._reachable(contact),
            own=self.ledger.of_verdict(verdict.verdict_id),
            today=today,
        )
        decision = plan.decide(verdict, known, self.limits, now)
        self.metrics.verdicts.labels(type(decision).__name__.lower()).inc()
        match decision:
            case Skip():
                return
            case Suppress():
                self._suppress(verdict, decision, person, contact, now)
            case Inbox():
                made = self._made(verdict, person, contact, now)
                self.ledger.step(made.notice_id, "queued", now, channel="inbox")
            case Tell():
                made = self._made(verdict, person, contact, now)
                made = self.ledger.upgrade(made.notice_id, verdict.notice_risk, now, "graver")
                self._plan(made, decision.steps)
            case Upgrade():
                self._upgrade(verdict, decision, person, contact, now)

    def _reachable(self, contact: Contact) -> tuple[SendChannel, ...]:
        return tuple(name for name in contact.channels if name in self.channels)

    def _made(
        self, verdict: Verdict, person: str, contact: Contact | None, now: datetime
    ) -> Notice:
        return self.ledger.create(
            verdict_id=verdict.verdict_id,
            event_id=verdict.event_id,
            account=verdict.account,
            person=person,
            system=verdict.system,
            notice_risk=verdict.notice_risk,
            kind=plan.kind_of(verdict),
            occurred_at=datetime.fromisoformat(verdict.occurred_at),
            at=now,
            channel=verdict.channel,
            country=verdict.country,
            device=verdict.device,
            language="zh-TW" if contact is None else contact.language,
        )

    def _suppress(
        self,
        verdict: Verdict,
        decision: Suppress,
        person: str,
        contact: Contact | None,
        now: datetime,
    ) -> None:
        made = self._made(verdict, person, contact, now)
        self.ledger.step(made.notice_id, "suppressed", now, reason=decision.reason)
        if decision.joined is not None:
            self.ledger.join(made.notice_id, decision.joined)
        if decision.call:
            ask_to_call(self.ledger, made, now)

    def _upgrade(
        self,
        verdict: Verdict,
        decision: Upgrade,
        person: str,
        contact: Contact | None,
        now: datetime,
    ) -> None:
        """The notice that is there grows; the login's own, if it is another, says where it went.

        A push is sent again, since it replaces the one before on the phone. An SMS or an e-mail
        that went out is not: it would be a second notice.
        """
        earlier = self.ledger.sends_of(decision.notice_id)
        out = {one.channel for one in earlier if one.state in {"accepted", "sending"}} - {"app"}
        self.ledger.cancel_sends(decision.notice_id, "upgraded")
        grown = self.ledger.upgrade(decision.notice_id, verdict.notice_risk, now, "graver")
        self._plan(grown, [step for step in decision.steps if step.channel not in out])
        if grown.verdict_id != verdict.verdict_id:
            joined = Suppress(reason="told_today", joined=grown.notice_id)
            self._suppress(verdict, joined, person, contact, now)

    def _plan(self, notice: Notice, steps: Sequence[Step]) -> None:
        template = plan.template_of(notice)
        for step in steps:
            self.ledger.plan_send(notice.notice_id, step.channel, template, step.due_at)


def identified(verdict: Verdict) -> Verdict:
    """With an id of its own where detect gave none: the same for every record of the login."""
    if verdict.verdict_id:
        return verdict
    said = f"{verdict.system}\0{verdict.account}\0{verdict.event_id}".encode()
    return msgspec.structs.replace(verdict, verdict_id=hashlib.sha256(said).hexdigest()[:16])
