"""Every metric of what leaves for the SOC: name, unit, meaning; labels from closed sets."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class SocMetrics:
    """`output` is webhook, syslog or topic; `outcome` and `way` as said at each metric."""

    sent: Counter
    failures: Counter
    waiting: Gauge
    oldest: Gauge
    undelivered: Gauge
    unreadable: Counter
    pages: Counter
    calls: Counter
    unanswered: Counter


def build(registry: CollectorRegistry) -> SocMetrics:
    """The metrics, registered once a process by whoever composes it."""

    def counter(name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"loginward_outputs_{name}", meaning, labels, registry=registry)

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"loginward_outputs_{name}", meaning, labels, registry=registry)

    return SocMetrics(
        sent=counter("sent", "revisions an output has taken", "output"),
        failures=counter("failures", "tries that failed and are repeated", "output"),
        waiting=gauge("waiting", "revisions owed to an output", "output"),
        oldest=gauge("oldest_waiting_seconds", "how long the oldest of them waits", "output"),
        undelivered=gauge(
            "undelivered", "1 while an output owes longer than undelivered_after", "output"
        ),
        unreadable=counter("unreadable", "records of `alerts` that are none"),
        pages=counter(
            "pages", "alerts looked at for paging: page, digest, held, grouped, muted", "outcome"
        ),
        calls=counter("calls", "people told, by way; none: no channel of theirs took it", "way"),
        unanswered=counter("unanswered", "pages that nobody acknowledged to the end"),
    )
