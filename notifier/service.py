"""`run notify`: verdicts in, messages out, reports back; each part waits for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from config import kafka as to_kafka
from config.failpoints import hit
from config.notifier_section import NotifierSettings
from config.service import run_service
from config.settings import KafkaSettings, Settings

from . import metrics as published
from .channels import Channel
from .channels.app import AppPush
from .channels.email import Mailer
from .channels.sms import TwilioSms
from .contacts import ContactBook
from .endpoint import serve_callbacks
from .intake import Intake
from .ledger import Ledger
from .ledger_records import SendChannel
from .links import answer_links
from .locked import plan_locked
from .metrics import NotifierMetrics
from .outbox import Outbox
from .plan import Limits
from .sender import Sender, Wording

_log = structlog.get_logger(__name__)

_AT_ONCE: Final = 500
_POLL_MS: Final = 500
_RETRY_S: Final = 1.0
_SWEEP_S: Final = 5.0
_EXPIRES: Final = timedelta(hours=24)
_LEAVE_S: Final = 10.0


def limits_of(notifier: NotifierSettings) -> Limits:
    """The settings that the plan goes by."""
    return Limits(
        fallback_after=notifier.fallback_after,
        unseen_after=notifier.unseen_after,
        grace=notifier.grace,
        retry_for=notifier.retry_for,
        sms_per_day=notifier.sms_per_day,
        push_per_day=notifier.push_per_day,
        sms_per_hour=notifier.sms_per_hour,
        digest_hour=notifier.digest_hour,
        inbox=notifier.inbox,
    )


def channels_of(notifier: NotifierSettings) -> dict[SendChannel, Channel]:
    """The channels that are set up. Raises LoginwardError where a secret cannot be read."""
    made: dict[SendChannel, Channel] = {}
    if notifier.app:
        made["app"] = AppPush(notifier)
    if notifier.sms:
        made["sms"] = TwilioSms(notifier)
    if notifier.email:
        made["email"] = Mailer(notifier)
    return made


def run_notify(settings: Settings) -> int:
    """Notify until SIGTERM or SIGINT; calls in work are finished before it returns 0.

    Raises LoginwardError for a key, file or setting that cannot be used.
    """
    to_kafka.ensure_topics(settings.kafka)
    registry = CollectorRegistry()
    metrics = published.build(registry)
    run_service(
        "notify", settings.metrics, registry, lambda stop: run(settings, stop, metrics=metrics)
    )
    return 0


async def run(settings: Settings, stop: asyncio.Event, *, metrics: NotifierMetrics) -> None:
    """Notify until `stop` is set; the topics exist."""
    notifier = settings.notifier
    ledger = Ledger.open(notifier.ledger)
    contacts = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
    channels = channels_of(notifier)
    limits = limits_of(notifier)
    intake = Intake(
        ledger=ledger,
        contacts=contacts,
        channels=channels,
        limits=limits,
        now=_now,
        metrics=metrics,
    )
    sender = Sender(
        ledger=ledger,
        contacts=contacts,
        channels=channels,
        limits=limits,
        wording=Wording(
            firm_zh=notifier.firm_zh,
            firm_en=notifier.firm_en,
            link=answer_links(ledger, notifier.answer_url, _now),
        ),
        # A call may take twice its timeout: an SMS asks first, an e-mail connects first.
        lease=notifier.call_timeout * 3,
        now=_now,
        metrics=metrics,
    )
    outbox = Outbox(ledger, settings.kafka, metrics)
    if not channels:
        _log.warning("no channel is set up: nobody is told, every notice says so")
    _log.info("notifier started", channels=sorted(channels), ledger=str(notifier.ledger))
    drained = asyncio.Event()
    draining = asyncio.create_task(outbox.run(drained))
    try:
        await _together(
            stop,
            lambda: _read(settings.kafka, intake, stop),
            lambda: sender.run(stop),
            lambda: _locked(ledger, contacts, channels, stop),
            lambda: _sweep(ledger, metrics, stop),
            lambda: serve_callbacks(notifier, ledger, contacts, _now, metrics, stop),
        )
    finally:
        drained.set()
        await asyncio.wait({draining}, timeout=_LEAVE_S)
        for channel in channels.values():
            await channel.close()
        contacts.close()
        ledger.close()
    _log.info("notifier stopped")


async def _together(stop: asyncio.Event, *parts: Callable[[], Awaitable[None]]) -> None:
    """Run all parts; where one fails the others are stopped, and its failure is raised."""
    tasks = [asyncio.ensure_future(part()) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _read(kafka: KafkaSettings, intake: Intake, stop: asyncio.Event) -> None:
    """Verdicts into the ledger; an offset is committed only after the ledger has its record."""
    while not stop.is_set():
        consumer = AIOKafkaConsumer(
            to_kafka.topic_name(kafka, "verdicts"), **consumer_options(kafka)
        )
        try:
            await consumer.start()
            while not stop.is_set():
                batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
                records = [record.value for batch in batches.values() for record in batch]
                if records:
                    intake.take(records)
                    await consumer.commit()
                    hit("notify.after_commit")
        except (KafkaError, OSError) as failure:
            # Nothing is committed that is not in the ledger; what comes again is known there.
            _log.warning("kafka is away", error=type(failure).__name__)
            await _pause(stop, _RETRY_S)
        finally:
            closing = asyncio.create_task(consumer.stop())
            await asyncio.wait({closing}, timeout=_LEAVE_S)


def consumer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """How the notifier's AIOKafkaConsumer is made."""
    session = int(kafka.session_timeout.total_seconds() * 1000)
    return to_kafka.aiokafka_options(kafka) | {
        "group_id": to_kafka.group_name(kafka, "notify"),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": session,
        "heartbeat_interval_ms": session // 3,
        "retry_backoff_ms": 500,
    }


async def _locked(
    ledger: Ledger,
    contacts: ContactBook,
    channels: Collection[SendChannel],
    stop: asyncio.Event,
) -> None:
    """Tell customers that their orders are on hold, once the firm has said so."""
    while not stop.is_set():
        plan_locked(ledger, contacts, channels, _now())
        await _pause(stop, _RETRY_S)


async def _sweep(ledger: Ledger, metrics: NotifierMetrics, stop: asyncio.Event) -> None:
    """Let notices expire that nobody answered in a day; keep the gauges."""
    while not stop.is_set():
        now = _now()
        for notice in ledger.unanswered_since(now - _EXPIRES):
            ledger.step(notice.notice_id, "expired", now, reason="unanswered")
        for channel in ("app", "sms", "email"):
            metrics.waiting.labels(channel).set(0)
            metrics.oldest_due.labels(channel).set(0)
        for channel, many, oldest in ledger.waiting_sends():
            metrics.waiting.labels(channel).set(many)
            late = max(0.0, (now - oldest).total_seconds())
            metrics.oldest_due.labels(channel).set(late)
        await _pause(stop, _SWEEP_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _now() -> datetime:
    return datetime.now(tz=UTC)
