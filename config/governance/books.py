"""Rule books by the hash of their file, and the one that is in force here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from detectors.errors import LoginwardError, escaped

from ..files import whole_file
from ..rule_book import RuleBook
from ..rules import DEFAULT, load_rules
from ..settings import Settings
from .changes import Change, Spell, changes, spells
from .ledger import FILE, START, Ledger, read
from .timeline import joined

_LONGEST = 1_000_000


def folder_of(settings: Settings) -> Path:
    """Where the ledger and the adopted rule books lie."""
    return settings.data_dir / "governance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """The rule book in force, and how it came to be.

    `spells` is empty where no change was ever approved: then the file of the settings holds.
    `troubles` are sentences about what could not be used; detection goes on without it.
    """

    book: RuleBook
    ledger: Ledger
    changes: dict[str, Change]
    spells: list[Spell]
    troubles: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """For the record of `judged`: the hash of the file in force and the ledger's head."""
        name = self.spells[-1].rules if self.spells else sha256_of(self.book.file)
        return name[:16] if self.ledger.head == START else f"{name[:16]} {self.ledger.head[:16]}"


def governed(settings: Settings) -> Governed:
    """What is in force. Raises SettingsError where no rule book can be read at all.

    A damaged ledger or a lost file never ends detection: what can be read holds, and `troubles`
    say what can not.
    """
    folder = folder_of(settings)
    ledger = read(folder)
    found = changes(ledger.lines)
    begun = spells(found.values())
    troubles = [] if ledger.damage is None else [ledger.damage]
    books = []
    for spell in _since_ever(begun, found):
        try:
            books.append((spell.since, load_rules(stored(folder, spell.rules))))
        except (LoginwardError, OSError) as failure:
            troubles.append(f"{spell.change or 'the first rule book'}: {failure}")
    file = folder / FILE
    book = joined(books, file) if books else load_rules(settings.files.rules)
    return Governed(book=book, ledger=ledger, changes=found, spells=begun, troubles=tuple(troubles))


def _since_ever(begun: list[Spell], found: dict[str, Change]) -> list[Spell]:
    """Before the first change held what it was compared with."""
    if not begun:
        return []
    first = found[begun[0].change].adopted.base
    return [Spell(since=datetime.min.replace(tzinfo=UTC), rules=first, change=""), *begun]


def stored(folder: Path, sha256: str) -> Path:
    """The file of an adopted rule book. Raises LoginwardError where it is not what was adopted."""
    path = folder / "rules" / f"{sha256}.toml"
    if not path.is_file():
        raise LoginwardError(f"{path}: is gone; put the backup in its place")
    if sha256_of(path) != sha256:
        raise LoginwardError(
            f"{path}: was altered after it was adopted; put the backup in its place"
        )
    return path


def store(folder: Path, file: Path) -> str:
    """Keep a copy of `file` under its hash, which is returned. Raises OSError, SettingsError."""
    data = _content(file)
    name = hashlib.sha256(data).hexdigest()
    path = folder / "rules" / f"{name}.toml"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path) as out:
        out.write(data)
    load_rules(path)  # what is kept can be read
    return name


def sha256_of(file: Path) -> str:
    """The hash of a rule book's file."""
    return hashlib.sha256(_content(file)).hexdigest()


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise LoginwardError(f"{escaped(str(file), 300)}: larger than 1 MB; is it a rule book?")
    return data


def configured(settings: Settings) -> Path:
    """The file that the settings name; it holds where nothing was ever approved."""
    return settings.files.rules or DEFAULT
