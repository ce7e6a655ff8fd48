"""What can be wrong with a configuration: a list of problems, all told at once."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.errors import LoginwardError, escaped

_SHOWN = 120
"""Characters of a wrong value that are worth showing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend: where it stands, and what is wrong with a way out."""

    place: str
    text: str

    def __str__(self) -> str:
        """`config/x.toml:14 detect.batch_records: '5mn' is not a whole number; write 5000`."""
        return f"{escaped(self.place, 400)}: {escaped(self.text, 600)}"


class SettingsError(LoginwardError):
    """A configuration that cannot be used; `problems` holds everything that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def shown(value: object) -> str:
    """A wrong value for a message: quoted, escaped, bounded."""
    return escaped(repr(value), _SHOWN)
