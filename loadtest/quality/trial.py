"""One run of one profile under one seed: simulate, replay, compare with the ledger."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Final

import msgspec

from detectors.errors import LoginwardError, escaped
from loadtest import ledger, rendering
from loadtest.profile import parse
from loadtest.run import Request
from loadtest.simulate import to_path

from . import measures, peer_measures, said, truth
from .counts import Counts
from .courses import Course, Variant
from .crowdsec import CrowdSec
from .fail2ban import Fail2ban

START_MS: Final = round(datetime.fromisoformat("2026-11-16T00:00:00+08:00").timestamp() * 1000)
"""A Monday, midnight in Taipei."""

FIELDS: Final = tuple(
    name
    for name in rendering.OPTIONAL
    if name
    in {
        "account_class",
        "action",
        "channel",
        "device_id",
        "fingerprint",
        "mfa",
        "origin",
        "reason",
        "user_agent",
    }
)
"""What the simulated core systems tell: enough for every detection, without look-ups."""

OPTIONAL: Final = ("--incidents", "--verdicts")
"""Outputs of replay that are measured where this replay has them."""

OURS: Final = "loginward"
_LONGEST: Final = 2_000
_MS: Final = timedelta(milliseconds=1)
_BOTH: Final = (RUSAGE_SELF, RUSAGE_CHILDREN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to run; `outputs` are those of OPTIONAL that replay has."""

    course: Course
    seed: int
    variant: Variant | None = None
    outputs: tuple[str, ...] = OPTIONAL


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial counted, by contender, and how long it took, replay alone and all in all.

    `cpu_s` is its processor time, `rss_mb` the most memory that one of its two processes took.
    """

    counts: dict[str, Counts]
    events: int
    replay_s: float
    run_s: float
    cpu_s: float = 0.0
    rss_mb: int = 0


def run(trial: Trial) -> Outcome:
    """Run it in a folder that is gone afterwards. Raises LoginwardError where replay fails."""
    with tempfile.TemporaryDirectory(prefix="loginward-quality-") as name:
        folder = Path(name)
        events, truths = folder / "events.jsonl", folder / "ledger.jsonl.zst"
        begun, before = time.monotonic(), _cpu_s()
        made = to_path(request(trial), events, truths)
        simulated = time.monotonic()
        outputs = replay(folder, events, trial.outputs)
        replayed = time.monotonic()
        counts = compare(outputs, truths, START_MS + trial.course.learning // _MS)
        return Outcome(
            counts=counts,
            events=made.events,
            replay_s=round(replayed - simulated, 2),
            run_s=round(time.monotonic() - begun, 2),
            cpu_s=round(_cpu_s() - before, 2),
            rss_mb=max(getrusage(who).ru_maxrss for who in _BOTH) // 1024,
        )


def _cpu_s() -> float:
    """Processor time of this process and of those that it has waited for."""
    return sum((used := getrusage(who)).ru_utime + used.ru_stime for who in _BOTH)


def request(trial: Trial) -> Request:
    """What the simulator is asked for."""
    variant = trial.variant
    return Request(
        shares=parse(trial.course.share),
        seed=trial.seed,
        start_ms=START_MS,
        duration_ms=trial.course.duration // _MS,
        scale=trial.course.scale,
        fields=FIELDS,
        second_factor=variant is not None and variant.second_factor,
        failure_share=None if variant is None else variant.failure_share,
    )


def replay(
    folder: Path, events: Path, outputs: Sequence[str], *options: str
) -> dict[str, Path | None]:
    """Judge a file by the command line; where each output lies, None where replay has none such."""
    files = {"--alerts": folder / "alerts.jsonl"}
    files |= {name: folder / f"{name[2:]}.jsonl" for name in outputs}
    named = [text for name, path in files.items() for text in (name, str(path))]
    loginward("replay", str(events), *named, "--reveal", *options, home=folder)
    return {name: files.get(name) for name in ("--alerts", *OPTIONAL)}


def compare(outputs: dict[str, Path | None], truths: Path, since_ms: int) -> dict[str, Counts]:
    """The counts of ours and of both peers, from one pass over the ledger."""
    alerts = outputs["--alerts"]
    if alerts is None:
        raise LoginwardError("replay: wrote no alerts")
    try:
        ours = said.read(alerts, outputs["--incidents"], outputs["--verdicts"])
    except msgspec.DecodeError as wrong:
        raise LoginwardError(f"replay: wrote what is not agreed: {wrong}") from wrong
    peers = (CrowdSec(), Fail2ban())
    real = truth.read(
        ledger.read(truths),
        evidence={name for alert in ours.alerts for name in alert.event_ids},
        asked=ours.asked,
        peers=peers,
        since_ms=since_ms,
    )
    return {OURS: measures.ours(ours, real)} | {
        peer.name: peer_measures.peer(real, peer.name) for peer in peers
    }


def supported() -> tuple[str, ...]:
    """Which of OPTIONAL this replay has, by its own help."""
    with tempfile.TemporaryDirectory(prefix="loginward-quality-") as home:
        text = loginward("replay", "--help", home=Path(home))
    return tuple(name for name in OPTIONAL if name in text)


def loginward(*arguments: str, home: Path) -> str:
    """Run our command line under a home of its own; its output. Raises LoginwardError."""
    done = subprocess.run(
        [sys.executable, "-m", "loginward_cli", *arguments],
        capture_output=True,
        check=False,
        text=True,
        env=_environment(home),
    )
    if done.returncode != 0:
        raise LoginwardError(
            f"loginward {arguments[0]}: exit {done.returncode}: {escaped(done.stderr, _LONGEST)}"
        )
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    """Ours without the user's own settings: a measurement does not depend on an installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGINWARD_")}
    root = str(Path(__file__).resolve().parents[2])
    return kept | {"LOGINWARD_HOME": str(home), "PYTHONPATH": root, "COLUMNS": "200"}
