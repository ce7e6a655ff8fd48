"""The ASGI app that customers reach: ask, answer, and nothing else. GET and HEAD change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router

from detectors.notices import Answer
from notifier.answers import Answers, OpenQuestion
from notifier.tokens import shaped

from .asking import Form, client_address, from_elsewhere, read_form
from .guard import Guard
from .limits import FailureLimit
from .pages import Pages, Problem, Question
from .seals import Seals
from .texts import LANGUAGES, Language, preferred

_NUMBER_DIGITS: Final = 8
_ANSWERS: Final[tuple[Answer, ...]] = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPage:
    """The routes. `now` gives aware UTC times; `proxies` may say for whom they ask."""

    answers: Answers
    pages: Pages
    seals: Seals
    limit: FailureLimit
    now: Callable[[], datetime]
    proxies: frozenset[str] = frozenset()

    async def show(self, request: Request) -> Response:
        """The question of one notice, or the page that every other address gets."""
        token, language = request.path_params["token"], _language(request)
        asked = await self._open(token, language)
        if asked is None or language is None:
            return self._closed(request)
        return self._question(asked, token, language)

    async def answer(self, request: Request) -> Response:
        """Record what was chosen, if a person has chosen and typed."""
        token, language = request.path_params["token"], _language(request)
        asked = await self._open(token, language)
        if asked is None or language is None:
            return self._closed(request)
        form = await read_form(request)
        problems = self._problems(request, form, token)
        if form is None or form.answer is None or problems:
            return self._question(asked, token, language, problems, form)
        outcome = await run_in_threadpool(self.answers.by_page, token, form.answer, form.digits)
        if outcome == "closed":
            return self._closed(request)
        if outcome == "wrong":
            self._count_failure(request)
            return self._question(asked, token, language, ("err_wrong",), form)
        receipt = self.seals.receipt(form.answer, asked.number)
        place = f"/{language}/{form.answer}/{asked.number}/{receipt}"
        return RedirectResponse(place, status_code=HTTPStatus.SEE_OTHER)

    async def thanks(self, request: Request) -> Response:
        """What happens after an answer; its address is signed, so nobody else can hand it out."""
        language, number = _language(request), request.path_params["number"]
        answer, receipt = request.path_params["answer"], request.path_params["receipt"]
        known = answer in _ANSWERS and len(number) == _NUMBER_DIGITS and number.isdigit()
        if language is None or not known or not self.seals.is_receipt(receipt, answer, number):
            return self._closed(request)
        return _html(self.pages.done(answer, number, receipt, language), HTTPStatus.OK)

    async def elsewhere(self, request: Request) -> Response:
        """Any other address."""
        return self._closed(request)

    async def _open(self, token: str, language: Language | None) -> OpenQuestion | None:
        # The ledger is a file: it is asked on a thread, so that a slow disk stops nobody else.
        if language is None or not shaped(token):
            return None
        return await run_in_threadpool(self.answers.open, token)

    def _problems(self, request: Request, form: Form | None, token: str) -> tuple[Problem, ...]:
        """What is missing, each to be said. An untouched form has no choice and no digits."""
        if form is None or from_elsewhere(request):
            return ("err_form",)
        if not self.seals.is_form(form.seal, token, self.now()):
            return ("err_form",)
        problems: list[Problem] = []
        if form.answer is None:
            problems.append("err_choice")
        if not form.digits.strip():
            problems.append("err_digits")
        return tuple(problems)

    def _question(
        self,
        asked: OpenQuestion,
        token: str,
        language: Language,
        problems: tuple[Problem, ...] = (),
        form: Form | None = None,
    ) -> Response:
        question = Question(
            token=token,
            seal=self.seals.form(token, self.now()),
            number=asked.number,
            occurred_at=asked.occurred_at,
            channel=asked.channel,
            country=asked.country,
            typed=asked.typed,
            kind=asked.kind,
        )
        # After wrong digits the choice stays; after a stale or foreign form it has to be made anew.
        chosen = form.answer if form is not None and "err_form" not in problems else None
        page = self.pages.question(question, language, problems=problems, chosen=chosen)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return _html(page, status)

    def _closed(self, request: Request) -> Response:
        """One page for expired, used, unknown and malformed: the same bytes, the same status."""
        self._count_failure(request)
        return _html(self.pages.fixed["closed"], HTTPStatus.NOT_FOUND)

    def _count_failure(self, request: Request) -> None:
        self.limit.failed(client_address(request, self.proxies))

    def tired(self, request: Request) -> bool:
        """Whether this address has failed too often of late to be heard."""
        return self.limit.tired(client_address(request, self.proxies))


def build(page: AnswerPage) -> Guard:
    """The app: routes inside, bounds and headers around."""
    routes = [
        Route("/{language}/{token}", page.show, methods=["GET"]),
        Route("/{language}/{token}", page.answer, methods=["POST"]),
        Route("/{language}/{answer}/{number}/{receipt}", page.thanks, methods=["GET"]),
        Route("/{path:path}", page.elsewhere, methods=["GET", "POST"]),
    ]
    fixed = page.pages.fixed
    return Guard(
        # A bare router: Starlette's own answer to a fault would come before ours.
        Router(routes, redirect_slashes=False),
        policy=page.pages.policy,
        closed=fixed["closed"],
        busy=fixed["busy"],
        tired=page.tired,
    )


def _language(request: Request) -> Language | None:
    """The language that stands in the path; `a` leaves it to the browser."""
    said = request.path_params["language"]
    if said == "a":
        return preferred(request.headers.get("accept-language", ""))
    return next((one for one in LANGUAGES if one == said), None)


def _html(page: bytes, status: HTTPStatus) -> Response:
    return Response(page, status_code=status, media_type="text/html; charset=utf-8")
