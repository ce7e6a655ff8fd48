"""The signature of a webhook: HMAC-SHA256 over time and body, so that a copy is soon worthless.

    X-Loginward-Timestamp: 1767225600
    X-Loginward-Signature: v1=<hex of HMAC-SHA256(secret, "1767225600." + body)>

The receiver computes the same over the bytes it got, compares in constant time, and refuses what
is older than a few minutes.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

TIMESTAMP: Final = "X-Loginward-Timestamp"
SIGNATURE: Final = "X-Loginward-Signature"
TOLERANCE_S: Final = 300
"""How far a receiver's clock may be off; what Stripe and Slack allow."""


def headers(secret: bytes, body: bytes, now: datetime) -> dict[str, str]:
    """The two headers for a body sent at `now`."""
    at = str(int(now.timestamp()))
    return {TIMESTAMP: at, SIGNATURE: f"v1={_mac(secret, at, body)}"}


def genuine(secret: bytes, body: bytes, *, timestamp: str, signature: str, now: datetime) -> bool:
    """What a receiver asks: signed with our secret, within TOLERANCE_S of `now`."""
    if not (
        timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("1767225600") + 1
    ):
        return False
    fresh = abs(now.timestamp() - int(timestamp)) <= TOLERANCE_S
    wanted = f"v1={_mac(secret, timestamp, body)}"
    return hmac.compare_digest(signature.encode(), wanted.encode()) and fresh


def _mac(secret: bytes, at: str, body: bytes) -> str:
    return hmac.new(secret, at.encode() + b"." + body, "sha256").hexdigest()
