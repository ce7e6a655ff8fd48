"""Which addresses fulfil a STIX pattern by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from detectors.errors import LoginwardError, escaped

LONGEST: Final = 20_000
"""Characters of a pattern; one of a hundred addresses has 4,000."""
_DEEPEST: Final = 20
"""Brackets inside brackets; the parser would take minutes, or the stack, for more."""
_ADDRESSES: Final = frozenset({"ipv4-addr", "ipv6-addr"})
_MORE: Final = "pattern of more than an address"


class PatternError(LoginwardError):
    """A pattern that cannot be read."""


@dataclass(slots=True)
class Written:
    """Addresses as written, and what else would fulfil the pattern, by kind."""

    addresses: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def networks_in(pattern: object) -> Written:
    """The addresses of `[ipv4-addr:value = '...']`, of IN and ISSUBSET, and of any OR of these.

    Where an address must come together with something else (AND, FOLLOWEDBY, REPEATS) it does not
    stand for itself and is not among them. Raises PatternError.
    """
    # stix2 loads urllib3, which opens a socket when it is imported.
    from stix2.pattern_visitor import create_pattern_object  # noqa: PLC0415

    if not isinstance(pattern, str) or not pattern:
        raise PatternError("has no pattern")
    if len(pattern) > LONGEST or _depth(pattern) > _DEEPEST:
        raise PatternError(f"pattern: '{escaped(pattern, 60)}' is too long or too deep to be read")
    try:
        parsed = create_pattern_object(pattern, version="2.1")
    except Exception as failure:  # noqa: BLE001 (bad input, whatever the library makes of it)
        raise PatternError(
            f"pattern: '{escaped(pattern, 60)}' cannot be read: {escaped(str(failure), 150)}"
        ) from None
    written = Written()
    _collect(parsed, written)
    return written


def _depth(pattern: str) -> int:
    deepest = depth = 0
    for character in pattern:
        if character in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]":
            depth -= 1
    return deepest


def _collect(node: Any, written: Written) -> None:
    from stix2 import patterns  # noqa: PLC0415

    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, patterns.OrObservationExpression | patterns.OrBooleanExpression):
            waiting += reversed(one.operands)
        elif isinstance(one, patterns.ParentheticalExpression):
            waiting.append(one.expression)
        elif type(one) is patterns.ObservationExpression:
            waiting.append(one.operand)
        else:
            _comparison(one, written)


def _comparison(one: Any, written: Written) -> None:
    from stix2 import patterns  # noqa: PLC0415

    values = None
    if isinstance(one, patterns.InComparisonExpression):
        values = list(one.rhs.value)
    elif isinstance(
        one, patterns.EqualityComparisonExpression | patterns.IsSubsetComparisonExpression
    ):
        values = [one.rhs]
    kind = getattr(getattr(one, "lhs", None), "object_type_name", _MORE)
    path = [str(part.property_name) for part in one.lhs.property_path] if values else []
    if values is None or one.negated or kind not in _ADDRESSES or path != ["value"]:
        written.others.append(_MORE if kind in _ADDRESSES else kind)
        return
    written.addresses += [str(value.value) for value in values]
