"""Collections and lists of other people's servers: everything new, and no more than is borne."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from config.intel.taxii import is_collection, poll
from config.intel.web import Access, checked, download
from detectors.errors import LoginwardError

from .feeds import stix_indicator
from .servers import COLLECTION, Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A collection with five indicators and something else."""
    objects = [
        (f"2026-11-2{n}T00:00:00.000000Z", stix_indicator(f"[ipv4-addr:value = '192.0.2.{n}']"))
        for n in range(5)
    ]
    with serving(Server(objects=[*objects, ("2026-11-29T00:00:00Z", {"type": "malware"})])) as one:
        yield one


def collection(server: Server) -> str:
    """Where its collection is."""
    return f"{server.url}api1/collections/{COLLECTION}/"


def test_a_collection_is_read_to_its_last_page(server: Server) -> None:
    """Three pages of two; only what can hold addresses is asked for."""
    polled = poll(collection(server), Access())

    assert [one.network for one in polled.feed.indicators] == [f"192.0.2.{n}/32" for n in range(5)]
    assert [query.get("next") for query in server.asked] == [None, ["2"], ["4"]]
    assert "malware" not in server.asked[0]["match[type]"][0]
    assert (polled.feed.title, polled.objects) == ("F-ISAC", 5)


def test_the_next_poll_begins_where_the_last_ended(server: Server) -> None:
    """By the server's own clock, as it says it in its answer."""
    first = poll(collection(server), Access())
    server.objects.append(("2026-11-25T00:00:00.000000Z", stix_indicator(name="new")))

    second = poll(collection(server), Access(), since=first.cursor)
    third = poll(collection(server) + "objects/", Access(), since=second.cursor)

    assert first.cursor == "2026-11-24T00:00:00.000000Z"
    assert (second.objects, third.objects) == (1, 0)
    assert third.cursor == second.cursor


def test_only_the_named_server_is_told_who_we_are(server: Server) -> None:
    """A collection typed wrong does not get the password of another."""
    server.password = "x"
    mine = Access(host="127.0.0.1", username="amy", password="fake")
    others = Access(host="taxii.example", username="amy", password="fake")

    assert poll(collection(server), mine).objects == 5
    server.authorization.clear()
    with pytest.raises(LoginwardError, match="401"):
        poll(collection(server), others)
    assert set(server.authorization) == {None}
    assert "fake" not in repr(mine)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        pytest.param({"objects": 7}, "no list", id="no objects"),
        pytest.param([], "does it speak TAXII", id="no envelope"),
        pytest.param(b"{", "does it speak TAXII", id="half an answer"),
        pytest.param({"objects": [{}], "more": True}, "but not where", id="more, but not where"),
        pytest.param(
            {"objects": [{}], "more": True, "next": "0"}, "but not where", id="the same page again"
        ),
        pytest.param({"more": True, "next": "1"}, "but not where", id="empty pages for ever"),
        pytest.param(b" " * 3_000_000, "more than 2 MiB", id="no end"),
    ],
)
def test_a_hostile_collection_ends_in_a_sentence(
    server: Server, says: object, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No loop, no crash, no memory without bound; the server is named."""
    monkeypatch.setattr("config.intel.web.LARGEST_BYTES", 2 * 1024 * 1024)
    server.says = says

    with pytest.raises(LoginwardError, match=told) as failure:
        poll(collection(server), Access())
    assert str(failure.value).isprintable()


def test_another_content_type_is_no_collection(server: Server) -> None:
    """A login page of a proxy is not taken for an empty collection."""
    server.content_type = "text/html"

    with pytest.raises(LoginwardError, match="Content-Type"):
        poll(collection(server), Access())


def test_a_redirect_is_not_followed(server: Server) -> None:
    """It could lead into our own network, or to plain http."""
    server.redirect = "http://127.0.0.1:1/"

    with pytest.raises(LoginwardError, match="TooManyRedirects"):
        poll(collection(server), Access())
    with pytest.raises(LoginwardError, match="TooManyRedirects"):
        download(server.url + "list.txt", Access())


def test_a_list_is_downloaded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and no further than is borne."""
    server.says = b"192.0.2.7\n"
    assert download(server.url + "list.txt", Access()) == b"192.0.2.7\n"

    monkeypatch.setattr("config.intel.web.LARGEST_BYTES", 5)
    with pytest.raises(LoginwardError, match="sends more than"):
        download(server.url + "list.txt", Access())


def test_a_small_answer_cannot_grow_without_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted is what it unpacks to."""
    monkeypatch.setattr("config.intel.web.LARGEST_BYTES", 100_000)
    server.encoding, server.says = "gzip", gzip.compress(b"#" * 10_000_000)

    with pytest.raises(LoginwardError, match="sends more than"):
        download(server.url + "list.txt", Access())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://feeds.example/list.txt", "only https"),
        ("https://amy:secret@feeds.example/", "holds a user or a password"),
        ("https://", "only https"),
        ("https://[", "is no URL"),
    ],
)
def test_what_is_not_fetched(url: str, told: str) -> None:
    """Plain http outside this machine, passwords in what is typed and listed."""
    with pytest.raises(LoginwardError, match=told) as failure:
        checked(url)
    assert "secret" not in str(failure.value)


def test_a_server_that_is_not_there_is_told() -> None:
    """The URL and what happened."""
    with pytest.raises(LoginwardError, match=r"^http://127\.0\.0\.1:1/.*ConnectionError"):
        download("http://127.0.0.1:1/list.txt", Access())


def test_a_collection_is_known_by_its_url() -> None:
    """With and without /objects/; anything else is a file."""
    assert is_collection(f"https://t.example/api1/collections/{COLLECTION}/")
    assert is_collection(f"https://t.example/api1/collections/{COLLECTION}/objects")
    assert not is_collection("https://t.example/lists/bad.txt")
    assert not is_collection("https://t.example/api1/collections/")
