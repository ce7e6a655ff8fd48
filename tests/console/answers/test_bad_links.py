"""Thousands of bad links, robots on hundreds of notices: no answer, no page unlike another."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from notifier.ledger import Ledger
from tests.console.answers.site import Site, filled, form_of, links_of
from tests.effort import times
from tests.notifier.answering import DIGITS, Asked

EACH = times(400, 2_000)
"""Of forged, mutated, replayed, expired and foreign links: 10,000 in all where thorough."""

NOTICES = times(200, 1_000)
ALPHABET = string.ascii_letters + string.digits + "_-"


def _forged(_site: Site, rng: random.Random) -> Iterator[str]:
    while True:
        yield "".join(rng.choices(ALPHABET, k=32))


def _mutated(site: Site, rng: random.Random) -> Iterator[str]:
    tokens = [site.asked.link() for _ in range(50)]
    while True:
        token, at = rng.choice(tokens), rng.randrange(32)
        changed: list[str] = [
            token[:at] + rng.choice(ALPHABET.replace(token[at], "")) + token[at + 1 :],
            token[:at] + token[at + 1 :],
            token + rng.choice(ALPHABET),
            token[::-1],
            token[:at] + "%00" + token[at + 1 :],
        ]
        # A token of one repeated letter reads the same backwards; that one is no mutation.
        yield from (one for one in changed if one not in tokens)


def _replayed(site: Site, rng: random.Random) -> Iterator[str]:
    tokens = [site.asked.link() for _ in range(50)]
    for token in tokens:
        site.asked.answers.by_page(token, rng.choice(("yes", "no")), DIGITS)
    while True:
        yield rng.choice(tokens)


def _expired(site: Site, rng: random.Random) -> Iterator[str]:
    tokens = [site.asked.link() for _ in range(50)]
    site.asked.clock.advance(hours=24)
    while True:
        yield rng.choice(tokens)


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Callable[[Site, random.Random], Iterator[str]]]:
    """Give links that another firm's ledger has issued."""
    ledger = Ledger.open(tmp_path / "foreign.db")
    tokens = [Asked(ledger).link() for _ in range(50)]

    def links(_site: Site, rng: random.Random) -> Iterator[str]:
        while True:
            yield rng.choice(tokens)

    yield links
    ledger.close()


def _seen(answer: httpx.Response) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    headers = tuple(sorted((name, text) for name, text in answer.headers.items() if name != "date"))
    return answer.status_code, answer.content, headers


@pytest.mark.timeout(600)
def test_no_bad_link_is_accepted_and_none_looks_different(
    site: Site, foreign: Callable[[Site, random.Random], Iterator[str]]
) -> None:
    """Forged, mutated, replayed, expired, foreign: all refused with the same bytes, whether
    looked at or sent with a well-made form.
    """
    rng = random.Random(16)
    pages: set[tuple[int, bytes, tuple[tuple[str, str], ...]]] = set()
    kinds = {
        "forged": _forged,
        "mutated": _mutated,
        "replayed": _replayed,
        "foreign": foreign,
        "expired": _expired,  # the last: it moves the clock
    }
    sent = 0

    with site.client() as client:
        for kind in kinds.values():
            made = kind(site, rng)
            before = len(site.asked.outbox("confirmations"))
            if kind is _replayed:
                made = iter([next(made), *islice(made, EACH)])
                before = len(site.asked.outbox("confirmations"))
            for number, token in enumerate(islice(made, EACH)):
                path = f"/{('a', 'zh', 'en')[number % 3]}/{token}"
                if number % 2:
                    pages.add(_seen(client.get(path)))
                else:
                    form = {
                        "form": site.seals.form(token[:32], site.asked.clock()),
                        "answer": "no" if number % 4 else "yes",
                        "digits": DIGITS,
                    }
                    pages.add(_seen(client.post(path, data=form)))
                sent += 1
            assert len(site.asked.outbox("confirmations")) == max(before, 50 * (kind is _replayed))

    assert sent == 5 * EACH
    (page,) = pages
    assert page[0] == 404


@pytest.mark.timeout(600)
def test_a_robot_that_follows_and_submits_everything_answers_nothing(site: Site) -> None:
    """On each notice: every link followed, every form sent as it stands, also what comes back."""
    tokens = [site.asked.link() for _ in range(NOTICES)]
    requests = 0

    with site.client() as client:
        for token in tokens:
            waiting, known = [f"/a/{token}"], set[str]()
            while waiting:
                path = waiting.pop()
                if path in known:
                    continue
                known.add(path)
                page = client.get(path)
                sent = client.post(path, data=form_of(page.text))
                requests += 2
                assert sent.status_code == 422
                waiting += links_of(page.text) + links_of(sent.text)
            # The page of this link, its two languages, and nothing else.
            assert known == {f"/a/{token}", f"/zh/{token}", f"/en/{token}"}

    assert requests == 6 * NOTICES
    assert site.asked.outbox("confirmations") == []
    assert site.asked.outbox("alerts") == []
    assert site.asked.answers.open(tokens[0]) is not None
    with site.client() as client:
        text = client.get(f"/zh/{tokens[0]}").text
        assert client.post(f"/zh/{tokens[0]}", data=filled(text)).status_code == 303
