"""What can be wrong with a record, and the root of every error a user may see.

LoginwardError            a sentence for a person: place, value, way out
└── Rejected              a record of `logins` that cannot be judged (kept as bytes in
`logins.rejected`)
"""

from __future__ import annotations

from typing import Literal

RejectReason = Literal[
    "empty",
    "too_large",
    "not_json",
    "missing_field",
    "wrong_type",
    "bad_value",
    "unsupported_schema",
    "id_conflict",
    "unparsable_line",
]
"""Closed set: it is also the label set of the metric `logins_rejected_total`."""

_SHOWN = 120


def escaped(text: str, limit: int = _SHOWN) -> str:
    """`text` safe for a log line or a terminal: control, bidi and surrogate characters escaped,
    bounded.
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class LoginwardError(Exception):
    """An expected failure, told in one sentence: the place, the value and the way out."""


class Rejected(LoginwardError):
    """A record that is not a login event: `reason` from a closed set, `detail` escaped and
    bounded.
    """

    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.reason: RejectReason = reason
        self.detail = escaped(detail, 400)
        super().__init__(f"{reason}: {self.detail}")
