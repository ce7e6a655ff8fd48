"""What of a segment is encrypted, and how: one random data key a segment, one key an account in it.

The data key lies wrapped in a small file of its own beside the Parquet file, outside the hash
chain. A key for each account is derived from it, so that one account can later be made unreadable
(its key left out, all others kept) without touching a sealed byte.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode, b64encode
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from detectors.errors import escaped

from .errors import ArchiveError
from .keys import ArchiveKeys

_ACCOUNT_NONCE = bytes(12)
"""Constant: the key of an account in a segment encrypts one account name, once."""


class _KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["loginward-segment-key/1"]
    key_id: str
    nonce: str
    wrapped: str


class SegmentCipher:
    """Encrypts and decrypts (AES-256-GCM) one segment's cells, bound to its place `binding`."""

    def __init__(self, data_key: bytes, binding: str) -> None:
        self._data_key = data_key
        self._binding = binding.encode()
        self.commitment = hashlib.sha256(data_key).hexdigest()
        self._values = AESGCM(self._derived(b"value"))

    @classmethod
    def fresh(cls, binding: str) -> SegmentCipher:
        """With a new random data key."""
        return cls(os.urandom(32), binding)

    @classmethod
    def load(cls, data: bytes, keys: ArchiveKeys, binding: str) -> SegmentCipher:
        """From the bytes of a key file. Raises ArchiveError where it does not fit key or place."""
        try:
            file = msgspec.json.decode(data, type=_KeyFile)
            wrapped = b64decode(file.wrapped, validate=True)
            nonce = b64decode(file.nonce, validate=True)
        except ValueError as failure:
            raise ArchiveError(f"{binding}: not a key file: {failure}") from None
        if file.key_id != keys.key_id:
            raise ArchiveError(
                f"{binding}: sealed with archive key {escaped(file.key_id)}, not {keys.key_id}; "
                "use the key that sealed it"
            )
        return cls(keys.unwrap(wrapped, nonce, binding.encode()), binding)

    def key_file(self, keys: ArchiveKeys) -> bytes:
        """The bytes of the key file: the data key, wrapped."""
        nonce = os.urandom(12)
        wrapped = keys.wrap(self._data_key, nonce, self._binding)
        return msgspec.json.encode(
            _KeyFile(
                format="loginward-segment-key/1",
                key_id=keys.key_id,
                nonce=b64encode(nonce).decode(),
                wrapped=b64encode(wrapped).decode(),
            )
        )

    def encrypt_account(self, pseudonym: str, account: str) -> bytes:
        """An account as typed; call it once an account and segment."""
        return self._of(pseudonym).encrypt(_ACCOUNT_NONCE, account.encode(), self._binding)

    def decrypt_account(self, pseudonym: str, encrypted: bytes) -> str:
        """The inverse of `encrypt_account`. Raises ArchiveError."""
        return self._decrypt(self._of(pseudonym), _ACCOUNT_NONCE, encrypted).decode()

    def encrypt_extra(self, pseudonym: str | None, offset: int, extra: bytes) -> bytes:
        """Unknown fields of the record at `offset`, under its account's key."""
        return self._of(pseudonym).encrypt(_nonce(offset), extra, self._binding)

    def decrypt_extra(self, pseudonym: str | None, offset: int, encrypted: bytes) -> bytes:
        """The inverse of `encrypt_extra`. Raises ArchiveError."""
        return self._decrypt(self._of(pseudonym), _nonce(offset), encrypted)

    def encrypt_value(self, offset: int, value: bytes) -> bytes:
        """The bytes of a record that belongs to no account we could read."""
        return self._values.encrypt(_nonce(offset), value, self._binding)

    def decrypt_value(self, offset: int, encrypted: bytes) -> bytes:
        """The inverse of `encrypt_value`. Raises ArchiveError."""
        return self._decrypt(self._values, _nonce(offset), encrypted)

    def _of(self, pseudonym: str | None) -> AESGCM:
        return AESGCM(self._derived(b"account\0" + (pseudonym or "").encode()))

    def _derived(self, purpose: bytes) -> bytes:
        # Keyed BLAKE2b is a MAC by itself (RFC 7693), at a third of HMAC's cost.
        return hashlib.blake2b(purpose, digest_size=32, key=self._data_key).digest()

    def _decrypt(self, cipher: AESGCM, nonce: bytes, encrypted: bytes) -> bytes:
        try:
            return cipher.decrypt(nonce, encrypted, self._binding)
        except InvalidTag:
            raise ArchiveError(
                f"{self._binding.decode()}: a cell does not decrypt; run "
                "`loginward archive verify` to see whether the segment was altered"
            ) from None


def _nonce(offset: int) -> bytes:
    # The first byte keeps extras apart from the account name under the same key.
    return b"\x01\0\0\0" + offset.to_bytes(8, "big")
