"""STIX 2.1 bundles: indicators whose pattern an address alone fulfils."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import structs

from detectors.errors import LoginwardError

from .feed import Feed, Progress, shown, unwatched
from .indicator import Indicator, Tlp, gravest, named, network_of, tlp_of
from .stix_pattern import networks_in

_TLP_IDS: Final[Mapping[str, Tlp]] = {
    # STIX 2.1, section 7.2.1.4 (TLP 1.0)
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
    # OASIS, extension definition of TLP 2.0
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "red",
}
_TITLED: Final = ("report", "grouping")
"""Objects that say what the bulletin is called."""


def is_stix(content: object) -> bool:
    """Whether the JSON of a file is a bundle, or an envelope of TAXII."""
    return isinstance(content, dict) and (
        content.get("type") == "bundle"
        or (isinstance(content.get("objects"), list) and "type" not in content)
    )


def read_stix(content: Mapping[str, Any], name: str, progress: Progress = unwatched) -> Feed:
    """The indicators of a bundle. Raises LoginwardError where it is none."""
    objects = content.get("objects", [])
    if not isinstance(objects, list):
        raise LoginwardError(f"{name}: objects: is no list; is it a STIX bundle?")
    return read_objects(objects, name, progress)


def read_objects(objects: list[Any], name: str, progress: Progress = unwatched) -> Feed:
    """The indicators among STIX objects, as a bundle or a TAXII collection holds them."""
    feed = Feed(format="stix", title=_title(objects))
    markings = dict(_TLP_IDS) | _markings(objects)
    for number, said in enumerate(objects):
        progress(1)
        kind = said.get("type") if isinstance(said, dict) else None
        place = f"{name} objects[{number}]"
        if kind == "indicator":
            _indicator(feed, f"{place} {named(said.get('id'))[:60]}".strip(), said, markings)
        elif kind is None:
            feed.bad.add(place, f"{shown(said)} is no STIX object")
        else:
            feed.ignore(kind)
    feed.tlp = gravest(one.tlp for one in feed.indicators)
    return feed


def _indicator(feed: Feed, place: str, said: dict[str, Any], markings: Mapping[str, Tlp]) -> None:
    import stix2  # noqa: PLC0415 (it loads urllib3, which opens a socket when it is imported)

    pattern_type = said.get("pattern_type", "stix")
    if pattern_type != "stix":
        feed.ignore(f"pattern of {named(pattern_type)[:20]}")
        return
    try:
        # The pattern first: it bounds what the library is given to chew on.
        written = networks_in(said.get("pattern"))
        one = _read(stix2.parse(said, allow_custom=True), said, markings)
    except LoginwardError as failure:
        feed.bad.add(place, str(failure))
        return
    except Exception as failure:  # noqa: BLE001 (bad input, whatever the library makes of it)
        feed.bad.add(place, f"{type(failure).__name__}: {failure}")
        return
    for kind in written.others:
        feed.ignore(kind)
    for text in written.addresses:
        try:
            network = str(network_of(text))
        except LoginwardError as failure:
            feed.bad.add(place, str(failure))
        else:
            feed.add(place, structs.replace(one, network=network))


def _read(checked: Any, said: Mapping[str, Any], markings: Mapping[str, Tlp]) -> Indicator:
    """What is said of each address of the pattern."""
    return Indicator(
        network="",
        id=named(str(checked.id)),
        name=named(getattr(checked, "name", "")),
        valid_from=_plain(checked.valid_from),
        valid_until=_plain(getattr(checked, "valid_until", None)),
        confidence=_confidence(said.get("confidence")),
        tlp=gravest(markings.get(str(one)) for one in getattr(checked, "object_marking_refs", ())),
        modified=_plain(checked.modified),
        revoked=bool(getattr(checked, "revoked", False)),
    )


def _confidence(said: object) -> int | None:
    """0 to 100 (STIX 2.1, 3.2), which the library does not look at."""
    if said is None:
        return None
    if isinstance(said, int) and 0 <= said <= 100:  # noqa: PLR2004 (STIX's scale)
        return said
    raise LoginwardError(f"confidence: {shown(said)} is not 0 to 100")


def _title(objects: Iterable[Any]) -> str:
    titled = (one for one in objects if isinstance(one, dict) and one.get("type") in _TITLED)
    return next((named(one.get("name")) for one in titled), "")


def _markings(objects: Iterable[Any]) -> dict[str, Tlp]:
    """TLP markings that the bundle defines itself, as TLP 1 (definition) or 2 (extension)."""
    found: dict[str, Tlp] = {}
    for one in objects:
        if not isinstance(one, dict) or one.get("type") != "marking-definition":
            continue
        definition, extensions = one.get("definition"), one.get("extensions")
        said = [definition.get("tlp")] if isinstance(definition, dict) else []
        if isinstance(extensions, dict):
            said += [ext.get("tlp_2_0") for ext in extensions.values() if isinstance(ext, dict)]
        tlp = gravest(tlp_of(text) for text in said if isinstance(text, str))
        if tlp is not None and isinstance(one.get("id"), str):
            found[one["id"]] = tlp
    return found


def _plain(at: datetime | None) -> datetime | None:
    """The library's own kind of time as an ordinary one, which compares and encodes as such."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return datetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC
    )
