"""The runbook of a detection: where it lies, and what it says the alert means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

_MEANINGS = {"zh-TW": "### 意義", "en": "### Meaning"}


@dataclass(frozen=True, slots=True)
class Runbook:
    """`place` in the checkout or package; `meanings` by language, a paragraph and its list."""

    place: str
    meanings: dict[str, str]


def runbook(rule: str) -> Runbook:
    """The runbook of `rule`; without meanings where there is none."""
    path = files("deploy") / "runbooks" / f"{rule}.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = {language: _first(text, title) for language, title in _MEANINGS.items()}
    return Runbook(str(path), {language: said for language, said in found.items() if said})


def _first(text: str, title: str) -> str:
    """The first paragraph under `title`, with the list that it announces by a colon."""
    match = re.search(
        rf"^{re.escape(title)}\n+([^\n]+(?<=[:：])(?:\n- [^\n]+)+|[^\n]+)",
        text,
        flags=re.MULTILINE,
    )
    return match[1] if match else ""
