"""`loginward quality` from outside: its JSON line, and refusals that say the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .running import loginward

CONTRACT = {
    "campaign_recall",
    "takeover_recall",
    "false_campaigns_per_5_days",
    "stepped_up_share",
    "pages_per_12h",
    "notices_per_1000_good_logins",
    "detect_p50_s",
    "detect_p95_s",
}


def test_the_last_line_is_the_agreed_json(tmp_path: Path) -> None:
    """Profiles, baselines and not_run, each figure under its agreed name, the report written."""
    done = loginward(
        "quality", "--quick", "--profiles", "h", "--docs", "quality.md", "--json", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"profiles", "baselines", "not_run"} <= set(told)
    for table in (told["profiles"], told["baselines"]["crowdsec"], told["baselines"]["fail2ban"]):
        assert set(table) == {"H"}
        assert set(table["H"]) >= CONTRACT
    assert told["profiles"]["H"]["intervals"]["campaign_recall"]["n"] == 1
    assert told["not_run"]["profiles.A"] == "not asked for"
    assert "# How well loginward detects" in (tmp_path / "quality.md").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profiles", "A,Z"], "--profiles A,Z: 'Z' is none of A, B,"),
        (["--profiles", "AG"], "--profiles AG: 'AG' is none of"),
        (["--docs", "quality.html"], "--docs quality.html: the report is Markdown"),
        (["--profiles", "none"], "--profiles none: leaves nothing to measure"),
        (["--hub", "nowhere"], "--hub nowhere: no expected.jsonl there"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, options: list[str], said: str) -> None:
    """Exit 2 with option, value and way out."""
    done = loginward("quality", *options, cwd=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
