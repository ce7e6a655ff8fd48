"""Reads the contacts that the firm exports: CSV with account and what reaches its owner."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Final, cast

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from detectors.errors import LoginwardError, escaped

from .contacts import Person
from .ledger_records import Language

NEEDED: Final = ("account",)
OPTIONAL: Final = ("customer", "phone", "email", "language", "push_token")
_REGION: Final = "TW"
_MOBILE: Final = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
_LANGUAGES: Final[dict[str, Language]] = {
    "": "zh-TW",
    "zh": "zh-TW",
    "zh-tw": "zh-TW",
    "en": "en",
    "en-us": "en",
}
_LONGEST: Final = {"account": 256, "customer": 64, "push_token": 4096}
_MOST_NAMED: Final = 20
_MOST_TOKENS: Final = 10


@dataclass(slots=True, kw_only=True)
class Read:
    """What a list holds; `problems` name lines that were left out, never their values."""

    people: dict[str, Person] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_contacts(file: Path, *, countries: frozenset[int], skip_bad: bool = False) -> Read:
    """The customers of a list. Raises LoginwardError with every bad line, up to 20.

    Lines with one `customer` are one person; without that column every account is one of its own.
    `countries` are the calling codes that may get an SMS. With `skip_bad` bad lines are left out.
    """
    found = Read()
    try:
        with (
            file.open("rb") as raw,
            TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
        ):
            lines = csv.DictReader(text, strict=True)
            _check_header(lines.fieldnames or [], file)
            for number, row in _rows(lines):
                wrong = _add(found.people, row, countries)
                if wrong is not None:
                    found.problems.append(f"{file}:{number} {wrong}")
    except OSError as failure:
        raise LoginwardError(f"{file}: {failure.strerror}; name the CSV of contacts") from None
    except UnicodeDecodeError:
        raise LoginwardError(f"{file}: is not UTF-8; export it as UTF-8") from None
    except csv.Error as failure:
        raise LoginwardError(f"{file}: is not CSV: {failure}") from None
    if found.problems and not skip_bad:
        more = [f"{file}: and {len(found.problems) - _MOST_NAMED} more"]
        shown = found.problems[:_MOST_NAMED] + more * (len(found.problems) > _MOST_NAMED)
        way_out = "mend these lines, or leave them out with --skip-bad: nobody is told there"
        raise LoginwardError("\n".join([*shown, way_out]))
    if not found.people:
        raise LoginwardError(f"{file}: holds nobody; nobody could be told")
    return found


def _rows(lines: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for row in lines:
        # Cells beyond the header come under None, missing ones as None: neither is a text.
        yield (
            lines.line_num,
            {(name or "").strip(): (cell or "").strip() for name, cell in _texts(row)},
        )


def _texts(row: Mapping[str | None, object]) -> Iterator[tuple[str | None, str | None]]:
    for name, cell in row.items():
        if name is not None:
            yield name, cast("str | None", cell)


def _check_header(header: Sequence[str], file: Path) -> None:
    names = [name.strip() for name in header]
    missing = [name for name in NEEDED if names.count(name) != 1]
    unknown = [name for name in names if name not in {*NEEDED, *OPTIONAL}]
    if missing:
        raise LoginwardError(
            f"{file}:1: must name one column account; others are {', '.join(OPTIONAL)}"
        )
    if unknown:
        raise LoginwardError(
            f"{file}:1: column '{escaped(unknown[0], 40)}' is none of account, "
            f"{', '.join(OPTIONAL)}; leave out what is not needed to reach a customer"
        )


def _add(
    people: dict[str, Person], row: Mapping[str, str], countries: frozenset[int]
) -> str | None:
    """Take one line; what is wrong with it, without its values, or None."""
    account = row["account"]
    if not account:
        return "account: is empty"
    for name, longest in _LONGEST.items():
        if len(row.get(name, "")) > longest:
            return f"{name}: {len(row[name])} characters; at most {longest}"
    language = _LANGUAGES.get(row.get("language", "").lower())
    if language is None:
        return "language: is neither zh-TW nor en"
    phone, wrong = _phone(row.get("phone", ""), countries)
    if wrong is not None:
        return wrong
    email = row.get("email", "")
    if email and not _EMAIL.fullmatch(email):
        return "email: is no address like name@example.com"
    return _merge(people, row, language, phone, email or None)


def _merge(
    people: dict[str, Person],
    row: Mapping[str, str],
    language: Language,
    phone: str | None,
    email: str | None,
) -> str | None:
    customer = row.get("customer") or row["account"]
    one = people.setdefault(customer, Person(customer=customer, language=language))
    for name, new in (("phone", phone), ("email", email)):
        held = getattr(one, name)
        if held is not None and new is not None and held != new:
            return f"{name}: differs from an earlier line of this customer; keep the one in force"
        setattr(one, name, held or new)
    if row["account"] not in one.accounts:
        one.accounts.append(row["account"])
    token = row.get("push_token", "")
    if token and token not in one.push_tokens:
        if len(one.push_tokens) == _MOST_TOKENS:
            return f"push_token: more than {_MOST_TOKENS} for one customer"
        one.push_tokens.append(token)
    return None


def _phone(text: str, countries: frozenset[int]) -> tuple[str | None, str | None]:
    """E.164 and None, or None and what is wrong."""
    if not text:
        return None, None
    try:
        number = phonenumbers.parse(text, _REGION)
    except NumberParseException:
        return None, "phone: is no telephone number; write 0900000123 or +886900000123"
    if not phonenumbers.is_valid_number(number):
        return None, "phone: is no valid telephone number"
    if number.country_code not in countries:
        return None, f"phone: +{number.country_code} is not in notifier.sms_countries"
    kind = phonenumbers.number_type(number)
    if kind not in _MOBILE:
        name = PhoneNumberType.to_string(kind).lower().replace("_", " ")
        return None, f"phone: is a {name} number; only mobile ones take an SMS"
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), None
