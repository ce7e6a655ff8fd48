"""The WindowStore in Redis or Valkey: three scripts, one call a shard, all of them repeatable."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from redis.asyncio import Redis

from config.failpoints import hit
from detectors.pseudonyms import Pseudonyms
from detectors.windows import (
    RETENTION_MS,
    Claim,
    Observed,
    Reading,
    Settlement,
    Standing,
    Subject,
    at_ms,
    least_frontier,
    look_bytes,
    worth_telling,
)

from . import keys_in_redis as keys
from .redis_calls import Call, RedisCalls

_MARK = struct.Struct(">IIQ")
_HEADER: Final = 7
_WITHOUT_BODY: Final = b"!"
_REMEMBERED: Final = 65_536

_SLOT_TTL_MS: Final = 2 * RETENTION_MS
"""A log looks back from its oldest attempt, so slots outlive logs."""


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
    ) -> None:
        self._client = client
        self._calls = RedisCalls(client, on_failure, ("claim", "record", "settle"))
        self._names = names
        self._shards = shards
        self._page_ms = identity_ttl // timedelta(milliseconds=1)
        self._told = _Recent(_REMEMBERED)
        # Eight keyed bytes: they spread subjects over shards and stand for them in sets.
        self.member_of = lru_cache(maxsize=65_536)(self._member)

    def _member(self, subject: Subject) -> bytes:
        return self._names.subject("\0".join(subject))

    def shard_of(self, subject: Subject) -> int:
        """Where all that is kept of a subject lies."""
        return self.member_of(subject)[0] % self._shards

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """See WindowStore; identities are remembered for two pages of `identity_ttl`."""
        grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, claim in enumerate(claims):
            shard = claim.identity[0] % self._shards
            grouped[shard, claim.appended_ms // self._page_ms].append(index)
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

    async def record(self, observed: Observed, first_look: int) -> dict[Subject, Reading]:
        """See WindowStore."""
        failing: dict[int, list[Subject]] = defaultdict(list)
        for subject in observed.failures:
            failing[self.shard_of(subject)].append(subject)
        succeeding = self._by_shard(observed.successes)
        shards = sorted({*failing, *succeeding})
        answers = await self._calls.scripts(
            [
                self._record_call(shard, observed, failing[shard], succeeding[shard], first_look)
                for shard in shards
            ]
        )
        hit("store.after_record")
        return {
            failing[shard][at]: _reading(blob)
            for shard, found in zip(shards, answers, strict=True)
            for at, blob in zip(found[::2], found[1::2], strict=True)
        }

    def _by_shard(
        self, successes: Mapping[int, Collection[Subject]]
    ) -> dict[int, dict[int, list[bytes]]]:
        """Who succeeded, by shard and slot."""
        shards: dict[int, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        for slot, subjects in successes.items():
            for member in map(self.member_of, subjects):
                shards[member[0] % self._shards][slot].append(member)
        return shards

    @staticmethod
    def _record_call(
        shard: int,
        observed: Observed,
        subjects: Sequence[Subject],
        slots: Mapping[int, Sequence[bytes]],
        first_look: int,
    ) -> Call:
        names = [keys.log(shard, subject) for subject in subjects]
        args: list[Any] = [RETENTION_MS, _SLOT_TTL_MS, look_bytes(first_look), len(subjects)]
        for subject in subjects:
            entries = observed.failures[subject]
            args += (b"".join(entries), keys.member(subject), max(map(at_ms, entries)))
        for slot, members in slots.items():
            names.append(keys.successes(shard, slot))
            args.append(b"".join(members))
        names.append(keys.unsettled(shard))
        return "record", names, args

    async def succeeded(
        self, asked: Mapping[Subject, Collection[int]]
    ) -> dict[Subject, frozenset[int]]:
        """See WindowStore; slots are kept as long as logs."""
        wanted = [(subject, slot) for subject, slots in asked.items() for slot in sorted(slots)]
        found = await self._calls.holding(
            [
                (keys.successes(self.shard_of(subject), slot), self.member_of(subject))
                for subject, slot in wanted
            ]
        )
        held: dict[Subject, set[int]] = {subject: set() for subject in asked}
        for (subject, slot), holds in zip(wanted, found, strict=True):
            if holds:
                held[subject].add(slot)
        return {subject: frozenset(slots) for subject, slots in held.items()}

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
        return least_frontier({int(number): int(at) for number, at in found.items()}, besides)

    async def announce(self, partitions: Iterable[int]) -> None:
        """See WindowStore."""

        async def call() -> None:
            pipeline = self._client.pipeline(transaction=False)
            for partition in partitions:
                pipeline.hsetnx(keys.FRONTIERS, str(partition), "0")
            await pipeline.execute()

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
        for settlement in settlements:
            for draft in settlement.drafts:
                if draft.alert_id in revised:
                    self._told.put(draft.alert_id, (draft.size, draft.rank))
        hit("store.after_settle")
        return revised

    def _settle_call(self, settlement: Settlement, *, whole: bool) -> Call:
        """The call of one settlement; without `whole`, bodies that need not be told again stay
        out.
        """
        shard = self.shard_of(settlement.subject)
        names = [keys.log(shard, settlement.subject), keys.unsettled(shard), keys.outbox(shard)]
        args: list[Any] = [
            keys.member(settlement.subject),
            settlement.seen,
            settlement.generation,
            look_bytes(settlement.room),
            int(settlement.flagged),
            settlement.compacted or b"",
            settlement.at_ms,
            RETENTION_MS,
            int(settlement.pending),
        ]
        for draft in settlement.drafts:
            told = self._told.get(draft.alert_id)
            wanted = whole or worth_telling(draft.size, draft.rank, told, final=draft.final)
            names.append(keys.episode(shard, draft.alert_id))
            args += (draft.alert_id, draft.size, draft.rank, int(draft.final))
            args.append(draft.body() if wanted else b"")
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
    return claim.identity + _MARK.pack(claim.content, claim.partition, claim.offset)


def _reading(blob: bytes) -> Reading:
    """A log as Redis keeps it, without its head."""
    return Reading(blob[_HEADER:], len(blob) - _HEADER, int.from_bytes(blob[:2], "big"))


class _Recent:
    """The last revisions this process told, bounded: a hint that saves making bodies, no state."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: dict[str, tuple[int, int]] = {}

    def get(self, alert_id: str) -> tuple[int, int]:
        return self._told.get(alert_id, (0, -1))

    def put(self, alert_id: str, told: tuple[int, int]) -> None:
        self._told.pop(alert_id, None)
        self._told[alert_id] = told
        if len(self._told) > self._most:
            del self._told[next(iter(self._told))]
