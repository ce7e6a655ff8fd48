"""Shows that the trial would notice: small runs with one planted defect each, and one with none."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from config.failpoints import VARIABLE
from config.settings import load
from detectors.errors import LoginwardError

from .compare import Verdict, compare
from .offsets import Offsets
from .pipeline import Pipeline
from .planted import DEFECTS, MARKER, Defect
from .scene import Scene
from .trial import Plan, send

NONE = "none"
"""The run without a defect, killed at the same places."""

EVENTS = 4_000
_PLAN = Plan(events=EVENTS, workers=1, partitions=2, shards=2, bad=20)
_LONGEST_S = 120.0
_SETTINGS = {
    "LOGINWARD_REDIS_SHARDS": str(_PLAN.shards),
    "LOGINWARD_KAFKA_PARTITIONS": str(_PLAN.partitions),
    "LOGINWARD_DETECT_BATCH_RECORDS": "500",
    # A worker that is started again has its partitions at once.
    "LOGINWARD_KAFKA_STATIC_MEMBER_ID": "chaos",
}
_CONTROL = Defect(
    tells="nothing is planted; killed between two steps all the same",
    plant=lambda: None,
    failpoint="store.after_claim=kill@2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a run showed. `ok`: a defect was found, or where there is none nothing was."""

    defect: str
    tells: str
    found_by: str
    ok: bool


def self_test(
    folder: Path,
    say: Callable[[str], None],
    names: Iterable[str] = (),
    advance: Callable[[], None] = lambda: None,
) -> list[Finding]:
    """Run each defect of `names` (default: all) and one run without; one after another."""
    chosen = list(names) or [NONE, *DEFECTS]
    found: list[Finding] = []
    with Pipeline(folder, _SETTINGS) as pipeline:
        for name in chosen:
            defect = _CONTROL if name == NONE else DEFECTS[name]
            say(f"planted {name}: {defect.tells}")
            found.append(_one(pipeline, folder, name, defect, say))
            advance()
    return found


def _one(
    pipeline: Pipeline, folder: Path, name: str, defect: Defect, say: Callable[[str], None]
) -> Finding:
    pipeline.move_to(folder / name, prefix=f"{name.replace('_', '-')}.")
    pipeline.home.mkdir(parents=True)
    (pipeline.home / MARKER).touch()
    kafka = load(environ=pipeline.environment).kafka
    truth = pipeline.folder / "ledger.jsonl"
    send(pipeline, _PLAN, truth)
    scene = Scene(
        pipeline=pipeline,
        kafka=kafka,
        offsets=Offsets(kafka),
        random=random.Random(_PLAN.seed),
        workers=1,
        shards=_PLAN.shards,
        say=say,
    )
    _flush(scene)
    try:
        _run(scene, defect, planted="" if name == NONE else name)
    finally:
        pipeline.stop()
    verdict = asyncio.run(compare(pipeline, kafka, truth, {}, archived=False))
    return _judged(name, defect, verdict)


def _judged(name: str, defect: Defect, verdict: Verdict) -> Finding:
    found = bool(verdict.faults)
    return Finding(
        defect=name,
        tells=defect.tells,
        found_by=verdict.found_by,
        ok=found != (name == NONE),
    )


def _run(scene: Scene, defect: Defect, planted: str) -> None:
    """Worker, then relay; the one with the defect is killed once and started again with it."""
    for name in ("detect-0", "relay"):
        if name.partition("-")[0] != defect.part:
            scene.pipeline.start(name)
        else:
            failpoint = {VARIABLE: defect.failpoint} if defect.failpoint else {}
            scene.pipeline.start(name, failpoint, planted=planted)
            if defect.failpoint:
                _until(scene, lambda name=name: scene.pipeline.ended(name) is not None, "killed")  # type: ignore[misc]
                scene.pipeline.start(name, planted=planted)
        if name == "detect-0":
            _until(scene, lambda: _judged_all(scene), "judged")
    _until(scene, lambda: scene.waiting() == 0, "relayed")


def _judged_all(scene: Scene) -> bool:
    standing = scene.offsets.now()
    return standing is not None and standing.drained("detect") and scene.unsettled() == 0


def _until(scene: Scene, what: Callable[[], bool], called: str) -> None:
    if not scene.wait(what, _LONGEST_S):
        raise LoginwardError(
            f"self-test: not {called} after {_LONGEST_S:.0f} s; the logs are in "
            f"{scene.pipeline.folder}"
        )


def _flush(scene: Scene) -> None:
    client = scene.redis()
    client.flushall()
    client.close()
