"""The WindowStore in Redis or Valkey: three scripts, one call a shard, all of them repeatable."""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from redis.asyncio import Redis

from config.failpoints import hit
from detectors.attempts import split
from detectors.pseudonyms import Pseudonyms
from detectors.windows import (
    RETENTION_MS,
    Claim,
    Observation,
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
from .success_slots import by_day, slots_of

_MARK = struct.Struct(">IIQ")
_HEADER: Final = 7
_WITHOUT_BODY: Final = b"!"
_REMEMBERED: Final = 65_536

_DAY_MS: Final = 86_400_000
_DAY_TTL_MS: Final = RETENTION_MS + _DAY_MS


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
        self.shard_of = lru_cache(maxsize=65_536)(self._shard_of)

    def _shard_of(self, subject: Subject) -> int:
        if self._shards == 1:
            return 0
        return self._names.subject("\0".join(subject)) % self._shards

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """See WindowStore; identities are remembered for two pages of `identity_ttl`."""
        grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, claim in enumerate(claims):
            shard = claim.identity[0] % self._shards
            grouped[shard, claim.appended_ms // self._page_ms].append(index)
        standings: list[Standing] = ["first"] * len(claims)

        async def one(shard: int, page: int, members: list[int]) -> None:
            args: list[Any] = [3 * self._page_ms]
            for index in members:
                claim = claims[index]
                args += (claim.identity, _MARK.pack(claim.content, claim.partition, claim.offset))
            pages = [keys.identities(shard, page), keys.identities(shard, page - 1)]
            found = await self._calls.script("claim", pages, args)
            for at, holder in zip(found[::2], found[1::2], strict=True):
                index = members[at]
                same = _MARK.unpack(holder)[0] == claims[index].content
                standings[index] = "duplicate" if same else "conflict"

        await asyncio.gather(*(one(*group, members) for group, members in grouped.items()))
        hit("store.after_claim")
        return standings

    async def record(
        self, observations: Mapping[Subject, Observation], first_look: int
    ) -> dict[Subject, Reading]:
        """See WindowStore."""
        grouped: dict[int, list[Subject]] = defaultdict(list)
        for subject in observations:
            grouped[self.shard_of(subject)].append(subject)
        due: dict[Subject, tuple[int, bytes]] = {}

        async def one(shard: int, subjects: list[Subject]) -> None:
            failing = [subject for subject in subjects if observations[subject].failures]
            names: list[str] = [keys.log(shard, subject) for subject in failing]
            args: list[Any] = [RETENTION_MS, _DAY_TTL_MS, look_bytes(first_look), len(failing)]
            for subject in failing:
                entries = observations[subject].failures
                newest = max(int.from_bytes(entry[:6], "big") for entry in entries)
                args += (b"".join(entries), keys.member(subject), newest)
            for subject in subjects:
                for day, bits in by_day(observations[subject].success_slots):
                    names.append(keys.successes(shard, subject, day))
                    args.append(bits)
            names.append(keys.unsettled(shard))
            found = await self._calls.script("record", names, args)
            for at, blob in zip(found[::2], found[1::2], strict=True):
                due[failing[at]] = (shard, blob)

        await asyncio.gather(*(one(shard, subjects) for shard, subjects in grouped.items()))
        hit("store.after_record")
        return await self._readings(due)

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
        return await self._readings(
            {
                subject: (shard, blob)
                for subject, shard, blob in zip(subjects, shards, blobs, strict=True)
                if blob is not None
            }
        )

    async def _readings(self, due: Mapping[Subject, tuple[int, bytes]]) -> dict[Subject, Reading]:
        """Logs with their successes: the bits of the days on which their attempts look back."""
        wanted: list[tuple[Subject, int]] = []
        for subject, (_, blob) in due.items():
            attempted = {at_ms(entry) // _DAY_MS for entry in split(blob[_HEADER:])}
            wanted += [(subject, day) for day in attempted | {day - 1 for day in attempted}]
        bits = await self._calls.get([keys.successes(due[s][0], s, day) for s, day in wanted])
        slots: dict[Subject, set[int]] = defaultdict(set)
        for (subject, day), found in zip(wanted, bits, strict=True):
            if found:
                slots[subject] |= slots_of(day, found)
        return {
            subject: Reading(
                blob[_HEADER:],
                len(blob) - _HEADER,
                int.from_bytes(blob[:2], "big"),
                frozenset(slots[subject]),
            )
            for subject, (_, blob) in due.items()
        }


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
