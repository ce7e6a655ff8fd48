"""One event is one line, whatever a user name holds."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from loginward_cli.logs import set_up


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the process's logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def _logged(*, as_json: bool = True, **fields: object) -> str:
    out = io.StringIO()
    set_up(json=as_json, stream=out)
    structlog.get_logger("stream.test").warning("login refused", **fields)
    return out.getvalue()


def test_an_event_is_one_json_line() -> None:
    """Fields stay fields; time is UTC; the logger is named."""
    logged = json.loads(_logged(attempt=3, known=True, accounts=["a", 1], origin={"asn": 3462}))

    assert logged.pop("timestamp").endswith("Z")
    assert logged == {
        "event": "login refused",
        "level": "warning",
        "logger": "stream.test",
        "attempt": 3,
        "known": True,
        "accounts": ["a", 1],
        "origin": {"asn": 3462},
    }


@given(st.text(), st.booleans())
def test_no_text_forges_a_line_or_moves_a_cursor(text: str, as_json: bool) -> None:
    """CR, LF, ESC, right-to-left marks and lone surrogates are escaped, also in keys."""
    line = _logged(as_json=as_json, account=text, nested={text: [text]}, traceback=text)

    assert line.endswith("\n")
    assert line[:-1].isprintable()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_is_one_line_and_bounded(as_json: bool) -> None:
    """An exception keeps its event on one line, and cannot flood the collector."""
    out = io.StringIO()
    set_up(json=as_json, stream=out)
    try:
        raise ValueError("x\n" * 50_000 + "the end")
    except ValueError:
        structlog.get_logger().exception("failed")

    assert out.getvalue().count("\n") == 1
    assert "the end" in out.getvalue()
    assert len(out.getvalue()) < 40_000


def test_records_of_libraries_take_the_same_road() -> None:
    """The standard library's records are JSON lines too; clients' chatter below warning is not."""
    out = io.StringIO()
    set_up(stream=out)

    logging.getLogger("kafka.cluster").info("metadata refreshed")
    logging.getLogger("kafka.cluster").warning("no answer from %s", "127.0.0.1:1\n")

    logged = json.loads(out.getvalue())
    assert logged["event"] == "no answer from 127.0.0.1:1\\n"
    assert logged["logger"] == "kafka.cluster"
