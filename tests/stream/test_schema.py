"""What is published about the wire is what the decoder does."""

from __future__ import annotations

from typing import Any, cast, get_args

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given

from config.settings import load
from config.topics import TOPICS, TopicName, topic_config
from detectors import wire
from detectors.errors import Rejected, RejectReason
from detectors.events import LoginEvent
from detectors.notices import Confirmation, NoticeStep
from detectors.verdicts import Verdict
from stream.schema import (
    FILE,
    RECORDS,
    RECORDS_FILE,
    event_schema,
    records_schema,
    records_text,
    schema_text,
)
from tests.checkout import ROOT
from tests.detectors.made_events import EVENTS

RECORDED = (
    Verdict(
        event_id="e", occurred_at="2026-11-23T06:00:00Z", account="p", notice_risk="ask", rules=[]
    ),
    Confirmation(
        schema=1,
        confirmation_id="c",
        notice_id="n",
        verdict_id="v",
        event_id="e",
        account="p",
        system="web",
        answer="no",
        via="page",
        at="2026-11-23T06:00:00Z",
    ),
    NoticeStep(
        schema=1,
        notice_id="n",
        seq=1,
        at="2026-11-23T06:00:00Z",
        state="planned",
        verdict_id="v",
        event_id="e",
        account="p",
        system="web",
        notice_risk="high",
    ),
)
VALID = jsonschema.Draft202012Validator(event_schema())
API = cast("dict[str, Any]", yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text()))
MESSAGES = API["components"]["messages"]


def test_the_published_schema_is_the_types() -> None:
    """docs/event.schema.json is what `python -m stream.schema` writes."""
    assert (ROOT / FILE).read_bytes() == schema_text()


def test_the_published_records_are_the_types() -> None:
    """docs/records.schema.json is what `python -m stream.schema` writes."""
    assert (ROOT / RECORDS_FILE).read_bytes() == records_text()


def test_the_schemas_are_schemas() -> None:
    """Of the dialect they name."""
    jsonschema.Draft202012Validator.check_schema(event_schema())
    jsonschema.Draft202012Validator.check_schema(records_schema())


@pytest.mark.parametrize("name", TOPICS)
def test_every_topic_is_published_as_it_is_made(name: TopicName) -> None:
    """Its address, whether it is compacted, how large a record may be, and the type it holds."""
    channels = {one["address"]: one for one in API["channels"].values()}
    channel = channels.pop(name)
    if name == "logins.rejected":
        assert len(channel["messages"]) == 2
        return
    config = topic_config(load(environ={}).kafka, name)
    [message] = channel["messages"].values()
    payload = MESSAGES[message["$ref"].rpartition("/")[2]]["payload"]["$ref"]
    made = channel["bindings"]["kafka"]["topicConfiguration"]

    assert made["cleanup.policy"] == [config["cleanup.policy"]]
    assert made["max.message.bytes"] == int(config["max.message.bytes"])
    if name in RECORDS:
        assert payload == f"./records.schema.json#/$defs/{RECORDS[name].__name__}"


def test_no_other_topic_is_published() -> None:
    """What nobody makes, nobody can read."""
    assert {one["address"] for one in API["channels"].values()} == set(TOPICS)


@pytest.mark.parametrize("record", RECORDED)
def test_a_record_fits_what_is_published(record: msgspec.Struct) -> None:
    """Defaults left out and all, as it is written."""
    schema = records_schema() | {"$ref": f"#/$defs/{type(record).__name__}"}

    jsonschema.Draft202012Validator(schema).validate(msgspec.to_builtins(record))


@given(event=EVENTS)
def test_every_event_we_write_fits_the_schema(event: LoginEvent) -> None:
    """Whoever validates what we send finds nothing."""
    VALID.validate(msgspec.json.decode(wire.encode(event)))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"outcome": "maybe"},
        {"account": 5},
        {"account": "x" * 257},
        {"event_id": ""},
        {"reason": "moon"},
        {"origin": {"country": "Taiwan"}},
        {"mfa": "yes"},
    ],
)
def test_what_the_schema_refuses_the_decoder_refuses(change: dict[str, object]) -> None:
    """An emitter that tests itself with the schema meets no other rule later."""
    (_, example) = [one["payload"] for one in MESSAGES["loginEvent"]["examples"]]
    wrong = example | change

    assert not VALID.is_valid(wrong)
    with pytest.raises(Rejected):
        wire.decode(msgspec.json.encode(wrong))


def test_the_examples_are_events() -> None:
    """What an emitter copies must work."""
    for example in MESSAGES["loginEvent"]["examples"]:
        VALID.validate(example["payload"])
        assert wire.decode(msgspec.json.encode(example["payload"])).system


def test_every_reference_leads_somewhere() -> None:
    """Inside the document, or to the schema beside it."""
    references = list(_references(API))

    assert "./event.schema.json" in references
    for reference in references:
        file, _, place = reference.partition("#/")
        node: Any = msgspec.json.decode((ROOT / "docs" / file).read_bytes()) if file else API
        for name in place.split("/") if place else ():
            node = node[name]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def test_the_reasons_of_rejects_are_the_closed_set() -> None:
    """Consumers may rely on them."""
    assert API["components"]["schemas"]["reason"]["enum"] == list(get_args(RejectReason))
