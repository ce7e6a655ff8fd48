"""Simulated logins in real time: customers all along, and an attack that comes in waves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from config.kafka import topic_name
from config.settings import KafkaSettings
from detectors.errors import LoginwardError, Rejected
from detectors.pseudonyms import Pseudonyms
from detectors.wire import decode
from loadtest.delivery import Delivery
from loadtest.pacing import Pace
from loadtest.population import Population
from loadtest.profile import Share
from loadtest.run import Request, deliveries
from loadtest.to_kafka import Target, send

CUSTOMERS = 100_000
"""Enough that one NAT of 1,000 customers fails less often than a limit."""

CUSTOMER_RATE = 20.0
"""Logins a second: a large broker around the bell; profile G's own is 0.5 on average."""

ATTACK_RATE = 40.0
"""Attempts a second: profile A's own, 2.2 million in 15 hours."""

WAVE = timedelta(seconds=60)
PAUSE = timedelta(seconds=30)
_LARGEST_WAVE = 3.0
_DUPLICATES = 0.01
_BAD_EVERY_S = 4
# No device: with a memory as young as the demo's, nobody is told of a device that may be their own.
_FIELDS = ("origin", "reason", "account_class", "channel", "received_at", "user_agent")
_STEP_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What, how long (seconds), when the attack begins, and whether it comes in waves."""

    shares: tuple[Share, ...]
    seconds: float
    attack_after: float
    waves: bool
    seed: int = 1


@dataclass(slots=True)
class Sent:
    """What has been sent so far; `attack_ms`: its first attempt, ms since 1970 UTC, 0 for none."""

    records: int = 0
    attack_ms: int = 0
    attack_on: bool = False
    waves: int = 0
    attackers: set[str] = field(default_factory=set)


def customers(plan: Plan) -> Population:
    """Everybody who may log in, and whom the attack may hit."""
    return Population(plan.seed, CUSTOMERS)


class Traffic:
    """A thread that sends until its time is over or `stop`; as a context manager it is joined."""

    def __init__(self, plan: Plan, kafka: KafkaSettings, pseudonyms: Pseudonyms) -> None:
        self._customers = [share for share in plan.shares if share.profile.endless]
        self._attacks = [share for share in plan.shares if not share.profile.endless]
        self._plan = plan
        self._target = Target(kafka=kafka, topic=topic_name(kafka, "logins"), pseudonyms=pseudonyms)
        self.sent = Sent()
        self._stop = threading.Event()
        self._go = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        """Begin with the customers."""
        self._thread.start()

    def attack(self) -> None:
        """From now on `attack_after` counts."""
        self._go.set()

    def stop(self) -> None:
        """Send nothing more, wait for what was sent to be acknowledged."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Raise LoginwardError where the traffic ended early."""
        if self._failure is not None:
            raise LoginwardError(f"simulated traffic: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except Exception as failure:  # noqa: BLE001 (handed to the thread that asks, by check)
            self._failure = failure

    async def _all(self) -> None:
        tasks = [self._customers_come()] if self._customers else []
        if self._attacks:
            tasks.append(self._attacks_come())
        await asyncio.gather(*tasks)

    async def _customers_come(self) -> None:
        # Longer than the plan: the pipeline's own start comes on top, and `stop` ends it.
        seconds = self._plan.seconds + 120
        bad = max(3, int(seconds / _BAD_EVERY_S))
        await self._send(self._customers, CUSTOMER_RATE, seconds, self._count, bad=bad)

    async def _attacks_come(self) -> None:
        await self._until(self._go.is_set)
        await self._wait(self._plan.attack_after)
        wave = WAVE.total_seconds()
        if not self._plan.waves:
            wave = max(1.0, self._plan.seconds - self._plan.attack_after)
        while not self._stop.is_set():
            rate = ATTACK_RATE * min(_LARGEST_WAVE, 1 + 0.5 * self.sent.waves)
            self.sent.waves += 1
            self.sent.attack_on = True
            await self._send(self._attacks, rate, wave, self._count_attack)
            self.sent.attack_on = False
            if not self._plan.waves:
                return
            await self._wait(PAUSE.total_seconds())

    async def _send(
        self,
        shares: Sequence[Share],
        rate: float,
        seconds: float,
        seen: Callable[[list[Delivery]], None],
        bad: int = 0,
    ) -> None:
        """Send one run at its own pace from now on."""
        start_ms = int(time.time() * 1000)
        length_ms = int(seconds * 1000)
        request = Request(
            shares=tuple(_at_rate(share, start_ms, length_ms, rate) for share in shares),
            seed=self._plan.seed + self.sent.waves,
            start_ms=start_ms,
            duration_ms=length_ms,
            customers=CUSTOMERS,
            people=self._plan.seed,
            fields=_FIELDS,
            duplicates=_DUPLICATES if bad else 0.0,
            bad=bad,
        )
        clock = _StoppableClock(self._stop)
        pace = _WatchedPace(start_ms=start_ms, speedup=1.0, clock=clock, stop=self._stop, seen=seen)
        await send(deliveries(request), self._target, pace)

    def _count(self, chunk: list[Delivery]) -> None:
        self.sent.records += len(chunk)

    def _count_attack(self, chunk: list[Delivery]) -> None:
        self.sent.attack_ms = self.sent.attack_ms or int(time.time() * 1000)
        self._count(chunk)
        for delivery in chunk:
            try:
                address = decode(delivery.value).ip
            except Rejected:
                continue
            if address is not None:
                self.sent.attackers.add(address)

    async def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await self._until(lambda: time.monotonic() >= until)

    async def _until(self, ready: Callable[[], bool]) -> None:
        # Both are threads' events, which asyncio cannot await.
        while not ready() and not self._stop.is_set():  # noqa: ASYNC110
            await asyncio.sleep(_STEP_S)


def _at_rate(share: Share, start_ms: int, length_ms: int, rate: float) -> Share:
    """The share at `rate` attempts a second, times the factor that was asked for."""
    expected = share.profile.expect(start_ms, length_ms, None) / length_ms * 1000
    return replace(share, factor=share.factor * rate / expected)


@dataclass(frozen=True, slots=True)
class _StoppableClock:
    """The machine's clock, whose sleeps end when the traffic does."""

    stop: threading.Event

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0 and not self.stop.is_set():  # noqa: ASYNC110
            await asyncio.sleep(min(left, _STEP_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedPace(Pace):
    """A pace that shows every chunk before it is sent, and ends the run on `stop`."""

    stop: threading.Event
    seen: Callable[[list[Delivery]], None]

    async def chunks(self, run: Iterator[list[Delivery]]) -> AsyncIterator[list[Delivery]]:
        async for chunk in Pace.chunks(self, run):
            if self.stop.is_set():
                return
            self.seen(chunk)
            yield chunk
