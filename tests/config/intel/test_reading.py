"""Every format gives the same indicators, and what is hostile costs its own entry alone."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.intel.feed import FORMATS, SHOWN, Feed, Format
from config.intel.indicator import Indicator
from config.intel.reading import read_feed, read_file
from config.intel.screening import Screen, screened
from detectors.errors import LoginwardError

from .feeds import AMBER, RED, attribute, bundle, misp, stix_indicator


def read(
    data: bytes | str, kind: Format | None = None, mapping: dict[str, str] | None = None
) -> Feed:
    """What a file named `f` holds."""
    raw = data.encode() if isinstance(data, str) else data
    return read_feed(raw, "f", kind, mapping)


def networks(feed: Feed) -> list[str]:
    """The networks of a feed in their order."""
    return [one.network for one in feed.indicators]


def test_text_is_one_address_a_line() -> None:
    """Comments, empty lines, Windows' line ends and defanged dots are read as they are meant."""
    feed = read("\ufeff# F-ISAC 112\r\n\r\n192.0.2.7 ; a\r\n198.51.100[.]0/24\r\n2001:db8::1\r\n")

    assert feed.format == "text"
    assert networks(feed) == ["192.0.2.7/32", "198.51.100.0/24", "2001:db8::1/128"]
    assert networks(read("::ffff:192.0.2.0/120\n::ffff:192.0.2.1\n192.0.2.9/24")) == [
        "192.0.2.0/24",
        "192.0.2.1/32",
        "192.0.2.0/24",
    ]
    assert feed.bad.count == 0


def test_every_bad_line_is_named_with_place_and_value() -> None:
    """The first twenty one by one, all of them in the count, and the good ones are there."""
    feed = read("\n".join(["192.0.2.7", *(f"no\x1b[31m{n}" for n in range(30))]))

    assert networks(feed) == ["192.0.2.7/32"]
    assert (feed.bad.count, len(feed.bad.first)) == (30, SHOWN)
    assert feed.bad.first[0].startswith("f:2: 'no\\x1b[31m0' is no address")


def test_a_csv_is_found_by_its_header() -> None:
    """Columns in any order, times with and without an offset, a marking, a name."""
    feed = read(
        "Name,IP,expires,confidence,TLP\n"
        '"a, b",192.0.2.7,2026-12-01,80,TLP:RED\n'
        ",192.0.2.8,2026-12-01T08:00:00+08:00,,\n"
        "x,192.0.2.9,soon,1,\n"
        "x,192.0.2.9,,101,\n"
    )

    assert feed.format == "csv"
    one, two = feed.indicators
    assert (one.name, one.confidence, one.tlp) == ("a, b", 80, "red")
    assert one.valid_until == two.valid_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert [text.split(": ", 2)[:2] for text in feed.bad.first] == [
        ["f:4", "valid_until"],
        ["f:5", "confidence"],
    ]


def test_a_csv_with_headers_of_its_own_is_mapped() -> None:
    """--map network=Quelle; a header that is not there is named, with those that are."""
    feed = read("Quelle,x\n192.0.2.7,1\n", mapping={"network": "quelle"})

    assert networks(feed) == ["192.0.2.7/32"]
    with pytest.raises(LoginwardError, match=r"f:1: has no column src; it has Quelle, x"):
        read("Quelle,x\n192.0.2.7,1\n", mapping={"network": "src"})


@pytest.mark.parametrize(
    ("pattern", "found", "ignored"),
    [
        ("[ipv4-addr:value = '192.0.2.7']", ["192.0.2.7/32"], {}),
        ("[ipv6-addr:value ISSUBSET '2001:db8::/48']", ["2001:db8::/48"], {}),
        ("[ipv4-addr:value IN ('192.0.2.7', '192.0.2.8')]", ["192.0.2.7/32", "192.0.2.8/32"], {}),
        (
            "[ipv4-addr:value='192.0.2.7' OR url:value='x'] OR ([ipv4-addr:value='192.0.2.8'])",
            ["192.0.2.7/32", "192.0.2.8/32"],
            {"url": 1},
        ),
        ("[http-request-ext:request_header.'User-Agent' = 'x']", [], {"http-request-ext": 1}),
        (
            "[ipv4-addr:value = '192.0.2.7' AND ipv4-addr:x_port = 22]",
            [],
            {"pattern of more than an address": 1},
        ),
        ("[ipv4-addr:value != '192.0.2.7']", [], {"pattern of more than an address": 1}),
        (
            "[ipv4-addr:value = '192.0.2.7'] REPEATS 5 TIMES",
            [],
            {"pattern of more than an address": 1},
        ),
        ("[ipv4-addr:belongs_to_refs[0].number = 1]", [], {"pattern of more than an address": 1}),
    ],
)
def test_a_stix_pattern_lists_what_fulfils_it_alone(
    pattern: str, found: list[str], ignored: dict[str, int]
) -> None:
    """An address that must come with something else is no reason to call it bad."""
    feed = read(bundle(stix_indicator(pattern)))

    assert networks(feed) == found
    assert dict(feed.ignored) == ignored
    assert feed.bad.count == 0


def test_a_stix_bundle_says_who_may_be_told_and_how_long_it_holds() -> None:
    """Markings of TLP 1 and 2, the bundle's own ones too; the strictest is the bulletin's."""
    own = {
        "type": "marking-definition",
        "id": "marking-definition--b4c7716a-d7b8-4326-9a7a-23da6bce6682",
        "definition_type": "tlp",
        "definition": {"tlp": "green"},
    }
    feed = read(
        bundle(
            {"type": "report", "name": "F-ISAC 112"},
            own,
            stix_indicator(
                name="a",
                object_marking_refs=[AMBER],
                confidence=70,
                valid_until="2026-12-01T00:00:00Z",
            ),
            stix_indicator(name="b", object_marking_refs=[RED], revoked=True),
            stix_indicator(name="c", object_marking_refs=[own["id"]]),
            {"type": "malware"},
        )
    )

    assert [one.tlp for one in feed.indicators] == ["amber", "red", "green"]
    assert (feed.tlp, feed.title) == ("red", "F-ISAC 112")
    first = feed.indicators[0]
    assert (first.confidence, first.valid_until) == (70, datetime(2026, 12, 1, tzinfo=UTC))
    assert type(first.valid_until) is datetime
    assert [one.revoked for one in feed.indicators] == [False, True, False]
    assert feed.ignored["malware"] == 1


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(7, id="no object"),
        pytest.param({"type": ["indicator"]}, id="a type that is none"),
        pytest.param({"type": "indicator"}, id="an indicator of nothing"),
        pytest.param(stix_indicator("[ipv4-addr:value = "), id="half a pattern"),
        pytest.param(stix_indicator("[" + "(" * 5_000), id="a pattern of brackets"),
        pytest.param(stix_indicator("x" * 1_000_000), id="a pattern without an end"),
        pytest.param(stix_indicator(valid_from="soon"), id="no time"),
        pytest.param(stix_indicator(valid_until="2000-01-01T00:00:00Z"), id="ends before it began"),
        pytest.param(stix_indicator(confidence=10**9), id="surer than sure"),
        pytest.param(stix_indicator(id="x\x1b[31m"), id="no id"),
        pytest.param(stix_indicator("[ipv4-addr:value = '999.0.2.7']"), id="no address"),
        pytest.param(stix_indicator(object_marking_refs=7), id="no markings"),
        pytest.param(stix_indicator(pattern=7), id="a number as pattern"),
    ],
)
def test_a_hostile_object_costs_itself_alone(hostile: object) -> None:
    """It is named with its place, and its neighbours are there."""
    feed = read(bundle(stix_indicator(name="a"), hostile, stix_indicator(name="b")))

    assert networks(feed) == ["192.0.2.7/32"] * 2
    assert feed.bad.count + feed.ignored.total() == 1
    assert all(text.startswith("f objects[1]") and text.isprintable() for text in feed.bad.first)


def test_a_misp_event_lists_what_it_calls_fit_for_detection() -> None:
    """Attributes of addresses, inside objects too, with a port or not; the others are counted."""
    feed = read(
        misp(
            attribute("192.0.2.7", uuid="u1", timestamp="1763942400", comment="scanner"),
            attribute("192.0.2.8|443", "ip-dst|port"),
            attribute("192.0.2.9", to_ids=False),
            attribute("192.0.2.10", deleted="1", to_ids="1"),
            attribute("a.example", "domain"),
            attribute({"a": 1}),
            attribute("none"),
            7,
            tags=("tlp:amber+strict", "type:OSINT"),
            objects=(attribute("192.0.2.11", Tag=[{"name": "tlp:red"}]),),
        )
    )

    assert networks(feed) == [f"192.0.2.{n}/32" for n in (7, 8, 10, 11)]
    assert [one.revoked for one in feed.indicators] == [False, False, True, False]
    assert [one.tlp for one in feed.indicators] == ["amber+strict"] * 3 + ["red"]
    assert feed.indicators[0].modified == datetime.fromtimestamp(1_763_942_400, UTC)
    assert (feed.tlp, feed.title) == ("red", "Campaign 7")
    assert dict(feed.ignored) == {"attribute with to_ids off": 1, "domain": 1}
    assert [text.split(":")[0] for text in feed.bad.first] == [
        f"f Event[0].Attribute[{n}]" for n in (5, 6, 7)
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"{", "is no JSON", id="half a file"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="depth"),
        pytest.param(b"{}", "neither a STIX bundle nor a MISP event", id="nothing known"),
        pytest.param(b'{"type":"bundle","objects":7}', "objects: is no list", id="no objects"),
        pytest.param(b"\x7fELF\0\0", "is no text", id="a program"),
        pytest.param(
            json.dumps({"list": [], "name": "n", "matching_attributes": []}).encode(),
            "is a MISP warning list",
            id="a warning list",
        ),
    ],
)
def test_a_file_that_is_no_bulletin_is_refused_in_a_sentence(data: bytes, told: str) -> None:
    """The file is named, and what was expected."""
    with pytest.raises(LoginwardError, match=f"^f: .*{told}"):
        read(data)


def test_a_file_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither bytes nor entries without bound are taken in."""
    monkeypatch.setattr("config.intel.reading.LARGEST_BYTES", 10)
    (tmp_path / "f").write_bytes(b"192.0.2.7\n192.0.2.8\n")
    with pytest.raises(LoginwardError, match="larger than"):
        read_file(tmp_path / "f")

    monkeypatch.undo()
    monkeypatch.setattr("config.intel.feed.MOST_ENTRIES", 1)
    with pytest.raises(LoginwardError, match="f:2: more than 1 indicators; split the file"):
        read("192.0.2.7\n192.0.2.8")


@given(st.binary(max_size=200), st.sampled_from([None, *FORMATS]))
def test_no_bytes_end_the_process(data: bytes, kind: Format | None) -> None:
    """Whatever comes: indicators, named entries, or one sentence."""
    for prefix in (b"", b"ip,name\n", b'{"type":"bundle","objects":['):
        with suppress(LoginwardError):
            feed = read(prefix + data, kind=kind)
            assert all(text.isprintable() for text in feed.bad.first)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.just("192.0.2.7"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*stix_indicator(), *attribute(""), "Tag", "Attribute", "revoked"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(sorted(stix_indicator())), _json, max_size=4), _json)
def test_no_object_ends_the_process(fields: dict[str, Any], anything: Any) -> None:
    """A right indicator or attribute with anything in its place; what is taken can be read back."""
    for data in (
        bundle(stix_indicator() | fields, anything),
        misp(attribute("192.0.2.7") | fields, anything, objects=(anything,)),
        json.dumps({"Event": anything}).encode(),
        json.dumps({"objects": anything}).encode(),
    ):
        with suppress(LoginwardError):
            feed = read(data)
            kept = msgspec.json.encode(screened(feed, Screen()).fit)
            msgspec.json.decode(kept, type=list[Indicator])
            assert all(text.isprintable() for text in feed.bad.first)
