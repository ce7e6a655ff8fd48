"""The archive's own key: it signs seals and wraps the segments' data keys; made at first start."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from .durable import append_line, make_folder, publish, sync_folder
from .errors import ArchiveError
from .layout import partitions, seals

_END = b"-----END PUBLIC KEY-----\n"
_LONGEST_FILE = 65_536


class ArchiveKeys:
    """Signs, wraps and digests; all from one Ed25519 key (by HKDF-SHA256, RFC 5869)."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.key_id = key_id(self.public)
        self._wrapping = AESGCM(self._derived(b"loginward archive: wrap data keys"))
        self._digesting = self._derived(b"loginward archive: digest records")

    def sign(self, body: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032) of `body`."""
        return self._private.sign(body)

    def wrap(self, data_key: bytes, nonce: bytes, binding: bytes) -> bytes:
        """`data_key` encrypted (AES-256-GCM) for the place `binding`."""
        return self._wrapping.encrypt(nonce, data_key, binding)

    def unwrap(self, wrapped: bytes, nonce: bytes, binding: bytes) -> bytes:
        """The inverse of `wrap`. Raises ArchiveError where key, bytes or place do not fit."""
        try:
            return self._wrapping.decrypt(nonce, wrapped, binding)
        except InvalidTag:
            raise ArchiveError(
                f"{binding.decode()}: its data key cannot be unwrapped with archive key "
                f"{self.key_id}; use the key that sealed it"
            ) from None

    def digest(self, data: bytes) -> str:
        """A keyed 128-bit check of a record: equal records can be told, contents not guessed."""
        return hashlib.blake2b(data, digest_size=16, key=self._digesting).hexdigest()

    def _derived(self, purpose: bytes) -> bytes:
        seed = self._private.private_bytes_raw()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(seed)


def key_id(public: Ed25519PublicKey) -> str:
    """Eight bytes of the key's SHA-256, in hex: what a seal names its signer by."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def public_file(key_file: Path) -> Path:
    """Where the public key lies: beside the private one, free to be copied."""
    return key_file.with_name(f"{key_file.stem}.pub.pem")


def ensure_keys(key_file: Path, archive: Path) -> ArchiveKeys:
    """The key in `key_file`, made (0600) where neither it nor any segment of `archive` exists yet.

    The public key is written beside it. Raises ArchiveError as `load_keys` does, and where the key
    is missing beside sealed segments.
    """
    if not key_file.exists():
        _make(key_file, archive)
    keys = load_keys(key_file)
    _write_public(key_file, keys)
    return keys


def load_keys(key_file: Path) -> ArchiveKeys:
    """The key in `key_file`. Raises ArchiveError where others can read it, or it is no key."""
    return ArchiveKeys(_read(key_file))


def load_public(path: Path) -> Mapping[str, Ed25519PublicKey]:
    """The public keys of a PEM file (one or several), by key id. Raises ArchiveError."""
    try:
        data = path.read_bytes()[:_LONGEST_FILE]
    except OSError as failure:
        raise ArchiveError(
            f"{path}: {failure.strerror}; name the archive's public key with --public-key"
        ) from None
    found = {}
    for block in (data.replace(b"\r\n", b"\n") + b"\n").split(_END)[:-1]:
        try:
            key = load_pem_public_key(block + _END)
        except ValueError as failure:
            raise ArchiveError(f"{path}: {failure}; it must hold PEM public keys") from None
        if isinstance(key, Ed25519PublicKey):
            found[key_id(key)] = key
    if not found:
        raise ArchiveError(f"{path}: holds no Ed25519 public key; name the archive's own")
    return found


def _make(key_file: Path, archive: Path) -> None:
    if any(seals(part.folder(archive)) for part in partitions(archive)):
        raise ArchiveError(
            f"archive.key_file: {key_file} is missing, but {archive} holds sealed segments; "
            "put the key back from its copy: with a new one nobody could read the old accounts"
        )
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    _publish(key_file, pem)


def _publish(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    try:
        publish(path.parent, path.name, data, kind="archive_key")
    except FileExistsError:
        return  # two processes started at once: the first one's key holds
    sync_folder(path.parent)


def _read(key_file: Path) -> Ed25519PrivateKey:
    mode = stat.S_IMODE(key_file.stat().st_mode)
    if mode & 0o077:
        raise ArchiveError(
            f"archive.key_file: {key_file}: mode {mode:04o} lets others read it; chmod 600 it"
        )
    try:
        key = load_pem_private_key(key_file.read_bytes()[:_LONGEST_FILE], password=None)
    except (ValueError, TypeError) as failure:
        raise ArchiveError(
            f"archive.key_file: {key_file}: {failure}; it must be an unencrypted PEM key"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ArchiveError(f"archive.key_file: {key_file}: not an Ed25519 key")
    return key


def _write_public(key_file: Path, keys: ArchiveKeys) -> None:
    path = public_file(key_file)
    pem = keys.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not path.exists():
        _publish(path, pem)
    elif keys.key_id not in load_public(path):
        # The key was replaced: seals of the former one must still be verifiable.
        append_line(path, pem.rstrip(b"\n"))
