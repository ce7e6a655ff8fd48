"""Sends what is due: claim, ask whether it is still needed, call the provider, record its word."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, cast

import structlog

from config.failpoints import hit
from detectors.errors import LoginwardError

from . import plan, turns
from .call_back import ask_to_call
from .channels import Channel, Delivery, Outcome
from .contacts import Contact, ContactBook
from .digests import gather, put_off, told_in
from .ledger import Ledger, Notice, Send
from .ledger_records import SendChannel
from .messages import Rendered, TemplateName, facts_of, render
from .metrics import NotifierMetrics
from .plan import Limits
from .turns import Drop, Spent, Wait

_log = structlog.get_logger(__name__)

POLL_S: Final = 0.2
_AT_ONCE: Final = 16
"""Calls in work: one slow provider must not hold up the others, nor a hundred a small one."""
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The firm's names, and who makes the link of an answer page ("" = no link)."""

    firm_zh: str
    firm_en: str
    link: Callable[[Notice, Contact], str] = lambda _notice, _contact: ""


@dataclass(slots=True, kw_only=True)
class Sender:
    """Works through the sends of a ledger. `lease`: longer than any call may take."""

    ledger: Ledger
    contacts: ContactBook
    channels: Mapping[SendChannel, Channel]
    limits: Limits
    wording: Wording
    lease: timedelta
    now: Callable[[], datetime]
    metrics: NotifierMetrics
    _working: set[asyncio.Task[None]] = field(default_factory=set)
    _failure: BaseException | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; calls in work are waited for.

        Raises LoginwardError or sqlite3.Error where contact book or ledger cannot be used.
        """
        while not stop.is_set():
            self._check()
            self.start_due()
            try:
                await asyncio.wait_for(stop.wait(), POLL_S)
            except TimeoutError:
                continue
        await self.finish()

    def start_due(self) -> int:
        """Start every due send there is room for; how many."""
        room = _AT_ONCE - len(self._working)
        due = self.ledger.due_sends(self.now(), room) if room > 0 else []
        started = 0
        for send_id in due:
            claimed = self._claim(send_id)
            if claimed is None:
                continue
            task = asyncio.create_task(self._guarded(*claimed))
            self._working.add(task)
            task.add_done_callback(self._ended)
            started += 1
        return started

    async def finish(self) -> None:
        """Wait for the calls in work. Raises what made one of them impossible to record."""
        while self._working:
            await asyncio.wait(set(self._working))
        self._check()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _claim(self, send_id: int) -> tuple[Send, Notice] | None:
        """Take a send if it still has to go out. Counting and taking are one transaction, so that
        budgets hold however many processes send.
        """
        now = self.now()
        with self.ledger.transaction():
            send = self.ledger.claim_send(send_id, now, self.lease)
            if send is None:
                return None
            notice = self._notice(send)
            spent = Spent(
                to_person=self.ledger.sent_to(send.person, send.channel, now - plan.DAY, send_id),
                sms_in_hour=self.ledger.sent_since("sms", now - _HOUR, send_id),
            )
            said = turns.turn(send, notice, self._others(send), spent, self.limits, now)
            self._show_budget(send, said)
            if isinstance(said, Wait):
                self.ledger.give_back_send(send, said.until)
                return None
            if isinstance(said, Drop):
                self._drop(send, notice, said, now)
                return None
            self.ledger.step(notice.notice_id, "queued", now, channel=send.channel)
            if send.template == "digest":
                gather(self.ledger, send, now)
        hit("notify.claimed")
        return send, self._notice(send)

    async def _guarded(self, send: Send, notice: Notice) -> None:
        try:
            await self._send(send, notice)
        except (LoginwardError, sqlite3.Error):
            # Contact book or ledger cannot be used. The claim's lease gives the send back.
            raise
        except Exception as failure:  # noqa: BLE001
            # Our bug: counted and told, and in the end the next channel goes on.
            self.metrics.failures.labels("send").inc()
            # Without the trace: its frames may hold the contact.
            _log.error("send failed", notice_id=notice.notice_id, error=type(failure).__name__)
            self._record(send, notice, None, Outcome(result="transient", code="our_fault"))

    async def _send(self, send: Send, notice: Notice) -> None:
        contact = self.contacts.find(notice.account)
        channel = self.channels.get(send.channel)
        if contact is None or channel is None:
            gone = Outcome(result="permanent", code="no_contact" if contact is None else "off")
            self._record(send, notice, None, gone)
            return
        message = self._message(send, notice, contact)
        if send.unsure:
            self.metrics.unsure.labels(send.channel).inc()
        hit(f"notify.{send.channel}_before_call")
        outcome = await channel.send(
            Delivery(
                notice_id=notice.notice_id,
                number=notice.number,
                message=message,
                contact=contact,
                expires_at=notice.occurred_at + plan.DAY,
                unsure_since=send.first_at if send.unsure else None,
            )
        )
        hit(f"notify.{send.channel}_after_call")
        self._record(send, notice, message, outcome)
        hit(f"notify.{send.channel}_recorded")

    def _message(self, send: Send, notice: Notice, contact: Contact) -> Rendered:
        name = cast("TemplateName", send.template)
        facts = facts_of(
            notice,
            firm_zh=self.wording.firm_zh,
            firm_en=self.wording.firm_en,
            account=contact.masked,
            link=self.wording.link(notice, contact) if send.channel == "email" else "",
            at=self.now() if name == "locked" else None,
            count=told_in(self.ledger, send) if name == "digest" else 0,
        )
        return render(name, notice.language, send.channel, facts, self.now())

    def _record(
        self, send: Send, notice: Notice, message: Rendered | None, outcome: Outcome
    ) -> None:
        now = self.now()
        self.metrics.attempts.labels(send.channel, outcome.result).inc()
        for part in outcome.dead:
            self.contacts.mark_dead(part, outcome.code, int(now.timestamp() * 1000))
        with self.ledger.transaction():
            if outcome.result == "accepted":
                self._accepted(send, notice, message, outcome, now)
                return
            again = turns.again_at(send, notice, self._others(send), self.limits, now)
            if outcome.result != "permanent" and again is not None:
                unsure = outcome.result == "unknown"
                self.ledger.postpone_send(send, again, outcome.code, unsure=unsure)
                return
            if self.ledger.end_send(send, "failed", now, code=outcome.code):
                self.ledger.step(
                    notice.notice_id, "failed", now, channel=send.channel, reason=outcome.code
                )
                self.ledger.bring_forward(notice.notice_id, send.round, now)
                self._end_of(send, notice, now)

    def _accepted(
        self,
        send: Send,
        notice: Notice,
        message: Rendered | None,
        outcome: Outcome,
        now: datetime,
    ) -> None:
        self.metrics.found.inc(outcome.code == "found")
        self.metrics.accepted_seconds.labels(send.channel).observe(
            (now - notice.created_at).total_seconds()
        )
        self.ledger.end_send(
            send, "accepted", now, code=outcome.code, provider_id=outcome.provider_id
        )
        self.ledger.step(
            notice.notice_id,
            "accepted",
            now,
            channel=send.channel,
            template="" if message is None else message.template,
            rendered_sha256="" if message is None else message.sha256,
            provider_id=outcome.provider_id,
        )
        if outcome.provider_id:
            self.ledger.catch_up(outcome.provider_id)

    def _drop(self, send: Send, notice: Notice, said: Drop, now: datetime) -> None:
        self.metrics.dropped.labels(send.channel, said.reason).inc()
        if not self.ledger.end_send(send, "cancelled", now, code=said.reason):
            return
        if said.digest:
            self.ledger.bring_forward(notice.notice_id, send.round, now)
            self._end_of(send, notice, now)

    def _end_of(self, send: Send, notice: Notice, now: datetime) -> None:
        """Where no channel is left: a summary if only budgets stood against it, else the end."""
        sends = self.ledger.sends_of(notice.notice_id, send.round)
        if any(one.state in {"due", "sending", "accepted"} for one in sends):
            return
        put_off_until = turns.digest_at(now, self.limits.digest_hour)
        held = [one for one in sends if one.code in {"daily_cap", "sms_budget"}]
        if held:
            put_off(self.ledger, notice, held[-1].channel, put_off_until, now)
        else:
            self.ledger.step(notice.notice_id, "failed", now, reason=sends[-1].code)
        if notice.notice_risk == "high":
            ask_to_call(self.ledger, notice, now)

    def _others(self, send: Send) -> list[Send]:
        sends = self.ledger.sends_of(send.notice_id, send.round)
        return [one for one in sends if one.send_id != send.send_id]

    def _notice(self, send: Send) -> Notice:
        notice = self.ledger.find(send.notice_id)
        if notice is None:
            raise KeyError(f"no notice {send.notice_id}")
        return notice

    def _show_budget(self, send: Send, said: object) -> None:
        if send.channel != "sms":
            return
        spent = isinstance(said, Drop) and said.reason == "sms_budget"
        if spent:
            _log.error("SMS budget of this hour is spent; APP and e-mail go on")
        if spent or isinstance(said, turns.Go):
            self.metrics.sms_budget_open.set(spent)
