"""Logging of every process: one event, one line, fields instead of prose, nothing executable."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from itertools import islice
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from detectors.errors import escaped

Level = Literal["debug", "info", "warning", "error"]

_LONGEST_VALUE = 2_000
"""Characters of one field."""
_LONGEST_TRACEBACK = 8_000
_MOST_ITEMS = 100
"""Of a list or a mapping that stands in a field."""


def set_up(level: Level = "info", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (stderr), a line an event.

    JSON lines for machines, or aligned text for a terminal. Control, bidi and surrogate characters
    are escaped and every value is bounded, so no user name can forge a line or move a cursor.
    Call it once, where a process starts.
    """
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(shared, json=json))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Clients chat about every reconnect at INFO; their warnings are what an operator needs.
    for chatty in ("aiokafka", "kafka", "faust", "mode", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _formatter(shared: list[Processor], *, json: bool) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _escape,
            renderer,
        ],
    )


def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Every text of the event escaped and bounded, however deep it stands."""
    # Under its usual key a traceback would be printed below the event, on lines of its own. Its
    # end says what happened, so the end is kept.
    traceback = event.pop("exception", None)
    clean = {escaped(str(key), _LONGEST_VALUE): _clean(value) for key, value in event.items()}
    if traceback is not None:
        clean["traceback"] = escaped(str(traceback)[-_LONGEST_TRACEBACK:], _LONGEST_TRACEBACK)
    return clean


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        items = islice(value.items(), _MOST_ITEMS)
        return {escaped(str(key), _LONGEST_VALUE): _clean(inner) for key, inner in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in islice(value, _MOST_ITEMS)]
    return escaped(str(value), _LONGEST_VALUE)
