"""Outcomes of runs in a folder, one small file each: what was measured once is taken again.

A file counts for the same run under the same code alone. Its name holds a fingerprint: of the
trial, and of every file that what a run counts depends on (detectors, limits, replay, simulator,
measures), so that nothing stale gets into a report.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from detectors.errors import LoginwardError

from .trial import Outcome, Trial

_ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDERS: Final = ("config", "detectors", "loadtest", "stream")
_KINDS: Final = frozenset({".py", ".toml", ".lua"})
_BESIDE: Final = frozenset(
    {
        *(f"loadtest/{name}" for name in ("bench", "chaos", "providers")),
        *(
            f"loadtest/quality/{name}.py"
            for name in (
                *("apart", "courses", "figures", "goals", "harness", "hub", "hub_tests"),
                *("intervals", "kept", "memory", "pace", "plots", "report", "result", "spray"),
            )
        ),
    }
)
"""What changes no count of a run: other measurements, and what is made of the counts. A course
counts by what it asks for, which stands in the trial."""


def code(root: Path = _ROOT) -> str:
    """The fingerprint of what runs depend on, in hex."""
    hashed = blake2b(digest_size=16)
    for path in sorted(_files(root)):
        hashed.update(f"{path.relative_to(root)}\0".encode())
        hashed.update(blake2b(path.read_bytes()).digest())
    return hashed.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        for path in (root / folder).rglob("*"):
            inside = path.relative_to(root)
            beside = any(str(part) in _BESIDE for part in (inside, *inside.parents))
            if path.suffix in _KINDS and not beside:
                yield path


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of outcomes, made by the first one, under the code of a fingerprint."""

    folder: Path
    code: str

    def of(self, trial: Trial) -> Outcome | None:
        """The outcome of a trial, if it lies there; what cannot be read is run anew."""
        try:
            return msgspec.json.decode(self._path(trial).read_bytes(), type=Outcome)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, trial: Trial, outcome: Outcome) -> None:
        """Keep one. Raises LoginwardError where the folder takes none."""
        path = self._path(trial)
        half = path.with_suffix(f".{os.getpid()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            half.write_bytes(msgspec.json.encode(outcome))
            half.replace(path)
        except OSError as failure:
            raise LoginwardError(
                f"--keep {self.folder}: {failure.strerror}; name a folder that can be written"
            ) from failure

    def _path(self, trial: Trial) -> Path:
        said = blake2b(self.code.encode(), digest_size=8)
        said.update(msgspec.json.encode(trial))
        kind = "plain" if trial.variant is None else trial.variant.name
        name = f"{trial.course.letter}-{kind}-{trial.seed}-{said.hexdigest()}.json"
        return self.folder / name
