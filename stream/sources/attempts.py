"""One attempt, one decision: which lines of a process tell of the same attempt to log in.

sshd and PAM may write one failed password as `Invalid user`, `pam_unix: authentication failure`,
`error: PAM: ...` and `Failed password`. The strongest line counts; weaker ones are held back until
it comes, or until it no longer can: the connection closes, a new attempt begins, or `HOLD` passes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from detectors.events import Reason

from .identity import HORIZON
from .marks import Mark, Told
from .pam_children import PamChildren, is_address
from .sshd_messages import Act, Said

HOLD = HORIZON
"""sshd's LoginGraceTime is 120 s (sshd_config(5)): no decision can come much later."""

_MOST_PROCESSES = 65_536
"""Processes remembered at most; beyond, the longest silent one is taken as finished."""


@dataclass(slots=True, eq=False)
class Attempt:
    """An attempt that no decision has been logged for yet: the strongest line so far."""

    mark: Mark
    act: Act
    account: str | None
    addresses: tuple[str, ...]
    reason: Reason
    home: list[Attempt]
    modules: set[str] = field(default_factory=set)

    def told(self) -> Told:
        """This attempt as a failure; of several spellings of its address an IP address is best."""
        best = next(filter(is_address, self.addresses), None)
        return Told(self.mark, "failure", self.account, best, self.reason)


@dataclass(slots=True)
class _Process:
    first_at: int
    last: datetime
    held: list[Attempt] = field(default_factory=list)
    hints: dict[str, Reason] = field(default_factory=dict)
    unknown_to_pam: bool = False
    decided: bool = False
    pam_failed: bool = False


_Taker = Callable[[_Process, str, Said, Mark], Iterator[Told]]


class Attempts:
    """The attempts of all processes of one log. Time is the log's own."""

    def __init__(self) -> None:
        self._processes: OrderedDict[Hashable, _Process] = OrderedDict()
        self._children: PamChildren[Attempt] = PamChildren()
        self._open: dict[int, Attempt] = {}  # by identity, in the order of their lines
        self._replaced: list[int] = []
        self._sshd_speaks = False
        self._takers: dict[Act, _Taker] = {
            Act.CLOSED: self._closed,
            Act.HINT: self._hint,
            Act.REFUSED: self._refused,
            Act.PAM_FAILED: self._pam_failed,
            Act.PAM_MORE: self._pam_more,
            Act.PAM_ERROR: self._pam_error,
            Act.EXCEEDED: self._exceeded,
            Act.FAILED: self._failed,
            Act.ACCEPTED: self._accepted,
        }

    def take(self, key: Hashable, host: str, said: Said, mark: Mark) -> Iterator[Told]:
        """Account for one line of the process `key`; yields what is decided by it, or by time."""
        yield from self._expire(mark.occurred_at)
        process = self._processes.pop(key, None)
        if process is None:
            if said.act in {Act.CLOSED, Act.PAM_MORE}:
                return
            process = _Process(mark.at, mark.occurred_at)
        process.last = mark.occurred_at
        self._processes[key] = process
        take = self._takers.get(said.act)
        if take is not None:
            yield from take(process, host, said, mark)

    def replaced(self) -> tuple[int, ...]:
        """Places of the lines that later ones made superfluous, since the last call."""
        places, self._replaced = tuple(self._replaced), []
        return places

    def flush(self, *, cut_off: bool) -> Iterator[Told]:
        """Everything held, as failures; nothing is remembered afterwards.

        `cut_off`: the log ends here, and sshd's own line may stand in the next file. Where sshd
        speaks at all, what PAM alone has said is then no decision.
        """
        for process in self._processes.values():
            if cut_off and self._sshd_speaks:
                for held in [held for held in process.held if held.act is Act.PAM_FAILED]:
                    self._release(held)
            yield from self._finish(process)
        self._processes.clear()

    def holds_from(self) -> int | None:
        """Place of the oldest line that may still become an event."""
        return next((attempt.mark.at for attempt in self._open.values()), None)

    def needs_from(self) -> int | None:
        """Place of the first line of any process that is remembered."""
        return min((process.first_at for process in self._processes.values()), default=None)

    def _expire(self, now: datetime) -> Iterator[Told]:
        while self._processes:
            process = next(iter(self._processes.values()))
            old = abs(now - process.last) > HOLD
            if not old and len(self._processes) < _MOST_PROCESSES:
                return
            yield from self._finish(process)
            self._processes.popitem(last=False)

    def _finish(self, process: _Process) -> Iterator[Told]:
        for attempt in list(process.held):
            self._release(attempt)
            yield attempt.told()

    def _closed(self, process: _Process, _host: str, _said: Said, _mark: Mark) -> Iterator[Told]:
        return self._finish(process)

    @staticmethod
    def _hint(process: _Process, _host: str, said: Said, _mark: Mark) -> Iterator[Told]:
        if said.module:
            process.unknown_to_pam = True
        elif said.account is not None and said.reason is not None:
            process.hints[said.account] = said.reason
        return iter(())

    def _refused(self, process: _Process, _host: str, said: Said, mark: Mark) -> Iterator[Told]:
        reason = said.reason or "unknown_account"
        if said.account is not None and reason != "unknown_account":
            process.hints[said.account] = reason
        self._hold(_attempt(process, said, mark, reason))
        return iter(())

    @staticmethod
    def _pam_more(process: _Process, _host: str, said: Said, mark: Mark) -> Iterator[Told]:
        # Where sshd logged its decisions, the sum counts them again.
        if process.pam_failed and not process.decided:
            yield _failure(said, mark, said.reason)

    def _pam_failed(self, process: _Process, host: str, said: Said, mark: Mark) -> Iterator[Told]:
        reason: Reason = "unknown_account" if process.unknown_to_pam else "bad_password"
        process.unknown_to_pam, process.pam_failed = False, True
        current = process.held[-1] if process.held else None
        # Another module of the stack speaks of the same attempt; the same module, of the next one.
        if (
            current is not None
            and current.act in {Act.REFUSED, Act.PAM_FAILED}
            and said.module not in current.modules
        ):
            current.modules.add(said.module)
            current.account = said.account if current.account is None else current.account
            current.addresses += _addresses(said)
            self._replaced.append(mark.at)
            return
        yield from self._begin(process)
        attempt = _attempt(process, said, mark, reason)
        attempt.modules.add(said.module)
        self._hold(attempt)
        if not process.decided and len(process.held) == 1:
            self._children.add(host, attempt)

    def _pam_error(self, process: _Process, host: str, said: Said, mark: Mark) -> Iterator[Told]:
        attempt = _attempt(process, said, mark, _reason(process, said))
        current = process.held[-1] if process.held else None
        if current is None or current.act is Act.PAM_ERROR:
            yield from self._begin(process)
            current = self._children.find(host, attempt)
        if current is not None:
            attempt.addresses += current.addresses
            if attempt.reason == "bad_password":
                attempt.reason = current.reason
            self._drop(current)
        process.decided = self._sshd_speaks = True
        self._hold(attempt)

    def _exceeded(self, process: _Process, _host: str, said: Said, mark: Mark) -> Iterator[Told]:
        told_already = process.decided or bool(process.held) or process.pam_failed
        yield from self._finish(process)
        process.decided = self._sshd_speaks = True
        if not told_already:
            yield _failure(said, mark, _reason(process, said))

    def _failed(self, process: _Process, host: str, said: Said, mark: Mark) -> Iterator[Told]:
        last = process.held[-1] if process.held else None
        for held in list(process.held):
            if held is last or held.act is Act.REFUSED:
                self._drop(held)
        yield from self._finish(process)  # older ones were attempts of their own
        if last is None:
            child = self._children.find(host, _attempt(process, said, mark, "other"))
            if child is not None:
                self._drop(child)
        process.decided = self._sshd_speaks = True
        yield _failure(said, mark, _reason(process, said))

    def _accepted(self, process: _Process, _host: str, said: Said, mark: Mark) -> Iterator[Told]:
        last = process.held[-1] if process.held else None
        # One module said no, the next one yes: a login, not a failure. PAM's final no stays one.
        if last is not None and last.act is Act.PAM_FAILED and last.account in {None, said.account}:
            self._drop(last)
        yield from self._finish(process)
        process.decided = self._sshd_speaks = True
        yield Told(mark, "success", said.account, said.address, None)

    def _begin(self, process: _Process) -> Iterator[Told]:
        """A new attempt: earlier ones are final, but `Invalid user` still awaits its decision."""
        for held in [held for held in process.held if held.act is not Act.REFUSED]:
            self._release(held)
            yield held.told()

    def _drop(self, attempt: Attempt) -> None:
        self._release(attempt)
        self._replaced.append(attempt.mark.at)

    def _hold(self, attempt: Attempt) -> None:
        attempt.home.append(attempt)
        self._open[id(attempt)] = attempt

    def _release(self, attempt: Attempt) -> None:
        attempt.home.remove(attempt)
        del self._open[id(attempt)]
        self._children.forget(attempt)


def _attempt(process: _Process, said: Said, mark: Mark, reason: Reason) -> Attempt:
    return Attempt(mark, said.act, said.account, _addresses(said), reason, process.held)


def _addresses(said: Said) -> tuple[str, ...]:
    return (said.address,) if said.address else ()


def _failure(said: Said, mark: Mark, reason: Reason | None) -> Told:
    return Told(mark, "failure", said.account, said.address, reason)


def _reason(process: _Process, said: Said) -> Reason:
    """What sshd says, unless an earlier line of the process knows better: locked, expired."""
    hint = process.hints.get(said.account) if said.account is not None else None
    return hint or said.reason or "bad_password"
