"""The pseudonym key: without it nobody finds a customer again, with another nobody is known."""

from __future__ import annotations

from config.key_files import ensure_key
from config.settings import Settings
from detectors.pseudonyms import Pseudonyms


def load_pseudonyms(settings: Settings) -> Pseudonyms:
    """Pseudonyms under the key of `keys.pseudonym_key_file` (LOGINWARD_PSEUDONYM_KEY_FILE).

    A missing file is made. Raises LoginwardError as `ensure_key`.
    """
    key = ensure_key(
        "keys.pseudonym_key_file (LOGINWARD_PSEUDONYM_KEY_FILE)",
        settings.keys.pseudonym_key_file,
        way_out="Put the copy you kept in its place; a new key cuts the memory of every account",
    )
    return Pseudonyms(key)
