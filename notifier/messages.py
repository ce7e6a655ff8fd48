"""Texts for customers: one template an event, language and channel, the same facts in each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from detectors.errors import escaped

from .ledger_records import Language, Notice, SendChannel
from .places import place, way

TemplateName = Literal["login_new_device", "takeover", "password_known", "locked", "digest"]
TEMPLATES: Final[tuple[TemplateName, ...]] = (
    "login_new_device",
    "takeover",
    "password_known",
    "locked",
    "digest",
)
ASKING: Final[frozenset[TemplateName]] = frozenset(
    {"login_new_device", "takeover", "password_known", "digest"}
)
"""Those that ask whether it was them: each says what to do if it was."""
LANGUAGES: Final[tuple[Language, ...]] = ("zh-TW", "en")
CHANNELS: Final[tuple[SendChannel, ...]] = ("app", "sms", "email")
TAIPEI: Final = ZoneInfo("Asia/Taipei")
MOST_COUNTED: Final = 99

_FOLDER: Final = Path(__file__).with_name("templates")
_FILES: Final[Mapping[SendChannel, str]] = {"app": "push", "sms": "sms", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a template may say. Times as Taipei writes them, `10/05 14:32`; nothing is raw."""

    firm: str
    account: str
    time: str
    number: str
    place: str = ""
    via: str = ""
    link: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One text as it is sent. `template`: id/version/language; `at` dates an e-mail."""

    name: TemplateName
    template: str
    language: Language
    title: str
    text: str
    html: str
    at: datetime

    @property
    def sha256(self) -> str:
        """Of everything that the customer may see."""
        seen = f"{self.title}\0{self.text}\0{self.html}"
        return hashlib.sha256(seen.encode()).hexdigest()


def facts_of(
    notice: Notice,
    *,
    firm_zh: str,
    firm_en: str,
    account: str,
    link: str = "",
    at: datetime | None = None,
    count: int = 0,
) -> Facts:
    """The facts of a notice in its language. `account` is masked already; `at`: of what the text
    tells, by default the login.
    """
    return Facts(
        firm=firm_en if notice.language == "en" else firm_zh,
        account=escaped(account, 16),
        time=taipei(at or notice.occurred_at),
        number=f"{notice.number[:4]}-{notice.number[4:]}",
        place=place(notice.country, notice.language),
        via=way(notice.channel, notice.language),
        link=link,
        count=min(count, MOST_COUNTED),
    )


def taipei(at: datetime) -> str:
    """`10/05 14:32` in Taipei."""
    return at.astimezone(TAIPEI).strftime("%m/%d %H:%M")


def render(
    name: TemplateName, language: Language, channel: SendChannel, facts: Facts, at: datetime
) -> Rendered:
    """The text of one message. Raises jinja2.TemplateError where a template is broken."""
    path = f"{language}/{name}.{_FILES[channel]}.txt"
    # Field by field: dataclasses.asdict copies deeply, and nothing here is nested.
    said = {field: getattr(facts, field) for field in Facts.__slots__}
    text = _environment().get_template(path).render(said).strip()
    title, html = "", ""
    if channel != "sms":
        title, _, text = text.partition("\n")
        text = text.strip()
    if channel == "email":
        text += "\n"
        paragraphs = [part.strip("\n") for part in text.split("\n\n") if part.strip()]
        html = (
            _environment()
            .get_template("email.html")
            .render(language=language, title=title, paragraphs=paragraphs)
        )
    return Rendered(
        name=name,
        template=f"{name}/{_version(path)}/{language}",
        language=language,
        title=title,
        text=text,
        html=html,
        at=at,
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        auto_reload=False,
    )


@lru_cache(maxsize=64)
def _version(path: str) -> str:
    """Eight hex digits of the template's own text: another text is another version."""
    return hashlib.sha256((_FOLDER / path).read_bytes()).hexdigest()[:8]
