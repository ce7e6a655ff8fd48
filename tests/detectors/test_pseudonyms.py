"""Pseudonyms: stable under one key, meaningless without it."""

from __future__ import annotations

import re
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.pseudonyms import Pseudonyms

KEY, OTHER = Pseudonyms(bytes(range(32))), Pseudonyms(bytes(range(1, 33)))
ACCOUNTS = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    """32 bytes, or nothing starts."""
    with pytest.raises(ValueError, match=f"{size} bytes; it must have 32"):
        Pseudonyms(bytes(size))


@given(account=ACCOUNTS)
def test_an_account_is_its_key_id_and_96_bits(account: str) -> None:
    """The same in every process, with the id of its key in front, and never the account."""
    told = KEY.account(account)

    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{24}", told)
    assert told == Pseudonyms(bytes(range(32)), cache=1).account(account)
    assert told == KEY.text(KEY.account_bytes(account))
    assert told.startswith(KEY.key_id)


@given(one=ACCOUNTS, other=ACCOUNTS)
def test_two_accounts_are_two_pseudonyms(one: str, other: str) -> None:
    """Case and blanks belong to an account; nothing is folded here."""
    assert (KEY.account(one) == KEY.account(other)) == (one == other)


@given(account=ACCOUNTS)
def test_another_key_gives_another_pseudonym(account: str) -> None:
    """Without the key a national id cannot be tried out."""
    assert KEY.account(account) != OTHER.account(account)
    plain = blake2b(account.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    assert plain not in KEY.account(account)


def test_the_purposes_do_not_mix() -> None:
    """The hash of an account says nothing about the hash of an id, a subject or a line."""
    line = KEY.line_hash()
    line.update(b"x")
    hashes = [
        KEY.account_bytes("x").hex(),
        KEY.event("", "x").hex(),
        KEY.subject("x").hex(),
        line.hexdigest(),
    ]

    assert len({text[:8] for text in hashes}) == 4


@given(parts=st.tuples(ACCOUNTS, ACCOUNTS), others=st.tuples(ACCOUNTS, ACCOUNTS))
def test_an_identity_is_the_pair(parts: tuple[str, str], others: tuple[str, str]) -> None:
    """Emitter and id together, eight bytes; two pairs are two unless they are joined by a NUL."""
    same = "\0".join(parts) == "\0".join(others)

    assert (KEY.event(*parts) == KEY.event(*others)) == same
    assert len(KEY.event(*parts)) == 8


@given(text=ACCOUNTS)
def test_a_subject_has_eight_bytes(text: str) -> None:
    """They stand for it in sets, and spread subjects over shards."""
    assert len(KEY.subject(text)) == 8


def test_a_line_hash_is_fresh_each_time() -> None:
    """What one caller feeds does not reach the next."""
    first, second = KEY.line_hash(), KEY.line_hash()
    first.update(b"a")

    assert second.hexdigest() == KEY.line_hash().hexdigest()
    assert first.digest_size == 16
