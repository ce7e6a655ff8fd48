"""The one way out when work is unfinished: say why, flush, and leave before anyone can commit.

Faust commits on its way down and acks what failed (`faust/streams.py` acks in a `finally`), so an
orderly shutdown would lose the batch. `os._exit` runs nothing; the next worker reads it again.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import NoReturn

from aiokafka.errors import KafkaError

from detectors.errors import LoginwardError, Rejected, escaped

EXIT_UNFINISHED = 70
"""EX_SOFTWARE of sysexits.h: the supervisor restarts the worker, nothing was committed beyond."""

_FRAMES = 8
_TELLING = (OSError, KafkaError, LoginwardError)

log = logging.getLogger(__name__)


def leave(reason: str, exc: BaseException | None = None) -> NoReturn:
    """End the process now with exit code 70, after one flushed line that says why."""
    text = reason if exc is None else f"{reason}: {describe(exc)}"
    try:
        log.critical("%s; exit %d, nothing committed beyond", text, EXIT_UNFINISHED)
        for handler in [*logging.getLogger().handlers, *log.handlers]:
            handler.flush()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(EXIT_UNFINISHED)


def describe(exc: BaseException) -> str:
    """Type and place of an exception, and its text only where that cannot hold a customer's data.

    A KeyError or a decoding error quotes what it met; connection errors and our own do not.
    """
    frames = traceback.extract_tb(exc.__traceback__)[-_FRAMES:]
    place = " < ".join(f"{_short(f.filename)}:{f.lineno} {f.name}" for f in reversed(frames))
    kind = f"{type(exc).__module__}.{type(exc).__qualname__}".removeprefix("builtins.")
    telling = isinstance(exc, _TELLING) and not isinstance(exc, Rejected)
    telling = telling or type(exc).__module__.startswith("redis.")
    text = f" ({escaped(str(exc), 300)})" if telling and str(exc) else ""
    return f"{kind}{text} at {place or 'an unknown place'}"


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])
