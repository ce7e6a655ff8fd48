"""The metrics of the firm's runbook: how many orders wait, for how long, and what came of calls."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookMetrics:
    """`outcome`: done, failed."""

    calls: Counter
    open_orders: Gauge
    oldest_seconds: Gauge
    call_backs: Gauge


def build(registry: CollectorRegistry = REGISTRY) -> RunbookMetrics:
    """The metrics, registered once a process by whoever composes it."""
    prefix = "loginward_runbook_"
    return RunbookMetrics(
        calls=Counter(
            prefix + "calls", "calls of the firm's webhook", ("outcome",), registry=registry
        ),
        open_orders=Gauge(
            prefix + "open_orders", "denied logins the firm has not yet acted on", registry=registry
        ),
        oldest_seconds=Gauge(
            prefix + "oldest_seconds", "how long the oldest of them has waited", registry=registry
        ),
        call_backs=Gauge(
            prefix + "call_backs", "customers to be called by a person", registry=registry
        ),
    )
