"""Secrets come out of files of one line, so that no setting, listing or repr shows them."""

from __future__ import annotations

from pathlib import Path

from detectors.errors import LoginwardError

_LONGEST = 4096


def read_password(setting: str, path: Path) -> str:
    """The password in `path`, without its line end.

    Raises LoginwardError, naming `setting`, where the file cannot be read or holds no one line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as failure:
        raise LoginwardError(
            f"{setting}: {path}: {failure}; it holds one line, the password"
        ) from None
    if not text or "\n" in text or len(text) > _LONGEST:
        raise LoginwardError(f"{setting}: {path}: is not one line; write the password, only that")
    return text
