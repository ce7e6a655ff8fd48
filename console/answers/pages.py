"""The pages as bytes: Jinja2 with escaping on, one inline style named in the policy by its hash."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from detectors.notices import Answer
from notifier.ledger_checks import Typed
from notifier.ledger_records import Kind
from notifier.places import place

from .texts import DOORS, LANGUAGES, TAGS, TEXTS, Language

_FOLDER = Path(__file__).with_name("templates")
_TAIPEI = ZoneInfo("Asia/Taipei")

Problem = Literal["err_choice", "err_digits", "err_wrong", "err_form"]
Fixed = Literal["closed", "busy"]
_LINES: Final[dict[Fixed, tuple[str, ...]]] = {
    "closed": ("closed_1", "closed_2", "closed_3"),
    "busy": ("busy_1", "closed_3"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """Who asks: names in both languages, and the telephone of customer service, "" for none.

    `acts`: a "no" pauses orders and ends sessions by itself; else the page promises staff alone.
    """

    zh: str
    en: str
    phone: str = ""
    acts: bool = True

    def name(self, language: Language) -> str:
        """The firm's name in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page of one notice says. `country`: ISO code or ""; `channel`: ours or None."""

    token: str
    seal: str
    number: str
    occurred_at: datetime
    channel: str | None
    country: str
    typed: Typed
    kind: Kind


class Pages:
    """Renders every page of one firm. The two fixed pages are made once and are always the same."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = (_FOLDER / "style.css").read_text(encoding="utf-8")
        self._style = Markup(style)  # noqa: S704  # our own file, escaping would break it
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        self.fixed: dict[Fixed, bytes] = {name: self._fixed(name) for name in _LINES}

    def question(
        self,
        asked: Question,
        language: Language,
        *,
        problems: tuple[Problem, ...] = (),
        chosen: Answer | None = None,
    ) -> bytes:
        """The page that asks; `problems` say what was missing in the form that was sent."""
        return self._page(
            "question.html",
            language,
            token=asked.token,
            seal=asked.seal,
            number=asked.number,
            when=_when(asked.occurred_at),
            door=DOORS[language].get(asked.channel or "", ""),
            place=place(asked.country, "en" if language == "en" else "zh-TW"),
            typed=asked.typed,
            kind=asked.kind,
            errors=problems,
            chosen=chosen,
        )

    def done(self, answer: Answer, number: str, receipt: str, language: Language) -> bytes:
        """The page after an answer: what happens now."""
        return self._page("done.html", language, answer=answer, number=number, receipt=receipt)

    def _page(self, template: str, language: Language, **facts: object) -> bytes:
        other = next(one for one in LANGUAGES if one != language)
        return self._render(
            template,
            tag=TAGS[language],
            language=language,
            other=other,
            other_tag=TAGS[other],
            firm=self._firm.name(language),
            acts=self._firm.acts,
            t=TEXTS[language],
            **facts,
        )

    def _fixed(self, name: Fixed) -> bytes:
        return self._render(
            "fixed.html",
            tag=TAGS["zh"],
            firm=f"{self._firm.zh} {self._firm.en}",
            zh=TEXTS["zh"],
            en=TEXTS["en"],
            name=name,
            lines=_LINES[name],
        )

    def _render(self, template: str, **facts: object) -> bytes:
        page = self._templates.get_template(template)
        return page.render(style=self._style, phone=self._firm.phone, **facts).encode()


def _when(at: datetime) -> str:
    local = at.astimezone(_TAIPEI)
    return local.strftime("%Y-%m-%d %H:%M")
