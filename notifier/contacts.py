"""The contact book: the one place with telephone numbers, addresses and push tokens, encrypted.

A SQLite file of sealed values (AES-256-GCM, bound to the person they belong to), found by the
pseudonym of an account. Every spelling and every alias of a customer leads to the same person.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self
from unicodedata import normalize

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.key_files import ensure_key
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms

from .ledger_records import Language, SendChannel

_NONCE: Final = 12
_BUSY_S: Final = 10.0
_SHOWN: Final = 4
"""Characters of an account that a message may show, of one with at least ten."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS people (
    person TEXT PRIMARY KEY, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases (
    alias TEXT PRIMARY KEY, person TEXT NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (mark BLOB PRIMARY KEY, code TEXT NOT NULL, at_ms INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one customer is reached. `masked`: the account as a message may show it, `***1234`."""

    person: str
    masked: str = field(repr=False)
    language: Language = "zh-TW"
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    push_tokens: tuple[str, ...] = field(default=(), repr=False)

    @property
    def channels(self) -> tuple[SendChannel, ...]:
        """What this customer has, in the order in which they are asked."""
        has = {"app": bool(self.push_tokens), "sms": bool(self.phone), "email": bool(self.email)}
        return tuple(name for name in ("app", "sms", "email") if has[name])


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is encrypted of a person."""

    language: Language = "zh-TW"
    phone: str | None = None
    email: str | None = None
    push_tokens: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_Sealed).decode


@dataclass(slots=True, kw_only=True)
class Person:
    """One customer to be kept; `accounts` are all their aliases as the core systems know them."""

    customer: str = field(repr=False)
    accounts: list[str] = field(default_factory=list, repr=False)
    language: Language = "zh-TW"
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    push_tokens: list[str] = field(default_factory=list, repr=False)


class ContactBook:
    """An open contact book. Raises LoginwardError where file or key cannot be used."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._cipher = AESGCM(key)
        self._marks = key
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as failure:
            raise LoginwardError(
                f"notifier.contacts: {path}: {failure}; name a file on a local disk"
            ) from None

    @classmethod
    def open(cls, path: Path, key_file: Path) -> Self:
        """Open or make the file and its key."""
        key = ensure_key(
            "notifier.contacts_key_file",
            key_file,
            way_out="Put the copy you kept in its place",
            written=path,
        )
        return cls(path, key)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def find(self, account: str) -> Contact | None:
        """The customer behind an account's pseudonym, without what a provider called dead."""
        row = self._connection.execute(
            "SELECT person, aliases.sealed, people.sealed FROM aliases JOIN people USING (person)"
            " WHERE alias = ?",
            (account,),
        ).fetchone()
        if row is None:
            return None
        person, masked, sealed = row
        held = _decode(self._opened(sealed, person))
        return Contact(
            person=person,
            masked=self._opened(masked, account).decode(),
            language=held.language,
            phone=self._alive(held.phone),
            email=self._alive(held.email),
            push_tokens=tuple(filter(self._alive, held.push_tokens)),
        )

    def count(self) -> tuple[int, int]:
        """Customers and aliases."""
        people = self._connection.execute("SELECT count(*) FROM people").fetchone()[0]
        aliases = self._connection.execute("SELECT count(*) FROM aliases").fetchone()[0]
        return int(people), int(aliases)

    def replace(self, people: Iterable[Person], names: Pseudonyms) -> int:
        """Put a new list in force, whole or not at all; how many customers it holds."""
        count = 0
        with self._writing():
            self._connection.execute("DELETE FROM aliases")
            self._connection.execute("DELETE FROM people")
            for one in people:
                self._keep(one, names)
                count += 1
        return count

    def mark_dead(self, part: str, code: str, at_ms: int) -> None:
        """A provider says that this number, address or token never works: it is not used again.

        Only a keyed hash of it is kept; a new list with another number is not affected.
        """
        with self._writing():
            self._connection.execute(
                "INSERT OR IGNORE INTO dead VALUES (?, ?, ?)", (self._mark(part), code, at_ms)
            )

    def _keep(self, one: Person, names: Pseudonyms) -> None:
        person = f"{names.key_id}-{names.customer(one.customer).hex()}"
        sealed = _Sealed(
            language=one.language,
            phone=one.phone,
            email=one.email,
            push_tokens=tuple(one.push_tokens),
        )
        self._connection.execute(
            "INSERT INTO people VALUES (?, ?)",
            (person, self._sealed(msgspec.json.encode(sealed), person)),
        )
        for account in one.accounts:
            mask = masked(account).encode()
            for spelling in spellings(account):
                alias = names.account(spelling)
                self._connection.execute(
                    "INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)",
                    (alias, person, self._sealed(mask, alias)),
                )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _sealed(self, value: bytes, owner: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, owner.encode())

    def _opened(self, sealed: bytes, owner: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
        except InvalidTag:
            raise LoginwardError(
                f"notifier.contacts: {self.path}: a value does not decrypt with the key of "
                "notifier.contacts_key_file; put the right key in its place, or load the list again"
            ) from None

    def _alive(self, part: str | None) -> str | None:
        if part is None:
            return None
        row = self._connection.execute("SELECT 1 FROM dead WHERE mark = ?", (self._mark(part),))
        return part if row.fetchone() is None else None

    def _mark(self, part: str) -> bytes:
        return blake2b(part.encode(), key=self._marks, digest_size=16, person=b"lw-dead").digest()


def masked(account: str) -> str:
    """`***1234`: the last four characters, of a short account fewer, so that most stay hidden."""
    plain = normalize("NFKC", account).strip()
    shown = min(_SHOWN, len(plain) * 2 // 5)
    return "***" + (plain[-shown:] if shown else "")


def spellings(account: str) -> set[str]:
    """How people type an account: as it stands, whole-width, in upper and in lower case.

    Detect names an account by the pseudonym of what was typed, so each spelling is an alias.
    """
    plain = normalize("NFKC", account).strip()
    return {account.strip(), plain, plain.upper(), plain.lower()}
