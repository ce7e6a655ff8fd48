"""One call of the firm's webhook: signed, bounded, never redirected, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from detectors.errors import escaped

from .signing import headers

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_OK = range(200, 300)
_REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What came of a call; `detail` is one escaped, bounded line."""

    done: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The firm's endpoint. `secret` signs; `now` gives aware UTC times."""

    url: str
    secret: bytes
    client: httpx.AsyncClient
    now: Callable[[], datetime]

    async def call(self, body: bytes, key: str) -> Called:
        """Send a body once. Never raises for what the other side or the network does."""
        sent = headers(self.secret, body, self.now()) | {
            IDEMPOTENCY_KEY: key,
            "Content-Type": "application/json",
        }
        try:
            # A stream, so that an endless answer is never read: only its status counts.
            async with self.client.stream(
                "POST", self.url, content=body, headers=sent, follow_redirects=False
            ) as response:
                return _judge(response.status_code)
        except httpx.HTTPError as failure:
            return Called(done=False, detail=escaped(f"{type(failure).__name__}: {failure}"))


def _judge(status: int) -> Called:
    if status in _OK:
        return Called(done=True, detail=f"HTTP {status}")
    if status in _REDIRECT:
        return Called(
            done=False, detail=f"HTTP {status}: a redirect is not followed; name the final URL"
        )
    return Called(done=False, detail=f"HTTP {status}")
