"""Bodies of requests from outside, read only as far as they may be long."""

from __future__ import annotations

from starlette.requests import Request


async def bounded(request: Request, longest: int) -> bytes | None:
    """The body, or None where it is longer than `longest` bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            return None
    return body
