"""The metrics of `run incidents`: name, unit, meaning."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMetrics:
    """`status` is open, closed or merged."""

    told: Counter
    alerts: Gauge
    unreadable: Counter


def build(registry: CollectorRegistry) -> IncidentMetrics:
    """The metrics, registered once a process by whoever composes it."""
    return IncidentMetrics(
        told=Counter(
            "loginward_incidents_told", "revisions of incidents", ["status"], registry=registry
        ),
        alerts=Gauge(
            "loginward_incidents_alerts", "alerts of a week that are held", registry=registry
        ),
        unreadable=Counter(
            "loginward_incidents_unreadable",
            "records of `alerts` that belong to no incident",
            registry=registry,
        ),
    )
