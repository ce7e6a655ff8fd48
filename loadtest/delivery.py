"""From models to records in the order they are delivered: late ones, doubled ones, bad ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from random import Random
from typing import NamedTuple

from .attempts import Attempt, Model
from .bad_records import planted
from .ledger import told, told_bad
from .mixing import mixed
from .rendering import Renderer

_A_SLICE = 16_000
"""Events made at a time: enough for a quick sort, few enough for constant memory."""

_SHORTEST_SLICE_MS = 50
_LONGEST_SLICE_MS = 600_000


OVERTIME = 2
"""A run that chance leaves short of its `events` goes on: so many times its duration at most."""


class Delivery(NamedTuple):
    """One record on its way: when it is due (event time, ms), its bytes, its key, its truth."""

    due_ms: int
    value: bytes | None
    key: str | None
    """The account the key is made of; None: the emitter is the key."""
    emitter: str
    truth: str
    """The open beginning of its ledger line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a run is delivered. `events` None: all of the duration."""

    start_ms: int
    duration_ms: int
    per_second: float
    seed: int
    run: str
    events: int | None = None
    disorder_ms: int = 0
    duplicates: float = 0.0
    bad: int = 0

    @property
    def slice_ms(self) -> int:
        """Event time handled at once; it depends on the run alone, never on how it is written."""
        wanted = _A_SLICE / max(self.per_second, 1e-9) * 1000
        return int(min(max(wanted, _SHORTEST_SLICE_MS), _LONGEST_SLICE_MS))


@dataclass(slots=True)
class Tally:
    """What was delivered so far."""

    events: int = 0
    attacks: int = 0
    failures: int = 0
    duplicates: int = 0
    bad: int = 0

    @property
    def records(self) -> int:
        """All records: events, their duplicates, and bad ones."""
        return self.events + self.duplicates + self.bad


@dataclass(slots=True)
class Deliveries:
    """All records of a run, chunk by chunk, each chunk sorted and after the one before.

    An event is due at its own time plus up to `disorder_ms`, so none comes after an event that is
    more than that younger. A duplicate is the same bytes, due within the same bound.
    """

    models: Sequence[Model]
    renderer: Renderer
    course: Course
    tally: Tally = field(default_factory=Tally)
    truths: bool = True
    """Whether deliveries carry the beginning of a ledger line; without, a tenth faster."""

    def __iter__(self) -> Iterator[list[Delivery]]:
        course = self.course
        end = course.start_ms + course.duration_ms * (1 if course.events is None else OVERTIME)
        random = Random(mixed(course.seed, 9))
        waiting: list[Delivery] = self._bad(random)
        edge = course.start_ms
        while edge < end and not self._full():
            edge = min(edge + course.slice_ms, end)
            attempts = [attempt for model in self.models for attempt in model.until(edge)]
            attempts.sort(key=itemgetter(0))
            self._render(attempts, waiting, random)
            ready = [delivery for delivery in waiting if delivery.due_ms < edge]
            if ready:
                waiting = [delivery for delivery in waiting if delivery.due_ms >= edge]
                ready.sort(key=itemgetter(0))
                yield ready
        waiting.sort(key=itemgetter(0))
        if waiting:
            yield waiting

    def _full(self) -> bool:
        return self.course.events is not None and self.tally.events >= self.course.events

    def _render(self, attempts: list[Attempt], out: list[Delivery], random: Random) -> None:
        course, tally, renderer = self.course, self.tally, self.renderer
        if course.events is not None:
            del attempts[course.events - tally.events :]
        chance, disorder, doubled = random.random, course.disorder_ms, course.duplicates
        for attempt in attempts:
            event_id = renderer.event_id(tally.events)
            tally.events += 1
            tally.attacks += attempt.truth.label == "attack"
            tally.failures += attempt.outcome != 1
            due = attempt.at_ms
            line = renderer.line(attempt, event_id)
            truth = told(attempt, event_id) if self.truths else ""
            late = int(chance() * (disorder + 1)) if disorder else 0
            out.append(Delivery(due + late, line, attempt.account, attempt.system, truth))
            if doubled and chance() < doubled:
                tally.duplicates += 1
                late = int(chance() * (disorder + 1)) if disorder else 0
                again = truth + ',"copy":1'
                out.append(Delivery(due + late, line, attempt.account, attempt.system, again))

    def _bad(self, random: Random) -> list[Delivery]:
        course = self.course
        found = []
        for bad in planted(course.bad, course.run):
            due = course.start_ms + int(random.random() * course.duration_ms)
            found.append(Delivery(due, bad.value, None, "unknown", told_bad(bad)))
        self.tally.bad = len(found)
        return found
