"""The WindowStore in Redis or Valkey: three scripts, one call a shard, all of them repeatable."""

from __future__ import annotations

import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from redis.asyncio import Redis

from config.failpoints import hit
from detectors.account_memory import WARM_AFTER
from detectors.frontiers import least_frontier
from detectors.pseudonyms import Pseudonyms
from detectors.rates import DAY_BITS, HOUR_BITS, Day, Hour, Tallies
from detectors.windows import (
    RETENTION_MS,
    Claim,
    Kind,
    Observed,
    Reading,
    Settlement,
    Standing,
    Subject,
    look_bytes,
    placement,
    retention_ms,
    worth_telling,
)

from . import keys_in_redis as keys
from .census_call import census_call
from .recent import Recent
from .redis_calls import Call, RedisCalls
from .shard_part import Part, Slot

_MARK = struct.Struct(">IIQ")
_HEADER: Final = 7
_WITHOUT_BODY: Final = b"!"
_REMEMBERED: Final = 65_536

_GONE: Final = Reading(b"", 0, 0)
_SCRIPTS: Final = ("claim", "record", "settle", "rewrite", "warm", "census")


class RedisStore:
    """Keeps the state of detection in one Redis or Valkey server, spread over `shards`."""

    def __init__(
        self,
        client: Redis,
        names: Pseudonyms,
        *,
        shards: int,
        identity_ttl: timedelta,
        on_failure: Callable[[], None] = lambda: None,
        on_loss: Callable[[], None] = lambda: None,
        cold_after_loss: timedelta = timedelta(days=30),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._calls = RedisCalls(client, on_failure, _SCRIPTS)
        self._names = names
        self._shards = shards
        self._page_ms = identity_ttl // timedelta(milliseconds=1)
        self._told = Recent(_REMEMBERED)
        self._counted: dict[tuple[str, int], int] = {}
        self._announced: tuple[int, ...] = ()
        self._cold_until = 0
        self._cold_ms = cold_after_loss // timedelta(milliseconds=1)
        self._on_loss = on_loss
        self._now = now
        self._slot = lru_cache(maxsize=65_536)(self._slot_of)

    def shard_of(self, subject: Subject) -> int:
        """Where all that is kept of a subject lies: by keyed bytes, so that nobody can aim."""
        return self._slot(subject).shard

    def _slot_of(self, subject: Subject) -> Slot:
        place = self._names.subject("\0".join(placement(subject)))
        shard = place[0] % self._shards
        return Slot(shard, keys.log(shard, subject))

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """See WindowStore; identities are remembered for two pages of `identity_ttl`."""
        grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
        shards, page_ms = self._shards, self._page_ms
        for index, (identity, _, _, _, appended_ms) in enumerate(claims):
            grouped[identity[0] % shards, appended_ms // page_ms].append(index)
        groups = list(grouped.items())
        answers = await self._calls.scripts(
            [
                (
                    "claim",
                    [keys.identities(shard, page), keys.identities(shard, page - 1)],
                    [3 * self._page_ms, b"".join(_mark(claims[index]) for index in members)],
                )
                for (shard, page), members in groups
            ]
        )
        standings: list[Standing] = ["first"] * len(claims)
        for (_, members), found in zip(groups, answers, strict=True):
            for at, holder in zip(found[::2], found[1::2], strict=True):
                index = members[at]
                same = _MARK.unpack(holder)[0] == claims[index].content
                standings[index] = "duplicate" if same else "conflict"
        hit("store.after_claim")
        return standings

    async def record(
        self, observed: Observed, first_look: Mapping[Kind, int]
    ) -> dict[Subject, Reading]:
        """See WindowStore."""
        now, slot_of = self._now(), self._slot
        parts: dict[int, Part] = defaultdict(Part)
        for subject in observed.entries:
            slot = slot_of(subject)
            logs = parts[slot.shard].appended[subject.kind, not slot.is_renewed(now)]
            logs.append((subject, slot))
        for subject in observed.urgent:
            parts[self.shard_of(subject)].looked[subject] = b"1"
        for subject in observed.watched - observed.urgent:
            parts[self.shard_of(subject)].looked[subject] = b"0"
        for owner in observed.remembered:
            parts[self._shard_of_owner(owner)].owners.append(owner)
        answers = await self._calls.scripts(
            [part.call(shard, observed, first_look) for shard, part in parts.items()]
        )
        hit("store.after_record")
        due: dict[Subject, Reading] = {}
        for part, found in zip(parts.values(), answers, strict=True):
            part.renewed(now)
            subjects = part.subjects
            for at, blob in zip(found[::2], found[1::2], strict=True):
                due[subjects[at]] = _reading(blob) if blob else _GONE
        return due

    def _shard_of_owner(self, owner: bytes) -> int:
        return owner[0] % self._shards

    async def recall(self, owners: Sequence[bytes]) -> dict[bytes, bytes]:
        """See WindowStore."""
        grouped: dict[int, list[bytes]] = defaultdict(list)
        for owner in owners:
            grouped[self._shard_of_owner(owner)].append(owner)
        answers = await self._calls.together(
            [keys.memory(shard, owner) for owner in theirs] for shard, theirs in grouped.items()
        )
        return {
            owner: blob
            for theirs, found in zip(grouped.values(), answers, strict=True)
            for owner, blob in zip(theirs, found, strict=True)
            if blob
        }

    async def rewrite(self, memories: Mapping[bytes, tuple[bytes, int]]) -> None:
        """See WindowStore."""
        await self._calls.scripts(
            [
                ("rewrite", [keys.memory(self._shard_of_owner(owner), owner)], [content, read])
                for owner, (content, read) in memories.items()
            ]
        )

    async def warm(
        self, successes: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> dict[str, int | None]:
        """See WindowStore."""
        calls: list[Call] = []
        for system, added in successes.items():
            shard = self._shard_of_system(system)
            args: list[Any] = [WARM_AFTER, len(added)]
            for at, identity in added:
                args += (at, identity)
            calls.append(("warm", [keys.earliest(shard, system)], args))
        answers = await self._calls.scripts(calls)
        return {
            system: int(found[0]) if found[0] else None
            for system, found in zip(successes, answers, strict=True)
        }

    async def count(
        self, system: str, partition: int, first: int, end: int, tallies: Tallies
    ) -> int:
        """See CensusStore."""
        shard = self._shard_of_system(system)
        known = self._counted.get((system, partition), 0)
        call = census_call(shard, system, partition, (first, end), tallies, known)
        ((told,),) = await self._calls.scripts([call])
        fence = int(told)
        if fence >= known:
            self._counted[system, partition] = max(end, fence)
        return fence

    async def by_day(self, system: str, first_day: int, last_day: int) -> Mapping[int, Day]:
        """See CensusStore."""
        shard = self._shard_of_system(system)
        days = range(first_day, last_day + 1)
        counts = await self._calls.hashes([keys.census(shard, system, day) for day in days])
        sketches = await self._calls.get([keys.day_sketch(shard, system, day) for day in days])
        return {
            day: Day(_numbers(told), (sketch or b"").ljust(DAY_BITS // 8, b"\0"))
            for day, told, sketch in zip(days, counts, sketches, strict=True)
            if told or sketch
        }

    async def by_minute(self, system: str, hours: Sequence[int]) -> Mapping[int, Hour]:
        """See CensusStore."""
        shard = self._shard_of_system(system)
        counts = await self._calls.hashes([keys.minutes(shard, system, hour) for hour in hours])
        sketches = await self._calls.get([keys.sketch(shard, system, hour) for hour in hours])
        return {
            hour: Hour(_numbers(told), (sketch or b"").ljust(HOUR_BITS // 8, b"\0"))
            for hour, told, sketch in zip(hours, counts, sketches, strict=True)
        }

    async def by_crowd(self, system: str, hour: int, fields: Sequence[str]) -> Mapping[str, int]:
        """See CensusStore."""
        name = keys.crowds(self._shard_of_system(system), system, hour)
        counts = await self._calls.fields(name, fields)
        told = zip(fields, counts, strict=True)
        return {field: int(count) for field, count in told if count is not None}

    def _shard_of_system(self, system: str) -> int:
        return self._names.subject(system)[0] % self._shards

    async def cold_until(self) -> int:
        """See WindowStore; as read with the frontiers."""
        return self._cold_until

    async def advance(self, partition: int, frontier_ms: int) -> None:
        """See WindowStore."""
        await self._calls.until_done(
            "advance",
            lambda: self._client.hset(keys.FRONTIERS, str(partition), str(frontier_ms)),
        )

    async def settled(self, besides: int | None = None) -> int:
        """See WindowStore."""
        found = await self._calls.until_done(
            "settled", lambda: self._client.hgetall(keys.FRONTIERS)
        )
        born = found.pop(keys.BORN, None)
        if born is not None:
            self._cold_until = int(born)
        elif self._announced:
            await self.lost()
        return least_frontier({int(number): int(at) for number, at in found.items()}, besides)

    def forget(self) -> None:
        """State was lost: what this process knows to stand in it no longer does."""
        self._counted.clear()
        self._slot.cache_clear()

    async def lost(self) -> None:
        """There is no state any more: begin anew, with a cold memory."""
        self.forget()
        self._on_loss()
        await self.announce(self._announced, lost=True)

    async def announce(self, partitions: Iterable[int], *, lost: bool = False) -> None:
        """See WindowStore; `lost` where events have been judged before, and no state is found."""
        self._announced = tuple(partitions)
        cold = int(self._now() * 1000) + self._cold_ms if lost else 0

        async def call() -> None:
            pipeline = self._client.pipeline(transaction=False)
            for partition in self._announced:
                pipeline.hsetnx(keys.FRONTIERS, str(partition), "0")
            pipeline.hsetnx(keys.FRONTIERS, keys.BORN.decode(), str(cold))
            pipeline.hget(keys.FRONTIERS, keys.BORN.decode())
            self._cold_until = int((await pipeline.execute())[-1])

        await self._calls.until_done("announce", call)

    async def settle(self, settlements: Sequence[Settlement]) -> list[str]:
        """See WindowStore."""
        answers = await self._calls.scripts(
            [self._settle_call(one, whole=False) for one in settlements]
        )
        short = [
            index
            for index, answer in enumerate(answers)
            if any(told.startswith(_WITHOUT_BODY) for told in answer)
        ]
        if short:
            # The server knows less of an alert than we remember telling: it has lost it.
            again = [self._settle_call(settlements[index], whole=True) for index in short]
            answers += await self._calls.scripts(again)
        revised = [
            told.decode()
            for answer in answers
            for told in answer
            if not told.startswith(_WITHOUT_BODY)
        ]
        told = set(revised)
        alerts: list[str] = []
        for settlement in settlements:
            for draft in settlement.drafts:
                if draft.alert_id in told:
                    self._told.put(draft.alert_id, (draft.size, draft.rank))
                    alerts += [draft.alert_id] * (draft.kind == "alert")
        hit("store.after_settle")
        return alerts

    def _settle_call(self, settlement: Settlement, *, whole: bool) -> Call:
        """The call of one settlement; without `whole`, bodies that need not be told again stay
        out.
        """
        shard = self.shard_of(settlement.subject)
        subject = settlement.subject
        network = placement(subject)
        names = [
            keys.log(shard, subject),
            keys.unsettled(shard),
            keys.outbox(shard),
            keys.log(shard, network),
        ]
        args: list[Any] = [
            keys.member(settlement.subject),
            settlement.seen,
            settlement.generation,
            look_bytes(settlement.room, settlement.subject.kind),
            int(settlement.flagged),
            settlement.compacted or b"",
            settlement.at_ms,
            RETENTION_MS,
            1 if settlement.pending else 2 if settlement.partial else 0,
            "" if settlement.beside is None else settlement.beside,
            retention_ms("logins"),
            1 << 31,
        ]
        for draft in settlement.drafts:
            told = self._told.get(draft.alert_id)
            wanted = whole or worth_telling(draft.size, draft.rank, told, final=draft.final)
            names.append(keys.episode(shard, draft.alert_id))
            args += (draft.alert_id, draft.size, draft.rank, int(draft.final))
            args += (draft.body() if wanted else b"", draft.kind)
        return "settle", names, args

    async def unsettled(self, shards: Iterable[int], before_ms: int, most: int) -> list[Subject]:
        """See WindowStore."""
        found: list[Subject] = []
        for shard in shards:
            if len(found) >= most:
                break
            members = await self._calls.until_done(
                "unsettled",
                lambda shard=shard: self._client.zrange(  # type: ignore[misc]
                    keys.unsettled(shard), "-inf", before_ms, byscore=True, offset=0, num=most
                ),
            )
            found += [keys.subject(member) for member in members]
        return found[:most]

    async def read(self, subjects: Sequence[Subject]) -> dict[Subject, Reading]:
        """See WindowStore."""
        shards = [self.shard_of(subject) for subject in subjects]
        names = [keys.log(shard, s) for shard, s in zip(shards, subjects, strict=True)]
        blobs = await self._calls.get(names)
        return {
            subject: _reading(blob)
            for subject, blob in zip(subjects, blobs, strict=True)
            if blob is not None
        }


def _mark(claim: Claim) -> bytes:
    """A claim as the script takes it: whose identity, and what says it came from where."""
    identity, content, partition, offset, _ = claim
    return identity + _MARK.pack(content, partition, offset)


def _numbers(counts: Mapping[bytes, bytes]) -> dict[str, int]:
    """A hash of counts."""
    return {what.decode(): int(number) for what, number in counts.items()}


def _reading(blob: bytes) -> Reading:
    """A log as Redis keeps it, without its head."""
    return Reading(blob[_HEADER:], len(blob) - _HEADER, int.from_bytes(blob[:2], "big"))
