"""The page over HTTP: looking changes nothing, answering takes a person, refusals look alike."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.answers.asking import LONGEST_BODY, parse
from console.answers.limits import FailureLimit
from console.answers.pages import Firm, Pages
from console.answers.seals import load_seals
from console.answers.texts import LANGUAGES, TEXTS, preferred
from detectors.errors import LoginwardError
from tests.console.answers.site import Site, filled, form_of, links_of, serving
from tests.effort import times
from tests.notifier.answering import DIGITS, Asked

FORM = {"content-type": "application/x-www-form-urlencoded"}


def _answers(site: Site) -> int:
    return len(site.asked.outbox("confirmations"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(site: Site, method: str) -> None:
    """GET and HEAD of a link, again and again, leave the ledger as it was."""
    token = site.asked.link()
    before = site.asked.ledger.outgoing(1000)

    with site.client() as client:
        looks = [client.request(method, f"/{way}/{token}") for way in ("a", "zh", "en") * 3]

    assert {look.status_code for look in looks} == {200}
    assert site.asked.ledger.outgoing(1000) == before
    assert site.asked.answers.open(token) is not None


def test_every_page_is_kept_nowhere_framed_nowhere_and_runs_nothing(site: Site) -> None:
    """Each answer of the server carries the strict headers, and no page holds a script."""
    token = site.asked.link()

    with site.client() as client:
        asked = client.get(f"/zh/{token}")
        pages = [
            asked,
            client.get("/zh/none"),
            client.get("/favicon.ico"),
            client.post(f"/zh/{token}", data=form_of(asked.text)),
            client.put(f"/zh/{token}"),
            client.post(f"/zh/{token}", data=filled(asked.text)),
        ]
        pages.append(client.get(pages[-1].headers["location"]))

    assert [page.status_code for page in pages] == [200, 404, 404, 422, 405, 303, 200]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-robots-tag"].startswith("noindex")
        assert "set-cookie" not in page.headers
        assert "server" not in page.headers
        assert "<script" not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_person_answers_once_and_reads_what_comes_next(
    site: Site, language: str, answer: str
) -> None:
    """Chosen and typed, the answer is recorded and the next page says what happens."""
    token = site.asked.link()

    with site.client() as client:
        page = client.get(f"/{language}/{token}").text
        sent = client.post(f"/{language}/{token}", data=filled(page, answer))
        thanks = client.get(sent.headers["location"])

    texts = TEXTS["zh" if language == "zh" else "en"]
    assert (sent.status_code, thanks.status_code) == (303, 200)
    assert texts[f"{answer}_title"] in thanks.text
    assert (texts["no_order"] in thanks.text) == (answer == "no")
    assert _answers(site) == 1
    assert token not in thanks.text


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="untouched"),
        pytest.param({"digits": DIGITS}, id="no choice"),
        pytest.param({"answer": "no"}, id="no digits"),
        pytest.param({"answer": "no", "digits": "   "}, id="blank digits"),
        pytest.param({"answer": "maybe", "digits": DIGITS}, id="neither yes nor no"),
        pytest.param({"answer": "no", "digits": "124"}, id="wrong digits"),
        pytest.param({"answer": "no", "digits": "123456"}, id="a whole code"),
        pytest.param({"answer": "no", "digits": DIGITS, "form": ""}, id="no seal"),
        pytest.param({"answer": "no", "digits": DIGITS, "more": "1"}, id="an unknown field"),
    ],
)
def test_what_is_not_chosen_and_typed_is_no_answer(site: Site, changed: dict[str, str]) -> None:
    """The same page comes back and says what is missing; nothing is recorded."""
    token = site.asked.link()

    with site.client() as client:
        page = client.get(f"/en/{token}").text
        sent = client.post(f"/en/{token}", data=form_of(page) | changed)

    assert sent.status_code == 422
    assert 'role="alert"' in sent.text
    assert _answers(site) == 0
    assert site.asked.answers.open(token) is not None


def test_only_a_form_of_this_link_given_out_lately_counts(site: Site) -> None:
    """No seal of another link, of another key, altered or older than four hours; nor from a site
    that is not ours.
    """
    asked, token = site.asked, site.asked.link()
    other = asked.link()
    foreign = dict(FORM) | {"sec-fetch-site": "cross-site"}

    with site.client() as client:
        mine = filled(client.get(f"/zh/{token}").text)
        theirs = filled(client.get(f"/zh/{other}").text)
        altered = mine | {"form": mine["form"][:-1] + ("0" if mine["form"][-1] != "0" else "1")}
        later = mine | {"form": "9" + mine["form"][1:]}
        refused = [client.post(f"/zh/{token}", data=form) for form in (theirs, altered, later)]
        refused.append(client.post(f"/zh/{token}", data=mine, headers=foreign))
        asked.clock.advance(hours=4, seconds=1)
        refused.append(client.post(f"/zh/{token}", data=mine))

        assert [one.status_code for one in refused] == [422] * 5
        assert _answers(site) == 0
        fresh = filled(refused[-1].text)
        assert client.post(f"/zh/{token}", data=fresh).status_code == 303


def test_after_five_wrong_tries_the_link_is_closed(site: Site) -> None:
    """The fifth wrong try gets the page that every useless link gets."""
    token = site.asked.link()

    with site.client() as client:
        page = client.get(f"/zh/{token}").text
        tries = [client.post(f"/zh/{token}", data=filled(page, digits="999")) for _ in range(6)]
        useless = client.get("/zh/none")

    assert [one.status_code for one in tries] == [422] * 4 + [404] * 2
    assert tries[-1].content == useless.content
    assert _answers(site) == 0


def test_nobody_else_can_make_a_page_of_thanks(site: Site) -> None:
    """A page that says "orders are paused" under our name exists only for a real answer."""
    receipt = site.seals.receipt("no", "12345678")

    with site.client() as client:
        found = {
            path: client.get(path).status_code
            for path in (
                f"/zh/no/12345678/{receipt}",
                f"/en/no/12345678/{receipt}",
                f"/zh/yes/12345678/{receipt}",
                f"/zh/no/12345679/{receipt}",
                f"/zh/no/1234567%C2%B8/{receipt}",
                f"/xx/no/12345678/{receipt}",
                f"/zh/no/12345678/{'0' * 32}",
            )
        }

    assert list(found.values()) == [200, 200, 404, 404, 404, 404, 404]


def test_what_an_event_says_is_shown_escaped(site: Site) -> None:
    """Markup in what came from outside stays text."""
    told = site.asked.notice(country='<img src=x onerror="alert(1)">', channel="<b>")

    with site.client() as client:
        page = client.get(f"/zh/{site.asked.link(told)}").text

    assert "<img" not in page
    assert "<b>" not in page.partition("<dl>")[2].partition("</dl>")[0]
    assert "onerror" not in page


def test_even_the_firms_name_is_escaped() -> None:
    """Escaping is the page's rule, not each value's: a name with markup stays text everywhere."""
    pages = Pages(Firm(zh="<i>", en='"&', phone="'<"))
    made = [*pages.fixed.values(), pages.done("no", "12345678", "0" * 32, "zh")]

    for page in made:
        assert b"<i>" not in page
        assert b"&lt;i&gt;" in page
        assert b"'<" not in page.partition(b"<body>")[2]


def test_a_page_that_shows_the_number_does_not_ask_for_it(site: Site) -> None:
    """Where the notice's number has to be typed it stands in the message alone."""
    told = site.asked.notice()

    with site.client() as client:
        page = client.get(f"/en/{site.asked.link(told, phone=None)}").text

    assert told.number not in page
    assert TEXTS["en"]["number_digits"] in page


def test_a_login_that_stopped_at_the_second_factor_is_asked_in_other_words(site: Site) -> None:
    """Who knows the password and not the second factor has not logged in."""
    told = site.asked.notice(kind="password_known")

    with site.client() as client:
        page = client.get(f"/en/{site.asked.link(told)}").text

    assert TEXTS["en"]["lead_password_known"] in page
    assert TEXTS["en"]["lead"] not in page


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("", "zh"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("fr-FR,en;q=0.5", "en"),
        ("ja", "zh"),
        (",;;q=,\x00" * 100, "zh"),
    ],
)
def test_the_browser_chooses_where_the_link_does_not(said: str, language: str) -> None:
    """Of Chinese and English the first wanted; Chinese where neither is."""
    assert preferred(said) == language


def test_both_languages_say_the_same_things(site: Site) -> None:
    """Each sentence exists in both, and each page links to its other language."""
    token = site.asked.link()

    with site.client() as client:
        chinese, english = (
            client.get(f"/a/{token}").text,
            client.get(f"/a/{token}", headers={"accept-language": "en"}).text,
        )

    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    assert f"/en/{token}" in links_of(chinese)
    assert f"/zh/{token}" in links_of(english)
    assert '<html lang="zh-Hant-TW">' in chinese
    assert '<html lang="en">' in english


@given(
    body=st.binary(max_size=3000)
    | st.from_regex(
        rb"(form|answer|digits)=[ -~]{0,90}(&[a-z]{1,6}=[ -~]{0,90}){0,9}", fullmatch=True
    )
)
@settings(
    max_examples=times(60, 600),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_body_is_too_strange(site: Site, body: bytes) -> None:
    """Any bytes are refused with a page, never with an error of ours, and answer nothing."""
    token = site.asked.link()

    with site.client() as client:
        sent = client.post(f"/zh/{token}", content=body, headers=FORM)

    assert sent.status_code == 422
    assert _answers(site) == 0


@given(body=st.binary(max_size=200))
def test_a_form_is_read_or_refused(body: bytes) -> None:
    """Reading a form never raises; a doubled field is no form."""
    form = parse(body)

    assert form is None or form.answer in {"yes", "no", None}
    assert parse(b"answer=no&answer=yes") is None


def test_what_is_too_large_is_not_read(site: Site) -> None:
    """Long paths, many headers, large bodies and other kinds of body are refused with a page."""
    token = site.asked.link()

    with site.client() as client:
        form = filled(client.get(f"/zh/{token}").text)
        large = client.post(f"/zh/{token}", data=form | {"digits": "1" * LONGEST_BODY})
        json = client.post(f"/zh/{token}", json=form)
        parts = client.post(f"/zh/{token}", data=form, files={"f": b"x"})
        path = client.get(f"/zh/{'x' * 300}")
        query = client.get(f"/zh/{token}", params={"x": "y" * 300})
        headers = client.get(f"/zh/{token}", headers={"x-long": "y" * 17_000})

    assert [one.status_code for one in (large, json, parts, path, query)] == [422] * 3 + [404] * 2
    assert headers.status_code in {400, 431}
    assert _answers(site) == 0


def test_an_address_that_fails_too_often_has_to_wait(asked: Asked) -> None:
    """Only failures count, a minute gives them back, and other addresses do not suffer."""
    proxies = frozenset({"127.0.0.1"})
    with serving(asked, failures=10, proxies=proxies) as site, site.client() as client:
        token = asked.link()

        def look(path: str, address: str = "192.0.2.7") -> int:
            found = client.get(path, headers={"x-forwarded-for": f"203.0.113.9, {address}"})
            return found.status_code

        assert [look(f"/zh/{token}") for _ in range(20)] == [200] * 20
        assert [look("/zh/none") for _ in range(12)] == [404] * 10 + [429] * 2
        assert look(f"/zh/{token}") == 429
        assert look(f"/zh/{token}", "192.0.2.8") == 200
        asked.clock.advance(minutes=1)
        assert look(f"/zh/{token}") == 200


def test_whoever_is_no_trusted_proxy_speaks_for_himself(asked: Asked) -> None:
    """X-Forwarded-For of a stranger gives nobody a fresh start."""
    with serving(asked, failures=3) as site, site.client() as client:
        found = [
            client.get("/zh/none", headers={"x-forwarded-for": f"192.0.2.{number}"}).status_code
            for number in range(5)
        ]

    assert found == [404] * 3 + [429] * 2


def test_the_limit_forgets_the_oldest_address_and_counts_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory is bounded, and all addresses of one IPv6 subscriber are one."""
    monkeypatch.setattr("console.answers.limits.REMEMBERED", 2)
    limit = FailureLimit(a_minute=1, elapsed=lambda: 0.0)
    limit.failed("2001:db8::1")

    assert limit.tired("2001:db8::ffff")
    assert not limit.tired("2001:db8:0:1::1")
    limit.failed("::ffff:192.0.2.1")
    assert limit.tired("192.0.2.1")
    limit.failed("192.0.2.2")
    assert not limit.tired("2001:db8::1")
    assert not limit.tired("not an address")


def test_a_fault_of_ours_still_says_whom_to_call(asked: Asked) -> None:
    """With the ledger gone a customer reads the page with the telephone, and no traceback."""
    with serving(asked) as site, site.client() as client:
        token = asked.link()
        asked.ledger.close()
        broken = client.get(f"/zh/{token}")

    assert broken.status_code == 500
    assert "165" in broken.text
    assert "Traceback" not in broken.text


def test_the_key_is_made_once_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    """Two starts share one key; what is no key is a sentence with the way out."""
    path = tmp_path / "keys" / "answers.key"

    assert load_seals(path).key == load_seals(path).key
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("short")
    with pytest.raises(LoginwardError, match=r"answers\.key_file: .*64 hexadecimal digits"):
        load_seals(path)


def test_httpx_and_browsers_agree_on_redirects(site: Site) -> None:
    """The answer's redirect stays on the host that was asked, so that the policy allows it."""
    token = site.asked.link()
    with site.client() as client:
        page = client.get(f"/zh/{token}").text
        place = client.post(f"/zh/{token}", data=filled(page)).headers["location"]

    assert httpx.URL(place).is_relative_url
