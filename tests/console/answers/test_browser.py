"""The page in a real Chromium, as a telephone shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from console.answers.texts import LANGUAGES, TEXTS, Language
from detectors import notices
from tests.console.answers.site import Site
from tests.notifier.answering import DIGITS

PHONE_SCREEN = {"width": 360, "height": 740}
SMALLEST_TARGET = 24
"""CSS pixels, WCAG 2.2, 2.5.8."""
CONTRAST = 4.5
"""WCAG 2.2, 1.4.3, for text."""
ROBOT_NOTICES = 24
"""A browser needs about a second for each; the 1,000 are done over HTTP."""

_LOOK = """() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  ).reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = at => {
    for (let up = at; up; up = up.parentElement) {
      const found = rgb(getComputedStyle(up).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const texts = [...document.body.querySelectorAll('*')].filter(
    at => [...at.childNodes].some(one => one.nodeType === 3 && one.textContent.trim())
  );
  const pairs = texts.map(at => {
    const pair = [light(rgb(getComputedStyle(at).color)), light(ground(at))];
    const [a, b] = pair.sort((x, y) => y - x);
    return [at.textContent.trim().slice(0, 20), (a + 0.05) / (b + 0.05)];
  });
  const targets = [...document.querySelectorAll('a, button, input:not([type=hidden])')].map(at => {
    const box = at.getBoundingClientRect();
    return [at.outerHTML.slice(0, 60), Math.min(box.width, box.height)];
  });
  const unnamed = [...document.querySelectorAll('input:not([type=hidden])')].filter(
    at => !at.labels.length
  ).map(at => at.outerHTML);
  return {pairs, targets, unnamed, wide: document.documentElement.scrollWidth};
}"""


def _open(chromium: Browser, *, javascript: bool) -> Page:
    context = chromium.new_context(
        viewport={"width": PHONE_SCREEN["width"], "height": PHONE_SCREEN["height"]},
        is_mobile=True,
        has_touch=True,
        java_script_enabled=javascript,
    )
    return context.new_page()


def _send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("button").tap()


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no javascript"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_customer_answers_on_a_telephone(
    site: Site, chromium: Browser, language: Language, javascript: bool
) -> None:
    """Wrong digits, then right ones: the "no" arrives and the page says what happens now."""
    page, texts = _open(chromium, javascript=javascript), TEXTS[language]
    page.goto(f"{site.url}/{language}/{site.asked.link()}")

    page.get_by_label(texts["no"]).check()
    page.get_by_label(texts["phone"]).fill("999")
    _send(page)
    assert page.get_by_role("alert").inner_text() == texts["err_wrong"]
    assert page.title().startswith(texts["error_title"].strip())
    page.get_by_label(texts["phone"]).fill(DIGITS)
    _send(page)

    assert page.locator("h1").inner_text() == texts["no_title"]
    assert texts["no_order"] in page.locator("main").inner_text()
    (said,) = map(notices.decode_confirmation, site.asked.outbox("confirmations"))
    assert said.answer == "no"
    page.get_by_role("link", name=texts["switch"]).tap()
    page.wait_for_url("**/no/**")
    assert len(site.asked.outbox("confirmations")) == 1
    page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everyone_can_read_and_touch_it(site: Site, chromium: Browser, language: Language) -> None:
    """On every page: labels, targets of 24 px, contrast of 4.5, and nothing wider than a screen
    of 320 px.
    """
    page = _open(chromium, javascript=True)
    page.set_viewport_size({"width": 320, "height": 640})
    places = [f"/{language}/{site.asked.link()}", "/zh/none"]
    places += [
        f"/{language}/{said}/12345678/{site.seals.receipt(said, '12345678')}"
        for said in ("yes", "no")
    ]

    for place in places:
        page.goto(site.url + place)
        seen = page.evaluate(_LOOK)
        assert seen["unnamed"] == []
        assert [one for one in seen["targets"] if one[1] < SMALLEST_TARGET] == []
        assert [one for one in seen["pairs"] if one[1] < CONTRAST] == []
        assert seen["wide"] <= 320
    page.context.close()


def test_a_browser_says_what_is_missing_before_it_sends(site: Site, chromium: Browser) -> None:
    """An untouched form does not leave the browser: the fields are required."""
    page = _open(chromium, javascript=True)
    page.goto(f"{site.url}/zh/{site.asked.link()}")

    page.locator("button").tap()

    assert page.locator(":invalid").count() > 0
    assert page.get_by_role("alert").count() == 0
    page.context.close()


@pytest.mark.timeout(300)
def test_a_scanner_with_a_browser_answers_nothing(site: Site, chromium: Browser) -> None:
    """A robot that runs JavaScript, follows every link and sends every form as it stands, past the
    browser's own checks, on two dozen notices.
    """
    page = _open(chromium, javascript=True)

    for _ in range(ROBOT_NOTICES):
        page.goto(f"{site.url}/a/{site.asked.link()}")
        for link in page.eval_on_selector_all("a", "all => all.map(one => one.href)"):
            page.goto(link)
            page.locator("button").click()
            with page.expect_navigation():
                page.evaluate("document.forms[0].submit()")
            with page.expect_navigation():
                page.evaluate("HTMLFormElement.prototype.submit.call(document.forms[0])")
            assert page.get_by_role("alert").count() == 1

    assert site.asked.outbox("confirmations") == []
    page.context.close()


def test_the_policy_hinders_nothing_of_ours(site: Site, chromium: Browser) -> None:
    """The style is applied under the policy, and an injected script is not run."""
    page = _open(chromium, javascript=True)
    page.goto(f"{site.url}/zh/{site.asked.link()}")

    ground = page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor")
    page.evaluate(
        """() => {
          const one = document.createElement('script');
          one.textContent = 'window.ran = 1';
          document.body.append(one);
        }"""
    )

    assert ground == "rgb(18, 50, 79)"
    assert page.evaluate("window.ran") is None
    page.context.close()
