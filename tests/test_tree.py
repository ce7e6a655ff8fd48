"""What is tracked holds no address of a registry, no path of one machine, nothing unfinished."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .checkout import ROOT, tracked_files

# One letter of each stands in brackets, so that this file does not find itself.
FORBIDDEN = {
    "an address of a registry": re.compile(
        r"py[p]i\.org|pytho[n]hosted\.org|(?:repo|repo1|central)\.(?:mave[n]|sonatyp[e])\."
        r"|registry\.np[m]js\.|--(?:extra-)?inde[x]-url|--fin[d]-links",
        re.IGNORECASE,
    ),
    "a path of one machine": re.compile(r"(?<![\w.~$}*-])/(?:wor[k]|roo[t]|User[s]|far[m])/"),
    "something unfinished": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b|NotImplemente[d]Error"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVAT[E] KEY-----"),
}
TEXT = {
    "", ".py", ".md", ".toml", ".lua", ".json", ".yaml", ".yml", ".lock", ".in", ".sh", ".html",
    ".css", ".js", ".svg", ".txt", ".csv", ".sql", ".conf", ".service", ".tpl", ".rules",
}  # fmt: skip
LONGEST_BYTES = 2_000_000


def findings(file: Path, text: str) -> list[str]:
    """What a file must not hold, as `file:line what`."""
    return [
        f"{file}:{number} {what}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_registry_or_one_machine() -> None:
    """Which registry is asked is the user's own client's business, and paths are relative."""
    found: list[str] = []
    for file in tracked_files():
        if file.suffix in TEXT:
            found += findings(file, (ROOT / file).read_text(encoding="utf-8", errors="replace"))

    assert found == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("pip install --inde~x-url x", "an address of a registry"),
        ("https://py~pi.org/simple", "an address of a registry"),
        ("cd /ro~ot/x", "a path of one machine"),
        ("# TO~DO later", "something unfinished"),
        ("-----BEGIN PRIVA~TE KEY-----", "a private key"),
    ],
)
def test_the_search_can_find(line: str, what: str) -> None:
    """Each pattern finds what it is for (the lines are written with a ~ that hides them here)."""
    assert findings(Path("f"), line.replace("~", "")) == [f"f:1 {what}"]


def test_no_tracked_file_is_large_or_generated() -> None:
    """Data is made by the simulator, not carried along."""
    large = [file for file in tracked_files() if (ROOT / file).stat().st_size > LONGEST_BYTES]
    generated = [file for file in tracked_files() if file.suffix in {".pyc", ".whl", ".log"}]

    assert large == []
    assert generated == []


def test_programs_are_executable() -> None:
    """The two commands of the README and CI start without `sh` in front."""
    for name in ("loginward", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name
