r"""Who judged a day and who reviewed it: a chain of signed lines, each naming the files by SHA-256.

A line is JSON with two fields: `body` (itself JSON, as a text, so that its bytes are kept) and
`signature` (Ed25519 over the body, base64). The body's SHA-256 is what the next one names as
`previous`.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive.durable import FILE_MODE, append_line, make_folder
from archive.errors import ArchiveError
from archive.keys import ArchiveKeys
from archive.seal import NO_SEAL
from detectors.errors import escaped
from detectors.events import rfc3339

from . import shelf
from .shelf import SignedFile

FILE = "signatures.jsonl"
LONGEST_NAME = 100
LONGEST_NOTE = 4_000
"""Characters; a longer judgement belongs in a case."""

Role = Literal["author", "reviewer"]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One person's word on one day. `notes`: by deviation (D1, ...), "" for the day as a whole."""

    format: Literal["loginward-report-signature/1"] = "loginward-report-signature/1"
    sequence: int
    previous: str
    day: str
    role: Role
    by: str
    notes: dict[str, str]
    files: list[SignedFile]
    at: str
    key_id: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    body: str
    signature: str


class Chain(msgspec.Struct, kw_only=True):
    """All signatures, and what is wrong with the chain: (line, sentence)."""

    signatures: list[Signature] = []
    problems: list[tuple[int, str]] = []
    head: str = NO_SEAL

    def of(self, day: date) -> list[Signature]:
        """Those of one day, in their order."""
        return [one for one in self.signatures if one.day == day.isoformat()]


def read_chain(folder: Path, public: Mapping[str, Ed25519PublicKey]) -> Chain:
    """The chain in `folder`, verified with the archive's public keys."""
    chain = Chain()
    try:
        lines = (folder / FILE).read_bytes().split(b"\n")
    except FileNotFoundError:
        return chain
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            _link(chain, line, public)
        except ArchiveError as failure:
            chain.problems.append((number, str(failure)))
    return chain


def _link(chain: Chain, line: bytes, public: Mapping[str, Ed25519PublicKey]) -> None:
    try:
        told = msgspec.json.decode(line, type=_Line)
        signature = msgspec.json.decode(told.body, type=Signature)
        proof = base64.b64decode(told.signature, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as failure:
        raise ArchiveError(f"is no signature: {failure}") from None
    key = public.get(signature.key_id)
    if key is None:
        raise ArchiveError(f"is signed with key {signature.key_id}, which is not at hand")
    try:
        key.verify(proof, told.body.encode())
    except InvalidSignature:
        raise ArchiveError("was altered: its signature is over another content") from None
    follows = signature.previous == chain.head and signature.sequence == len(chain.signatures)
    # What is genuine counts even where the chain is broken before it; the break is told once.
    chain.signatures.append(signature)
    chain.head = _sha256(told.body)
    if not follows:
        raise ArchiveError("does not follow the line before: one was taken out, or moved")


def replaced(signed: Sequence[Signature], files: Mapping[str, bytes]) -> list[str]:
    """Which of `files` would take the place of another content that somebody has signed."""
    if not signed:
        return []
    words = {one.name: one for one in signed[-1].files}
    return [
        name
        for name, content in files.items()
        if name in words and words[name] != shelf.named(name, content)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one person has to say on one day, before it is signed."""

    day: date
    role: Role
    by: str
    notes: Mapping[str, str]


def sign(
    folder: Path,
    keys: ArchiveKeys,
    public: Mapping[str, Ed25519PublicKey],
    word: Word,
    *,
    files: Sequence[SignedFile],
    at: datetime,
) -> Signature:
    """Add a signature over `files`; a reviewer's is over those the author signed.

    `public` are the archive's keys, former ones too. Raises ArchiveError where the chain is broken,
    a file is not the one the author signed, or the reviewer is the author.
    """
    make_folder(folder)
    with _alone(folder):
        chain = read_chain(folder, {keys.key_id: keys.public, **public})
        if chain.problems:
            line, why = chain.problems[0]
            raise ArchiveError(f"{folder / FILE}:{line} {why}; nothing can be added to it")
        if word.role == "reviewer":
            files = _reviewed(chain.of(word.day), word, files)
        signature = Signature(
            sequence=len(chain.signatures),
            previous=chain.head,
            day=word.day.isoformat(),
            role=word.role,
            by=word.by,
            notes=dict(word.notes),
            files=list(files),
            at=rfc3339(at),
            key_id=keys.key_id,
        )
        body = msgspec.json.encode(signature, order="sorted")
        proof = base64.b64encode(keys.sign(body)).decode()
        line_ = _Line(body=body.decode(), signature=proof)
        append_line(folder / FILE, msgspec.json.encode(line_))
    return signature


def _reviewed(
    earlier: Sequence[Signature], word: Word, files: Sequence[SignedFile]
) -> Sequence[SignedFile]:
    """The files the author has signed, if they are still those and somebody else reviews them."""
    author = next((one for one in reversed(earlier) if one.role == "author"), None)
    if author is None:
        raise ArchiveError(f"--as reviewer: nobody has signed {word.day} as author yet")
    if same_person(author.by, word.by):
        raise ArchiveError(
            f"--by '{escaped(word.by)}': has signed {word.day} as author; another person "
            "must review it"
        )
    changed = changed_files(author, files)
    if changed:
        raise ArchiveError(
            f"--day {word.day}: {', '.join(changed)} is not what '{escaped(author.by)}' "
            "signed; the author must judge and sign it again"
        )
    return author.files


def changed_files(signature: Signature, files: Sequence[SignedFile]) -> list[str]:
    """Which of the signed files are gone, or others now."""
    return [one.name for one in signature.files if one not in files]


def same_person(one: str, other: str) -> bool:
    """Whether two names are one, however typed: width, case, spaces and what is unseen aside."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "CZ")


def _sha256(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two who sign at once would name the same line as the one before."""
    handle = os.open(folder / ".signing", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
