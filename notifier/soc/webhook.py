"""The signed webhook: one POST an item, no redirects, an answer that is never read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

import httpx

from notifier.signing import headers

from .item import Item
from .output import Refused
from .webhook_format import body

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_OK: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)
_ABOUT_CONTENT: Final = frozenset({400, 409, 410, 413, 415, 422})
"""What says that this body is not wanted; every other refusal is taken as one of everything."""
_LONGEST_AFTER_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Sends to `url`; `secret` signs, `now` gives aware times for the signature."""

    url: str
    secret: bytes
    client: httpx.AsyncClient
    now: Callable[[], datetime]
    name: ClassVar[str] = "webhook"
    at_once: ClassVar[int] = 8

    async def send(self, items: Sequence[Item]) -> Sequence[Refused]:
        """All at the same time: each is of another alert, so none overtakes its own revision."""
        answers = await asyncio.gather(*(self._post(item) for item in items))
        return [answer for answer in answers if answer is not None]

    def doubtful(self) -> Sequence[Item]:
        """Nothing: a 2xx is an answer of the receiver itself."""
        return ()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def _post(self, item: Item) -> Refused | None:
        said = body(item)
        sent = headers(self.secret, said, self.now()) | {
            IDEMPOTENCY_KEY: item.key,
            "Content-Type": "application/json",
            "User-Agent": "loginward",
        }
        try:
            async with self.client.stream(
                "POST", self.url, content=said, headers=sent, follow_redirects=False
            ) as response:
                status, after = response.status_code, response.headers.get("Retry-After", "")
        except httpx.HTTPError as failure:
            # Its text may hold the URL, and with it a token of the receiver's.
            return Refused(type(failure).__name__, item=item)
        if status in _OK:
            return None
        hint = "; redirects are not followed" if status in _REDIRECT else ""
        return Refused(
            f"HTTP {status}{hint}",
            item=item,
            whole=status not in _ABOUT_CONTENT,
            after=_seconds(after),
        )


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; its form as a date is not worth a parser."""
    if not text.isascii() or not text.isdigit() or len(text) > len("999999"):
        return None
    return min(_LONGEST_AFTER_S, float(text))
