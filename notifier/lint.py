"""What a text for customers must never be: a link in an SMS, two parts, the shape of a code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from config.notifier_section import LONGEST_FIRM_EN, LONGEST_FIRM_ZH

from .ledger_records import Language, SendChannel
from .messages import ASKING, CHANNELS, LANGUAGES, MOST_COUNTED, TEMPLATES, Facts, Rendered, render

UCS2_PART: Final = 70
GSM7_PART: Final = 160
_GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_DOUBLE: Final = frozenset("^{}\\[~]|€")
_LINK: Final = re.compile(
    r"https?:|www\.|\b[a-z0-9-]+\.(?:com|tw|net|org|io|cc|me|ly|app|link|gl|to)\b", re.IGNORECASE
)
_TELEPHONE: Final = re.compile(r"\+?\d[\d() -]{6,}\d")
_NUMBER: Final = re.compile(r"(?<![\d-])\d{4}-\d{4}(?![\d-])")
_MASK: Final = re.compile(r"\*{3}\w{1,4}")
_CODE: Final = re.compile(r"(?<!\d)\d{4,8}(?!\d)")
_CODE_WORDS: Final = re.compile(
    r"驗證碼|認證碼|動態密碼|一次性|OTP|passcode|verification code|one-time", re.IGNORECASE
)
_ASKS_FOR_SECRET: Final = re.compile(
    r"(?:輸入|回覆|提供|告知)(?:您的)?(?:密碼|驗證碼)"
    r"|(?:enter|reply with|send) your (?:password|code)",
    re.IGNORECASE,
)
_REMOTE: Final = re.compile(r"<(?:img|link|script|iframe|object)\b|url\(|src\s*=", re.IGNORECASE)
_IGNORE: Final = {"zh-TW": "忽略", "en": "ignore this"}
_IGNORE_EMAIL: Final = {"zh-TW": "請忽略本信", "en": "ignore this message"}
_WHEN: Final = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)


def longest(language: Language, firm: str | None = None) -> Facts:
    """Facts with the longest value that each variable may have (`firm` None: the longest name)."""
    longest_firm = "證" * LONGEST_FIRM_ZH if language == "zh-TW" else "W" * LONGEST_FIRM_EN
    return Facts(
        firm=longest_firm if firm is None else firm,
        account="***1234",
        time="12/31 23:59",
        number="2719-0463",
        place="馬來西亞" if language == "zh-TW" else "United Kingdom",
        via="專線下單" if language == "zh-TW" else "direct market access",
        link="https://answer.example.com/a/" + "x" * 32,
        count=MOST_COUNTED,
    )


def findings() -> list[str]:
    """What is wrong with the templates as they come, each tried with the longest values."""
    found: list[str] = []
    for name in TEMPLATES:
        for language in LANGUAGES:
            for channel in CHANNELS:
                facts = longest(language)
                rendered = render(name, language, channel, facts, _WHEN)
                found += [
                    f"{language}/{name} {channel}: {wrong}"
                    for wrong in wrong_with(rendered, channel, facts.firm)
                ]
    return found


def wrong_with(rendered: Rendered, channel: SendChannel, firm: str) -> list[str]:
    """What is wrong with one text."""
    checks = {"sms": _sms, "app": _push, "email": _email}
    return [*_any(rendered, firm), *checks[channel](rendered)]


def parts(text: str) -> tuple[int, int]:
    """Length of an SMS in the units that count for it, and how many fit one part."""
    if all(sign in _GSM7 or sign in _GSM7_DOUBLE for sign in text):
        return sum(2 if sign in _GSM7_DOUBLE else 1 for sign in text), GSM7_PART
    return len(text.encode("utf-16-be")) // 2, UCS2_PART


def _any(rendered: Rendered, firm: str) -> Iterator[str]:
    first = (rendered.title or rendered.text).lstrip("【")
    if not first.startswith(firm):
        yield "does not begin with the firm's name"
    if _ASKS_FOR_SECRET.search(rendered.text):
        yield "asks for a password or a code"
    if any(not sign.isprintable() and sign != "\n" for sign in rendered.title + rendered.text):
        yield "holds control characters"


def _sms(rendered: Rendered) -> Iterator[str]:
    text = rendered.text
    length, most = parts(text)
    if length > most:
        yield f"is {length} long with the longest values; one part takes {most}"
    if _LINK.search(text):
        yield "holds a link"
    plain = _NUMBER.sub("", text, count=1)  # a second pair of four would be a telephone number
    if _TELEPHONE.search(plain):
        yield "holds a telephone number"
    rest = _TELEPHONE.sub("", _MASK.sub("", plain))
    if _CODE.search(rest) or _CODE_WORDS.search(text):
        yield "looks like a one-time code"
    if not _NUMBER.search(text):
        yield "does not name the notice"
    if "\n" in text:
        yield "has more than one line"
    if rendered.name in ASKING and _IGNORE[rendered.language] not in text:
        yield "does not say what to do if it was them"


def _push(rendered: Rendered) -> Iterator[str]:
    shown = rendered.title + rendered.text
    if _MASK.search(shown) or _NUMBER.search(shown):
        yield "shows details on the lock screen"
    if _LINK.search(shown):
        yield "holds a link"


def _email(rendered: Rendered) -> Iterator[str]:
    if _REMOTE.search(rendered.html):
        yield "loads something from elsewhere"
    if not _NUMBER.search(rendered.text):
        yield "does not name the notice"
    if rendered.name in ASKING and _IGNORE_EMAIL[rendered.language] not in rendered.text:
        yield "does not say what to do if it was them"
    if "165" not in rendered.text:
        yield "does not name the anti-fraud line"
