"""TAXII 2.1 collections: what was added since the last poll, page after page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from detectors.errors import LoginwardError, escaped

from .bulletins import content_of
from .feed import MOST_ENTRIES, Feed, Progress, unwatched
from .indicator import named
from .stix import read_objects
from .web import Access, bind, checked

_PER_PAGE: Final = 1_000
_MOST_PAGES: Final = 1_000
_WANTED: Final = ("indicator", "marking-definition", "report", "grouping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a poll brought; `cursor` is where the next one begins (empty: from the start)."""

    feed: Feed
    content: str
    cursor: str
    objects: int


def is_collection(url: str) -> bool:
    """Whether a URL is that of a collection: .../collections/ID/."""
    parts = urlsplit(url).path.rstrip("/").removesuffix("/objects").split("/")
    return len(parts) > 1 and parts[-2] == "collections"


def collection_url(url: str) -> str:
    """The one spelling of a collection, by which its last poll is found."""
    return url.rstrip("/").removesuffix("/objects") + "/"


def poll(url: str, access: Access, *, since: str = "", progress: Progress = unwatched) -> Polled:
    """The indicators added after `since` (the cursor of the last poll). Raises LoginwardError."""
    # urllib3 opens a socket when it is imported, so the library is loaded when it is needed.
    from taxii2client.common import _HTTPConnection  # noqa: PLC0415
    from taxii2client.v21 import Collection  # noqa: PLC0415

    where = collection_url(checked(url))
    connection = _HTTPConnection(version="2.1")
    try:
        bounds = bind(connection.session, where, access)
        collection = Collection(where, conn=connection)
        objects = list(_objects(collection, since))
        content = content_of(msgspec.json.encode(objects, order="sorted"))
        title = named(collection.title)
    except LoginwardError as failure:
        raise LoginwardError(f"{escaped(where, 100)}: {failure}") from None
    except Exception as failure:  # noqa: BLE001 (bad input, whatever the library makes of it)
        raise LoginwardError(
            f"{escaped(where, 100)}: {type(failure).__name__}: {escaped(str(failure), 300)}; does "
            "it speak TAXII 2.1?"
        ) from None
    finally:
        connection.close()
    feed = read_objects(objects, where, progress)
    feed.title = feed.title or title
    return Polled(
        feed=feed,
        content=content,
        cursor=escaped(bounds.last_added, 100)[:100] or since,
        objects=len(objects),
    )


def _objects(collection: Any, since: str) -> Iterator[Any]:
    from taxii2client.v21 import as_pages  # noqa: PLC0415

    wanted = {"type": _WANTED} | ({"added_after": since} if since else {})
    count = 0
    seen: set[str] = set()
    for number, page in enumerate(as_pages(collection.get_objects, _PER_PAGE, **wanted), start=1):
        objects = page.get("objects", [])
        if not isinstance(objects, list):
            raise LoginwardError("objects: is no list; is it a TAXII 2.1 server?")
        count += len(objects)
        if count > MOST_ENTRIES or number > _MOST_PAGES:
            raise LoginwardError(f"holds more than {MOST_ENTRIES:,} objects, or has no last page")
        yield from objects
        following = page.get("next")
        if page.get("more"):
            # Without these the library would ask for the same page again, for ever.
            if not isinstance(following, str) or not objects or following in seen:
                raise LoginwardError("says that there is more, but not where (`next`)")
            seen.add(following)
