"""Keyed pseudonyms: the only form in which an account leaves the archive and `logins`.

A plain hash of a Taiwanese national id is guessed in minutes (about 5 x 10^8 values), so the hash
is keyed
(BLAKE2b, RFC 7693) and the key's id stands in each pseudonym: after a rotation old and new never
mix.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

ACCOUNT_BYTES = 12
"""96 bits: among 10^9 names the odds of one collision are about 10^-11."""

KEY_BYTES = 32


class Pseudonyms:
    """Turns accounts and identities into keyed hashes. `key` is 32 bytes, `key_id` names it in
    every pseudonym.
    """

    def __init__(self, key: bytes, *, cache: int = 131_072) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"pseudonym key: {len(key)} bytes; it must have {KEY_BYTES}")
        self.key_id = blake2b(key, digest_size=2, person=b"lw-key-id").hexdigest()
        self._account = blake2b(key=key, digest_size=ACCOUNT_BYTES, person=b"lw-account")
        self._event = blake2b(key=key, digest_size=8, person=b"lw-event")
        self._subject = blake2b(key=key, digest_size=8, person=b"lw-subject")
        self._customer = blake2b(key=key, digest_size=ACCOUNT_BYTES, person=b"lw-customer")
        self._line = blake2b(key=key, digest_size=16, person=b"lw-line")
        # Most logins come from accounts seen a moment ago; a bounded cache saves the hash.
        self.account_bytes = lru_cache(maxsize=cache)(self._account_bytes)

    def _account_bytes(self, account: str) -> bytes:
        digest = self._account.copy()
        digest.update(account.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def account(self, account: str) -> str:
        """The pseudonym of an account as typed: `<key id>-<24 hex>`."""
        return self.text(self.account_bytes(account))

    def text(self, account: bytes) -> str:
        """How the 12 bytes of a pseudonym are written in alerts."""
        return f"{self.key_id}-{account.hex()}"

    def customer(self, number: str) -> bytes:
        """Twelve bytes for a customer's number; never those of an account of the same name."""
        digest = self._customer.copy()
        digest.update(number.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def event(self, emitter: str, event_id: str) -> bytes:
        """Eight bytes for the identity (emitter, event_id); keyed, since an attacker may choose
        an id.
        """
        digest = self._event.copy()
        digest.update(f"{emitter}\0{event_id}".encode("utf-8", "surrogatepass"))
        return digest.digest()

    def line_hash(self) -> blake2b:
        """A fresh keyed hash of 16 bytes for a log line's identity, to be fed by the caller."""
        return self._line.copy()

    def subject(self, text: str) -> bytes:
        """Eight keyed bytes that stand for a subject and spread it; nobody can aim at a shard."""
        digest = self._subject.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()
