"""Every text with its longest values, and every way in which a text could be wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from detectors.events import Channel
from notifier import lint
from notifier.ledger_records import Language, SendChannel
from notifier.lint import longest, parts, wrong_with
from notifier.messages import CHANNELS, LANGUAGES, TEMPLATES, Rendered, facts_of, render
from notifier.places import place, way

from .made import NOON
from .test_plan import notice

HOSTILE = "<script>alert(1)</script>"


def test_no_text_is_wrong_with_the_longest_values() -> None:
    """30 texts: five events, two languages, three channels."""
    assert len(TEMPLATES) * len(LANGUAGES) * len(CHANNELS) == 30
    assert lint.findings() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sms_is_one_part_by_the_unit_that_counts(language: Language) -> None:
    """UCS-2: 70; GSM-7: 160, in which a bracket counts twice."""
    for name in TEMPLATES:
        text = render(name, language, "sms", longest(language), NOON).text
        length, most = parts(text)
        assert length <= most == (70 if language == "zh-TW" else 160), text
    assert parts("[]") == (4, 160)
    assert parts("[證]") == (3, 70)
    assert parts("😀") == (2, 70)


def _sms(text: str) -> Rendered:
    good = render("login_new_device", "zh-TW", "sms", longest("zh-TW", "範例證券"), NOON)
    return replace(good, text=text)


GOOD = "【範例證券】帳號***1234於10/05 14:32有新裝置登入。是您本人請忽略。編號2719-0463"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param(GOOD, [], id="good"),
        pytest.param(GOOD + "https://a.b", ["holds a link"], id="a link"),
        pytest.param(GOOD + "bit.ly/x", ["holds a link"], id="a short link"),
        pytest.param(GOOD + "。02-2345-6789", ["holds a telephone number"], id="a number to call"),
        pytest.param(GOOD + "。2345-6789", ["holds a telephone number"], id="without its area"),
        pytest.param(GOOD + "。271904", ["looks like a one-time code"], id="six digits"),
        pytest.param(GOOD + "通知碼2719", ["looks like a one-time code"], id="four digits"),
        pytest.param(GOOD + "驗證碼", ["looks like a one-time code"], id="the word"),
        pytest.param(GOOD + "字" * 30, ["is 83 long"], id="two parts"),
        pytest.param(GOOD.replace("忽略", "放心"), ["does not say what to do"], id="no ignore"),
        pytest.param(GOOD.replace("2719-0463", ""), ["does not name the notice"], id="no number"),
        pytest.param("您好" + GOOD, ["does not begin with the firm"], id="not the firm first"),
        pytest.param(GOOD + "請回覆密碼", ["asks for a password"], id="asks for a secret"),
        pytest.param(GOOD + "\u202e", ["holds control characters"], id="turns the text around"),
    ],
)
def test_each_way_to_be_wrong_is_named(text: str, wrong: list[str]) -> None:
    """One fault, one finding."""
    found = wrong_with(_sms(text), "sms", "範例證券")

    assert len(found) == len(wrong)
    assert all(said.startswith(expected) for said, expected in zip(found, wrong, strict=True))


def test_a_push_shows_the_time_and_no_detail() -> None:
    """Whatever lies on the lock screen is read by whoever holds the phone."""
    for name in TEMPLATES:
        for language in LANGUAGES:
            push = render(name, language, "app", longest(language), NOON)
            shown = push.title + push.text
            assert "12/31 23:59" in push.title
            assert "1234" not in shown
            assert "2719" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_is_complete_as_plain_text_and_its_html_says_the_same(language: Language) -> None:
    """Same words in both, nothing loaded, nothing that runs, whatever the values hold."""
    facts = replace(longest(language), account=HOSTILE, firm="<b>")
    mail = render("takeover", language, "email", facts, NOON)

    words = _Words()
    words.feed(mail.html)
    assert HOSTILE not in mail.html
    assert words.tags <= {"html", "head", "meta", "title", "body", "h1", "p"}
    assert "".join(words.text.split()).endswith("".join(mail.text.split()))


class _Words(HTMLParser):
    """Tags and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_not_known_is_not_said(channel: SendChannel) -> None:
    """Without country and way no half sentence stands in a text."""
    facts = facts_of(
        notice(country=None, channel=None), firm_zh="範例證券", firm_en="D", account="***1234"
    )
    text = render("login_new_device", "zh-TW", channel, facts, NOON).text

    assert "約略位置" not in text
    assert "管道" not in text
    assert "None" not in text


def test_a_country_and_a_way_have_words_and_nothing_else_gets_in() -> None:
    """A code without a name is shown as the code; what is no code is not shown."""
    assert place("JP", "zh-TW") == "日本"
    assert place("jp", "en") == "Japan"
    assert place("XK", "zh-TW") == "XK"
    for wrong in (None, "", "日本", "<b", "J", "JPN"):
        assert place(wrong, "en") == ""
    other: Channel = "other"
    assert way("web", "zh-TW") == "網頁"
    assert way(other, "en") == ""


def test_times_are_taipei_s() -> None:
    """Noon in Taipei is noon in the text; a version changes with the text alone."""
    facts = facts_of(notice(occurred_at=NOON), firm_zh="範例證券", firm_en="D", account="***1234")
    first = render("takeover", "zh-TW", "sms", facts, NOON)
    later = render("takeover", "zh-TW", "sms", facts, NOON + timedelta(days=1))

    assert facts.time == "11/22 12:00"
    assert first.template == later.template
    assert first.sha256 == later.sha256
