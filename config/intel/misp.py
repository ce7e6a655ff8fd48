"""MISP events as JSON: attributes of addresses that MISP itself calls fit for detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from detectors.errors import LoginwardError

from .feed import Feed, shown
from .indicator import Indicator, Tlp, gravest, named, network_of, tlp_of

_TYPES: Final = frozenset({"ip-src", "ip-dst", "ip-src|port", "ip-dst|port"})
_NOT_MEANT: Final = "attribute with to_ids off"


def is_misp(content: object) -> bool:
    """Whether the JSON of a file is a MISP event, or an answer of MISP with several."""
    return any(True for _ in _events(content))


def read_misp(content: object, name: str) -> Feed:
    """The addresses of all events in it, also those inside of MISP's objects."""
    feed = Feed(format="misp")
    tlps: list[Tlp | None] = []
    for number, event in enumerate(_events(content)):
        feed.title = feed.title or named(event.get("info"))
        tlps.append(_tlp(event))
        for place, attribute in _attributes(event):
            _attribute(feed, f"{name} Event[{number}].{place}", attribute, tlps[-1])
    feed.tlp = gravest([*tlps, *(one.tlp for one in feed.indicators)])
    return feed


def _attribute(feed: Feed, place: str, said: object, event_tlp: Tlp | None) -> None:
    if not isinstance(said, dict):
        feed.bad.add(place, f"{shown(said)} is no attribute")
        return
    kind = said.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        feed.ignore(kind)
        return
    if not _true(said.get("to_ids")):
        feed.ignore(_NOT_MEANT)
        return
    value = said.get("value")
    try:
        if not isinstance(value, str):
            raise LoginwardError(f"value: {shown(value)} is no text")
        indicator = Indicator(
            network=str(network_of(value.partition("|")[0])),
            id=named(said.get("uuid")),
            name=named(said.get("comment")),
            tlp=gravest([_tlp(said), event_tlp]),
            modified=_time(said, "timestamp"),
            revoked=_true(said.get("deleted")),
        )
    except LoginwardError as failure:
        feed.bad.add(place, str(failure))
    else:
        feed.add(place, indicator)


def _true(value: object) -> bool:
    """MISP's older exports write 1 or "1"."""
    return value is True or (isinstance(value, int | str) and value in {1, "1"})


def _events(content: object) -> Iterator[Mapping[str, Any]]:
    """One event, `{"response": [...]}` of restSearch, or a list of events."""
    if isinstance(content, dict) and isinstance(content.get("response"), list):
        content = content["response"]
    for one in content if isinstance(content, list) else [content]:
        event = one.get("Event") if isinstance(one, dict) else None
        if isinstance(event, dict):
            yield event


def _attributes(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for number, attribute in enumerate(_list(event, "Attribute")):
        yield f"Attribute[{number}]", attribute
    for at, thing in enumerate(_list(event, "Object")):
        for number, attribute in enumerate(_list(thing, "Attribute")):
            yield f"Object[{at}].Attribute[{number}]", attribute


def _list(holder: object, key: str) -> list[Any]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _tlp(holder: Mapping[str, Any]) -> Tlp | None:
    names = (tag.get("name") for tag in _list(holder, "Tag") if isinstance(tag, dict))
    marks = (name for name in names if isinstance(name, str) and name.lower().startswith("tlp:"))
    return gravest(map(tlp_of, marks))


def _time(said: Mapping[str, Any], key: str) -> datetime | None:
    """Seconds since 1970 (`timestamp`, as a text), or RFC 3339; None where it says none."""
    text = said.get(key)
    if text is None or text == "":
        return None
    try:
        if isinstance(text, int) or str(text).isdigit():
            return datetime.fromtimestamp(int(str(text)[:18]), tz=UTC)
        at = datetime.fromisoformat(str(text))
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise LoginwardError(f"{key}: {shown(text)} is no time") from None
