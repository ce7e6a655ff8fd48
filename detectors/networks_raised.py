"""What an address that turned bad says of its network: an entry in the network's own log."""

from __future__ import annotations

from hashlib import blake2b

from .attempts import CONTEXT_BYTES, HEAD, NO_ACCOUNT, PLACED, packed_address, unpack
from .findings import Finding
from .pseudonyms import ACCOUNT_BYTES
from .windows import Subject


def raised_entry(address: Subject, finding: Finding, why: str) -> bytes:
    """The address at the instant at which it was flagged, with the event that crossed the limit;
    `why` names the finding.

    A finding keeps its identity while late attempts move its opening: the earliest entry counts.
    """
    text = "\0".join((*address, why))
    identity = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    where = packed_address(address.value.partition("/")[0])
    at = finding.opened_ms
    crossing = finding.log.entries[min(finding.last)]
    event_id = unpack(crossing).event_id.encode("utf-8", "surrogatepass")
    return (
        HEAD.pack(
            at >> 32,
            at & 0xFFFFFFFF,
            identity,
            bytes(ACCOUNT_BYTES),
            NO_ACCOUNT | PLACED,
            len(event_id),
        )
        + where
        + bytes(CONTEXT_BYTES - len(where))
        + event_id
    )
