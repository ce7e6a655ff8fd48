"""Bytes of the topic `logins` to events and back: the one decoder, used live, in replay and in
tests.
"""

from __future__ import annotations

import hashlib
from zlib import crc32

import msgspec

from .addresses import canonical
from .errors import Rejected, RejectReason
from .events import EPOCH, LoginEvent
from .secrets_scrub import scrub

MAX_RECORD_BYTES = 65_536
"""A longer record is rejected; of it the first 64 KiB, its SHA-256 and its length are kept
(DESIGN.md 3).
"""

_decode = msgspec.json.Decoder(LoginEvent).decode
_encoder = msgspec.json.Encoder()
_said = msgspec.msgpack.Encoder().encode


def decode(raw: bytes | None) -> LoginEvent:
    """One record as an event with its address in canonical spelling. Raises `Rejected` with a
    reason.
    """
    if not raw:
        raise Rejected("empty", "a record without a value")
    if len(raw) > MAX_RECORD_BYTES:
        raise Rejected("too_large", f"{len(raw)} bytes; at most {MAX_RECORD_BYTES} are judged")
    try:
        event = _decode(raw)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Rejected("not_json", str(error) or type(error).__name__) from None
    return _checked(event)


def _checked(event: LoginEvent) -> LoginEvent:
    if not event.system.isprintable():
        raise Rejected("bad_value", f"system: {event.system!r} has control characters")
    if event.occurred_at < EPOCH:
        raise Rejected("bad_value", f"occurred_at: {event.occurred_at.isoformat()} is before 1970")
    if event.received_at is not None and event.received_at < EPOCH:
        raise Rejected("bad_value", f"received_at: {event.received_at.isoformat()} is before 1970")
    ip = event.ip
    if ip is None:
        return event
    try:
        address = canonical(ip)
    except ValueError:
        raise Rejected("bad_value", f"ip: {ip!r} is not an IP address") from None
    return event if address == ip else msgspec.structs.replace(event, ip=address)


def _refusal(message: str) -> Rejected:
    reason: RejectReason = "wrong_type"
    if "missing required field" in message:
        reason = "missing_field"
    elif "$.schema" in message:
        reason = "unsupported_schema"
    elif not message.startswith("Expected `") or "length" in message or "matching" in message:
        reason = "bad_value"
    return Rejected(reason, message)


def encode(event: LoginEvent) -> bytes:
    """An event as a record of `logins`: required fields always, optional ones where known."""
    return scrub(_encoder.encode(event))


def bounded(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """What `logins.rejected` keeps of a record: itself, or its first 64 KiB with SHA-256 and
    length.
    """
    if len(raw) <= MAX_RECORD_BYTES:
        return scrub(raw), {}
    return raw[:MAX_RECORD_BYTES], {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "length": str(len(raw)),
    }


def content(event: LoginEvent) -> int:
    """A 32-bit check of what an event says (not when it was received): same identity, other
    content = conflict.
    """
    since = event.occurred_at - EPOCH
    # Packed, not formatted: a sixth of the time, and no value can run into the next.
    return crc32(
        _said(
            (
                since.days,
                since.seconds,
                since.microseconds,
                event.system,
                event.account,
                event.ip,
                event.outcome,
                event.reason,
                event.action,
                event.device_id,
                event.account_class,
                event.mfa,
                event.channel,
                event.instrument,
            )
        )
    )
