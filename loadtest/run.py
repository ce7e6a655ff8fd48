"""One run of the simulator: what was asked for, made whole, and its stream of records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from math import sqrt

from detectors.errors import LoginwardError

from .delivery import OVERTIME, Course, Deliveries
from .networks import largest_population
from .population import HOUSEHOLD, Population
from .profile import SYSTEMS, Setting, Share
from .rendering import DEFAULT_FIELDS, Renderer

CUSTOMERS = 100_000
"""Customers at scale 1: about one good login in three days each (35,000 a day)."""

_FEWEST_CUSTOMERS = 1_000
_SYSTEM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)  # goes into JSON as it is
_FASTEST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to simulate. At most two of `events`, `duration_ms` and `rate` may be given.

    `events` is exact (duplicates and bad records come on top); `rate` is events a second of event
    time; `scale` multiplies the profiles' own volume where neither is given.
    """

    shares: tuple[Share, ...]
    seed: int
    start_ms: int
    events: int | None = None
    duration_ms: int | None = None
    rate: float | None = None
    scale: float = 1.0
    customers: int | None = None
    people: int | None = None
    """Seed of the customers, where several runs are to share them; None: that of the run."""
    systems: tuple[str, ...] = SYSTEMS
    fields: tuple[str, ...] = DEFAULT_FIELDS
    second_factor: bool = False
    failure_share: float | None = None
    disorder_ms: int = 0
    duplicates: float = 0.0
    bad: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, with the way out."""
        if None not in {self.events, self.duration_ms} and self.rate is not None:
            raise LoginwardError("--events, --duration and --rate: give two of the three at most")
        for name, value in (("rate", self.rate), ("scale", self.scale)):
            if value is not None and not 0 < value < _FASTEST:
                raise LoginwardError(f"--{name} {value}: must be above 0 and below {_FASTEST}")
        if self.failure_share is not None and not 0 < self.failure_share < 1:
            raise LoginwardError(
                f"--failure-share {self.failure_share}: a share is above 0 and below 1, e.g. 0.55"
            )
        for name in self.systems:
            if not _SYSTEM.fullmatch(name):
                raise LoginwardError(
                    f"--systems: {name!r} is no name; write 1 to 64 letters, digits, . _ or -"
                )
        if self.span_ms <= 0:
            raise LoginwardError("--duration 0: a run takes time; write 10m or 15h")

    @property
    def actions(self) -> bool:
        """Whether sessions do something: only where the core system can tell it."""
        return "action" in self.fields

    @property
    def span_ms(self) -> int:
        """The event time of the run."""
        if self.duration_ms is not None:
            return self.duration_ms
        if self.events is not None and self.rate is not None:
            return max(1, round(self.events / self.rate * 1000))
        return max(share.profile.duration for share in self.shares) // timedelta(milliseconds=1)


def deliveries(request: Request) -> Deliveries:
    """The stream of a request. Raises LoginwardError where the request contradicts itself."""
    duration_ms = request.span_ms
    natural, peak = _natural(request)
    scale = _scale(request, duration_ms, natural)
    population = _population(request, scale)
    run = _run(request)
    models = [
        model
        for share in request.shares
        for model in share.profile.models(_setting(request, share, scale, population))
    ]
    course = Course(
        start_ms=request.start_ms,
        duration_ms=duration_ms,
        per_second=peak * scale,
        seed=request.seed,
        run=run,
        events=request.events,
        disorder_ms=request.disorder_ms,
        duplicates=request.duplicates,
        bad=request.bad,
    )
    renderer = Renderer(run, request.fields, second_factor=request.second_factor)
    return Deliveries(models, renderer, course)


def expected(request: Request) -> float:
    """How many records it is expected to have, second copies and bad ones aside."""
    natural, _ = _natural(request)
    return natural * _scale(request, request.span_ms, natural)


def population_of(request: Request) -> Population:
    """The customers of a request, as `deliveries` makes them."""
    return _population(request, _scale(request, request.span_ms, _natural(request)[0]))


def _population(request: Request, scale: float) -> Population:
    customers = request.customers or max(_FEWEST_CUSTOMERS, round(CUSTOMERS * scale))
    most = largest_population() * HOUSEHOLD
    if customers > most:
        raise LoginwardError(
            f"{customers} customers: at most {most} have an address of their own; ask for fewer "
            "events, a longer --duration, or name --customers"
        )
    return Population(request.seed if request.people is None else request.people, customers)


def _setting(request: Request, share: Share, scale: float, population: Population) -> Setting:
    start_ms, length_ms = share.span_ms(request.span_ms)
    if share.profile.endless and request.events is not None:
        length_ms += request.span_ms * (OVERTIME - 1)
    return Setting(
        seed=request.seed,
        start_ms=request.start_ms + start_ms,
        duration_ms=length_ms,
        scale=scale * share.factor,
        population=population,
        systems=request.systems,
        second_factor=request.second_factor,
        failure_share=request.failure_share,
        actions=request.actions,
    )


def _natural(request: Request) -> tuple[float, float]:
    """At scale 1: events in the run, and events a second while every profile is on."""
    total = peak = 0.0
    for share in request.shares:
        start_ms, length_ms = share.span_ms(request.span_ms)
        if length_ms <= 0:
            raise LoginwardError(
                f"--profile: {share.profile.letter} begins after {share.begins}, the run is over "
                "by then; write a longer --duration"
            )
        expected = share.factor * share.profile.expect(
            request.start_ms + start_ms, length_ms, request.failure_share, request.actions
        )
        total += expected
        peak += expected / length_ms * 1000
    return total, peak


def _scale(request: Request, duration_ms: int, natural: float) -> float:
    if request.events is not None:
        # A little more than asked for, so that chance rarely leaves the run short of its events.
        return request.events / natural * (1.03 + 4 / sqrt(request.events))
    if request.rate is not None:
        return request.rate * duration_ms / 1000 / natural
    return request.scale


def _run(request: Request) -> str:
    """Eight hex digits that differ for every request: two runs never share an event id."""
    said = "|".join(
        (
            ",".join(f"{share.profile.letter}:{share.factor!r}" for share in request.shares),
            repr(request.seed),
            repr(request.start_ms),
            repr((request.events, request.duration_ms, request.rate, request.scale)),
            repr((request.customers, request.systems, request.fields)),
            *([] if request.people is None else [repr(request.people)]),
            repr((request.second_factor, request.failure_share)),
        )
    )
    return blake2b(said.encode(), digest_size=4).hexdigest()
