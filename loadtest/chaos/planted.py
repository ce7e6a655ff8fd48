"""Runs a part of the pipeline with a planted defect: `-m loadtest.chaos.planted NAME run PART`.

The self-test shows with it that the trial would notice. No defect can be on in production: the
pipeline has no switch for one and never imports this file; it is this launcher that replaces a
piece of the process it becomes, and it refuses unless Kafka and Redis are on loopback and the home
is one that a trial has marked. What it replaces it names as text, for `loadtest` knows the pipeline
only from outside (import-linter); a name that is gone ends it with an error, so that a defect never
silently stops being planted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from detectors.attempts import split
from detectors.errors import LoginwardError, escaped

MARKER = "chaos-self-test"
"""A file of this name in LOGINWARD_HOME."""

_LOOPBACK = ("127.0.0.1:", "redis://127.0.0.1:")
_COMMITTED_S = 1.5
"""Longer than the commit interval of the transport."""
_KEPT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """`failpoint` kills the part once where the defect shows; "" where none is needed.

    A defect of the relay shows where nothing comes after: it starts when all is judged.
    """

    tells: str
    plant: Callable[[], None]
    part: Literal["detect", "relay"] = "detect"
    failpoint: str = ""


def _replace(module: str, name: str, new: Callable[[Any], Any]) -> None:
    """Put `new(old)` in the place of `module.name` (`Class.method` too)."""
    owner: Any = import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    setattr(owner, last, new(getattr(owner, last)))


def _script(name: str, old: str, new: str) -> None:
    """Change a Lua script as it is loaded."""

    def planted(init: Any) -> Any:
        def load(self: Any, which: str) -> None:
            init(self, which)
            if which == name:
                if old not in self.text:
                    raise LoginwardError(f"planted defect: {name}.lua has no '{old}' any more")
                self.text = self.text.replace(old, new)
                self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()

        return load

    _replace("stream.redis_calls", "_Script.__init__", planted)


def _ack_early() -> None:
    def planted(run_batches: Any) -> Any:
        async def early(stream: Any, handle: Any, *, on_damage: Any = None) -> None:
            async def acked_first(batch: Any) -> None:
                batch.done()
                await asyncio.sleep(_COMMITTED_S)
                await handle(batch)

            await run_batches(stream, acked_first, on_damage=on_damage)

        return early

    _replace("stream.transport.app", "run_batches", planted)
    # The fences beside the state would notice that offsets ran ahead of it, and mend it.
    _replace("stream.detect", "Detect._may_judge", lambda _: _always)
    _replace("stream.detect", "Detect._is_whole_after", lambda _: _always)
    _replace("stream.rewind", "Rewind.before", _only_read)


async def _always(*_: object) -> bool:
    return True


def _only_read(_: Any) -> Any:
    async def before(self: Any, batch: object) -> object:  # noqa: ARG001 (the method's own)
        return await self._fences.read()

    return before


def _no_census_fence() -> None:
    _script("census", "local new = fence <= first", "local new = true")


def _no_dedup() -> None:
    _replace("detectors.windows", "distinct", lambda _: lambda blob: sorted(split(blob)))


def _trim_by_arrival() -> None:
    def planted(_: Any) -> Any:
        return lambda blob, *_: b"".join(split(blob)[-_KEPT:])

    _replace("detectors.judging", "compacted", planted)
    _replace("detectors.judging", "COMPACT_BYTES", lambda _: 0)


def _verdict_from_reply() -> None:
    # "Was it new?" is asked of the write: after a kill it is not new any more, and never judged.
    _script("claim", "elseif holder ~= mark then", "else")


def _delete_first() -> None:
    def planted(_: Any) -> Any:
        async def once(self: Any, block_ms: int | None = None) -> int:
            for outbox, entries in await self._read(block_ms):
                await self._delete(outbox, [entry_id for entry_id, _ in entries])
                import_module("config.failpoints").hit("relay.before_delete")
                await self._sender.deliver([self._record(fields) for _, fields in entries])
            return 0

        return once

    _replace("stream.relay", "Relay.once", planted)


DEFECTS: dict[str, Defect] = {
    "ack_early": Defect(
        tells="offsets are committed before the batch has had its effect, unfenced",
        plant=_ack_early,
        failpoint="store.after_claim=kill@3",
    ),
    "no_census_fence": Defect(
        tells="counts of a batch are added again when it comes again",
        plant=_no_census_fence,
        failpoint="detect.before_done=kill@2",
    ),
    "no_dedup": Defect(
        tells="an attempt that was recorded twice counts twice",
        plant=_no_dedup,
        failpoint="detect.before_done=kill@2",
    ),
    "trim_by_arrival": Defect(
        tells="a log keeps what arrived last, not what happened last", plant=_trim_by_arrival
    ),
    "verdict_from_reply": Defect(
        tells="whether an event is new is read from the reply of the write",
        plant=_verdict_from_reply,
        failpoint="store.after_claim=kill@2",
    ),
    "delete_before_deliver": Defect(
        tells="the relay deletes from the outbox before Kafka has the alert",
        plant=_delete_first,
        part="relay",
        failpoint="relay.before_delete=kill@1",
    ),
}
"""Name -> defect."""


def main(arguments: list[str]) -> None:
    """Plant the first argument, then be `loginward` with the rest."""
    name = arguments[0] if arguments else ""
    if name not in DEFECTS:
        raise LoginwardError(f"planted: '{escaped(name)}': write one of {', '.join(DEFECTS)}")
    home = Path(os.environ.get("LOGINWARD_HOME", ""))
    ends = [os.environ.get(key, "") for key in ("KAFKA_BOOTSTRAP", "REDIS_URL")]
    if not (home / MARKER).is_file() or not all(end.startswith(_LOOPBACK) for end in ends):
        raise LoginwardError("planted: only in the home of a self-test, with servers on loopback")
    DEFECTS[name].plant()
    os.write(2, f"planted defect: {name}\n".encode())
    sys.argv[1:] = arguments[1:]
    import_module("loginward_cli.__main__").main()


if __name__ == "__main__":
    main(sys.argv[1:])
