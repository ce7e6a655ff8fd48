"""The notifier killed in its work, and providers that refuse, are slow, or take without a word."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from config.failpoints import VARIABLE
from loadtest.providers import Fault as Trouble

from ..customers import CALL_TIMEOUT_S
from ..pipeline import Pipeline
from ..scene import Scene
from .base import Fault, Kind

TOLD = 20
"""Verdicts a fault comes with."""
STEPS = (
    "notify.after_ledger",
    "notify.claimed",
    "notify.app_after_call",
    "notify.sms_before_call",
    "notify.sms_after_call",
    "notify.email_after_call",
    "notify.before_delete",
)
"""Places in the notifier (`config.failpoints.hit`)."""
_CALLS = 8
"""Calls of each provider that go wrong."""


def _obstacle(pipeline: Pipeline) -> str | None:
    return None if "notify" in pipeline.parts else "no notifier runs in this trial"


@dataclass(slots=True)
class _Kill:
    """kill -9 while customers still wait for their messages."""

    _code: int | None = None
    _waiting: bool = False

    def inject(self, scene: Scene) -> None:
        scene.tell(TOLD)
        self._waiting = scene.customers is not None and not scene.customers.settled()
        self._code = scene.pipeline.kill("notify")

    def hit(self, scene: Scene) -> bool:  # noqa: ARG002 (the contract of a fault)
        return self._waiting and self._code == -signal.SIGKILL

    def heal(self, scene: Scene) -> None:
        scene.pipeline.start("notify")


@dataclass(slots=True)
class _Step:
    """Starts the notifier such that it kills itself there, and gives it work."""

    step: str
    _since: int = 0

    def inject(self, scene: Scene) -> None:
        self._since = scene.pipeline.log_size("notify")
        nth = scene.random.randint(1, 3)
        scene.pipeline.restart("notify", {VARIABLE: f"{self.step}=kill@{nth}"})
        for _ in range(nth):  # a step of a whole batch is met once a batch
            scene.tell(TOLD // 2)

    def hit(self, scene: Scene) -> bool:
        said = scene.pipeline.logged("notify", f"failpoint {self.step}: kill", self._since)
        if not said:
            scene.tell(1)
        return said and scene.pipeline.ended("notify") is not None

    def heal(self, scene: Scene) -> None:
        scene.pipeline.kill("notify")
        scene.pipeline.start("notify")


@dataclass(slots=True)
class _Provider:
    """The next calls of every provider go wrong: `http` for APP and SMS, `smtp` for e-mail."""

    http: Trouble
    smtp: Trouble

    def inject(self, scene: Scene) -> None:
        if scene.customers is not None:
            customers = scene.customers
            customers.fcm.faults.add(*[self.http] * _CALLS)
            customers.twilio.faults.add(*[self.http] * _CALLS)
            customers.smtp.faults.add(*[self.smtp] * _CALLS)
        scene.tell(TOLD)

    def hit(self, scene: Scene) -> bool:
        """Whether each of these calls has met its trouble."""
        customers = scene.customers
        return customers is not None and not any(
            one.faults.left for one in (customers.fcm, customers.twilio, customers.smtp)
        )

    def heal(self, scene: Scene) -> None:
        """Nothing: each trouble is met once."""


def _step(step: str) -> Kind:
    return _kind(
        f"step_{step.replace('.', '_')}", f"kill -9 of the notifier at {step}", lambda: _Step(step)
    )


def _kind(name: str, tells: str, make: Callable[[], Fault]) -> Kind:
    return Kind(
        name=name, tells=tells, make=make, patience_s=90.0, recovers="notify", obstacle=_obstacle
    )


def _provider(name: str, tells: str, http: Trouble, smtp: Trouble | None = None) -> Kind:
    return _kind(f"provider_{name}", tells, lambda: _Provider(http, smtp or http))


KINDS = (
    _kind("kill_notify", "kill -9 of the notifier while customers wait", _Kill),
    *(_step(step) for step in STEPS),
    _provider(
        "429",
        "each provider says that we call too often (SMTP: 421)",
        Trouble(kind="refuse", status=429),
        Trouble(kind="refuse", status=421),
    ),
    _provider(
        "500",
        "each provider has a fault of its own (SMTP: 451)",
        Trouble(kind="refuse", status=500),
        Trouble(kind="refuse", status=451),
    ),
    _provider(
        "slow",
        "each provider takes a second for a call",
        Trouble(kind="slow", seconds=CALL_TIMEOUT_S / 2),
    ),
    _provider(
        "silent",
        "each provider takes the message and answers after our timeout",
        Trouble(kind="hang", seconds=CALL_TIMEOUT_S * 2),
    ),
    _provider(
        "lost",
        "each provider takes the message, and its answer is lost",
        Trouble(kind="lose"),
    ),
)
