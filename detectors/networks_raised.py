"""What an address that turned bad says of its network: an entry in the network's own log."""

from __future__ import annotations

from hashlib import blake2b

from .attempts import CONTEXT_BYTES, HEAD, NO_ACCOUNT, PLACED, packed_address
from .pseudonyms import ACCOUNT_BYTES, Pseudonyms
from .windows import Subject


def raised_entry(address: Subject, opened_ms: int, why: str, names: Pseudonyms) -> bytes:
    """The address at the instant at which it was flagged, and `why`, which names the finding.

    A finding keeps its identity while late attempts move its opening: the earliest entry counts.
    """
    text = "\0".join((*address, why))
    identity = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    where = packed_address(address.value.partition("/")[0])
    event_id = names.subject(text).hex().encode()
    return (
        HEAD.pack(
            opened_ms >> 32,
            opened_ms & 0xFFFFFFFF,
            identity,
            bytes(ACCOUNT_BYTES),
            NO_ACCOUNT | PLACED,
            len(event_id),
        )
        + where
        + bytes(CONTEXT_BYTES - len(where))
        + event_id
    )
