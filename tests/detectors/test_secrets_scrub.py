"""A field shaped like a secret never keeps its value; nothing else is touched."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.secrets_scrub import SECRET_NAMES, is_secret, scrub

SECRET = "hunter2-hunter2"
SPELLINGS = [str, str.upper, str.title, "_".join, "-".join, " ".join]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_every_name_of_the_list_is_a_secret(name: str) -> None:
    """In any case, with any separator."""
    for spelled in (name, name.upper(), "_".join(name), "-".join(name), ".".join(name)):
        assert is_secret(spelled)


@pytest.mark.parametrize(
    "name",
    ["user_password", "new-passwd", "oauth_token", "X.Api-Key", "login_otp", "clientSecret"],
)
def test_longer_names_that_end_in_a_secret_are_secrets(name: str) -> None:
    """A prefix does not make a password harmless."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["account", "reason", "passenger", "ping", "opinion", "key", ""])
def test_other_names_are_not(name: str) -> None:
    """A word that only contains one is no secret."""
    assert not is_secret(name)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    tree=st.dictionaries(st.text(max_size=5), VALUES),
    name=st.sampled_from(SECRET_NAMES),
    spell=st.sampled_from(SPELLINGS),
    depth=st.integers(0, 3),
)
def test_a_secret_at_any_depth_is_gone(
    tree: dict[str, Any], name: str, spell: Any, depth: int
) -> None:
    """Only its length stays, wherever it stands and however it is written."""
    inner: Any = {spell(name): SECRET}
    for _ in range(depth):
        inner = [{"deeper": inner}]

    cleaned = scrub(msgspec.json.encode({**tree, "extra": inner}))

    assert SECRET.encode() not in cleaned
    assert f"removed:{len(SECRET)}".encode() in cleaned


def test_an_escaped_name_hides_nothing() -> None:
    """JSON may write any letter as its number."""
    cleaned = scrub(rb'{"p\u0061ssword": "hunter2", "P\u0049N": 1234}')

    assert msgspec.json.decode(cleaned) == {"password": "removed:7", "PIN": "removed:4"}


@pytest.mark.parametrize("value", [SECRET, 1234, {"a": SECRET}, [SECRET], True])
def test_a_secret_of_any_type_is_gone(value: object) -> None:
    """A PIN is a number, a token may be an object."""
    cleaned = msgspec.json.decode(scrub(msgspec.json.encode({"pin": value})))

    assert cleaned["pin"].startswith("removed:")


def test_a_null_secret_is_nothing_to_hide() -> None:
    """That no password came is not a password."""
    raw = b'{"password": null}'

    assert scrub(raw) == raw


@given(tree=st.dictionaries(st.text(max_size=5).filter(lambda n: not is_secret(n)), st.text()))
def test_without_a_secret_every_byte_stays(tree: dict[str, str]) -> None:
    """Records are archived as they came."""
    raw = b" " + msgspec.json.encode(tree) + b"\n"

    assert scrub(raw) == raw


@given(raw=st.binary(max_size=60))
def test_what_is_no_json_stays_as_it_is(raw: bytes) -> None:
    """A reject keeps its bytes; nothing raises."""
    assert scrub(b"\xff" + raw + b'"password": "x') == b"\xff" + raw + b'"password": "x'


@pytest.mark.parametrize("depth", [10, 700, 900, 2000, 50_000])
@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_record_nested_without_end_raises_nothing(depth: int, open_: bytes, close: bytes) -> None:
    """Neither in the reader nor on the way through what it read."""
    raw = b'{"pin":1,"a":' + open_ * depth + b"1" + close * depth + b"}"

    assert scrub(raw).startswith(b'{"pin":"removed:1",') or depth > 900


def test_scrubbing_twice_changes_nothing_more() -> None:
    """A record passes several hands; the length must stay that of the secret."""
    once = scrub(b'{"password": "hunter2"}')

    assert msgspec.json.decode(once) == {"password": "removed:7"}
