"""Every metric of the notifier: name, unit, meaning; labels from closed sets, never data."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800)
"""Seconds from the verdict's arrival to a provider's word; a fall-back takes a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierMetrics:
    """`channel`: app, sms, email. `risk`: ask, high, inbox. Others as said at each metric."""

    verdicts: Counter
    unreadable: Counter
    failures: Counter
    attempts: Counter
    dropped: Counter
    unsure: Counter
    found: Counter
    accepted_seconds: Histogram
    waiting: Gauge
    oldest_due: Gauge
    outbox: Gauge
    sms_budget_open: Gauge
    callbacks: Counter


def build(registry: CollectorRegistry = REGISTRY) -> NotifierMetrics:
    """The metrics, registered once a process by whoever composes it."""

    def counter(name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"loginward_notify_{name}", meaning, labels, registry=registry)

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"loginward_notify_{name}", meaning, labels, registry=registry)

    return NotifierMetrics(
        verdicts=counter(
            "verdicts",
            "verdicts by what followed: tell, upgrade, inbox, suppress, skip",
            "decision",
        ),
        unreadable=counter("unreadable_verdicts", "records of `verdicts` that do not decode"),
        failures=counter("failures", "failures of our own, kept and logged: intake, send", "place"),
        attempts=counter(
            "attempts",
            "calls of a provider by outcome: accepted, transient, permanent, unknown",
            "channel",
            "result",
        ),
        dropped=counter(
            "dropped",
            "sends that were not needed or not allowed: answered, reached, too_old, daily_cap, "
            "sms_budget, in_digest",
            "channel",
            "reason",
        ),
        unsure=counter("unsure", "sends of which nobody knew whether they were taken", "channel"),
        found=counter("found_sms", "unsure SMS that the provider had taken: not sent again"),
        accepted_seconds=Histogram(
            "loginward_notify_accepted_seconds",
            "from the notice to the provider's word that it has it",
            ["channel"],
            buckets=_BUCKETS,
            registry=registry,
        ),
        waiting=gauge("waiting", "sends that are planned and not ended", "channel"),
        oldest_due=gauge("oldest_due_seconds", "how late the most overdue send is", "channel"),
        outbox=gauge("outbox_records", "records that wait for Kafka (at most 500 are counted)"),
        sms_budget_open=gauge(
            "sms_budget_open", "1 while SMS are off because the hour's budget is spent: an alarm"
        ),
        callbacks=counter(
            "callbacks", "status callbacks: taken, unknown, refused (a forgery), bad", "result"
        ),
    )
