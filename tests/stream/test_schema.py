"""What is published about the wire is what the decoder does."""

from __future__ import annotations

from typing import Any, cast, get_args

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given

from detectors import wire
from detectors.errors import Rejected, RejectReason
from detectors.events import LoginEvent
from stream.schema import FILE, event_schema, schema_text
from tests.checkout import ROOT
from tests.detectors.made_events import EVENTS

VALID = jsonschema.Draft202012Validator(event_schema())
API = cast("dict[str, Any]", yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text()))
MESSAGES = API["components"]["messages"]


def test_the_published_schema_is_the_types() -> None:
    """docs/event.schema.json is what `python -m stream.schema` writes."""
    assert (ROOT / FILE).read_bytes() == schema_text()


def test_the_schema_is_a_schema() -> None:
    """Of the dialect it names."""
    jsonschema.Draft202012Validator.check_schema(event_schema())


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
        if reference == "./event.schema.json":
            continue
        node: Any = API
        for name in reference.removeprefix("#/").split("/"):
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
