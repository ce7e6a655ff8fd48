"""What comes in from the outside, bounded before anything looks at it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from detectors.notices import Answer

LONGEST_BODY: Final = 2_048
"""Bytes; a filled-in form has some 150."""

BODY_PATIENCE_S: Final = 10.0
"""A form comes in one piece; who dribbles it holds a connection."""

_MOST_FIELDS = 8
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was sent; every text is bounded by LONGEST_BODY. `answer` None: none was chosen."""

    seal: str
    answer: Answer | None
    digits: str


async def read_form(request: Request) -> Form | None:
    """The form in a request's body; None where it is no form, too long or too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        return None
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            body = await _body(request)
    except (TimeoutError, ClientDisconnect):
        return None
    return None if body is None else parse(body)


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)


def parse(body: bytes) -> Form | None:
    """A form out of bytes; None where a field is doubled, unknown or not text."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not fields.keys() <= {"form", "answer", "digits"}:
        return None
    said = fields.get("answer")
    answer: Answer | None = "yes" if said == "yes" else "no" if said == "no" else None
    return Form(seal=fields.get("form", ""), answer=answer, digits=fields.get("digits", ""))


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site sent this form. Old browsers say nothing."""
    return request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}


def client_address(request: Request, proxies: frozenset[str]) -> str:
    """Who asks: the peer, or what a trusted proxy wrote last into X-Forwarded-For."""
    peer = request.client.host if request.client else ""
    if peer not in proxies:
        return peer
    for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        hop_text = hop.strip()
        if not hop_text:
            continue
        try:
            ip_address(hop_text)
        except ValueError:
            return peer
        if hop_text not in proxies:
            return hop_text
    return peer
