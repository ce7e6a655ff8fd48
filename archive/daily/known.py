"""What is known beside the logins themselves: customers, places, proxies; each looked up once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive.cipher import SegmentCipher
from archive.errors import ArchiveError
from archive.keys import ArchiveKeys
from archive.read import cipher_of
from detectors.facts import NOWHERE, Directory, Origins, Place
from detectors.networks import NO_NETWORKS, Networks

from .files import LoginFile

_NON_CUSTOMER = ("unknown", "closed")
"""As in `detectors.facts`; a test holds the two equal."""


@dataclass(slots=True, kw_only=True)
class Known:
    """Directory, places and proxies as handed in; `versions` names them in the record."""

    directory: Directory | None = None
    origins: Origins | None = None
    networks: Networks = NO_NETWORKS
    versions: Mapping[str, str] = field(default_factory=dict)
    _strangers: dict[str, bool] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)

    def place(self, address: str) -> Place:
        """Where an address lies; nowhere where nobody tells."""
        if self.origins is None:
            return NOWHERE
        found = self._places.get(address)
        if found is None:
            found = self._places[address] = self.origins.look_up(address)
        return found

    def as_names(self) -> dict[int, str]:
        """The owners' names of the AS numbers met so far."""
        return {
            place.asn: place.as_name
            for _, place in sorted(self._places.items())
            if place.asn is not None and place.as_name
        }

    def strangers(
        self,
        accounts: Iterable[tuple[str, bytes, str]],
        files: Mapping[str, LoginFile],
        root: Path,
        keys: ArchiveKeys | None,
    ) -> list[str]:
        """Of (pseudonym, ciphertext, file) those whom the directory does not hold as customers.

        The directory knows accounts as typed alone, so they are decrypted, and kept nowhere.
        Raises ArchiveError where a directory is given and the key is not.
        """
        if self.directory is None:
            return []
        ciphers: dict[str, SegmentCipher] = {}
        found = []
        for pseudonym, encrypted, path in accounts:
            stranger = self._strangers.get(pseudonym)
            if stranger is None:
                if path not in ciphers:
                    ciphers[path] = _cipher(root, files[path], keys)
                account = ciphers[path].decrypt_account(pseudonym, encrypted)
                listed = self.directory.look_up(account)
                # As in detectors.facts: an alias in no list is known to be nobody's.
                stranger = listed is None or listed.account_class in _NON_CUSTOMER
                self._strangers[pseudonym] = stranger
            if stranger:
                found.append(pseudonym)
        return found


def _cipher(root: Path, file: LoginFile, keys: ArchiveKeys | None) -> SegmentCipher:
    if keys is None:
        raise ArchiveError(
            f"{file.path}: who is a customer can be asked of accounts as typed alone, and "
            "archive.key_file is not here; produce the record where the key is"
        )
    return cipher_of(root, file.part, file.seal, keys)
