"""What was measured once is taken again, under the same code alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from loadtest.quality import kept
from loadtest.quality.courses import VARIANTS, Course
from loadtest.quality.kept import Kept
from loadtest.quality.trial import Outcome, Trial

TRIAL = Trial(course=Course(letter="G", share="G", duration=timedelta(hours=3)), seed=2)
OUTCOME = Outcome(counts={}, events=7, replay_s=1, run_s=2)


def test_an_outcome_is_taken_again_for_the_same_run_alone(tmp_path: Path) -> None:
    """Another seed, course, variant or code is another run."""
    folder = Kept(tmp_path / "runs", "code")
    longer = replace(TRIAL.course, duration=timedelta(hours=4))
    others = (
        replace(TRIAL, seed=4),
        replace(TRIAL, course=longer),
        replace(TRIAL, variant=VARIANTS[0]),
    )

    folder.put(TRIAL, OUTCOME)

    assert folder.of(TRIAL) == OUTCOME
    assert [folder.of(other) for other in others] == [None] * 3
    assert Kept(folder.folder, "other code").of(TRIAL) is None
    assert [path.suffix for path in folder.folder.iterdir()] == [".json"]


def test_half_a_file_is_run_anew(tmp_path: Path) -> None:
    """A full disk leaves no outcome behind."""
    folder = Kept(tmp_path, "code")
    folder.put(TRIAL, OUTCOME)
    [path] = tmp_path.iterdir()

    path.write_bytes(path.read_bytes()[:-3])

    assert folder.of(TRIAL) is None


def test_the_code_is_what_a_run_depends_on(tmp_path: Path) -> None:
    """A limit, a detection or the simulator makes other runs; the report's words do not."""

    def written(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return kept.code(tmp_path)

    before = written("detectors/engine.py", "1")
    limit = written("config/rules.toml", "1")

    assert len({before, limit, written("loadtest/profiles/a.py", "1")}) == 3
    now = written("loadtest/quality/measures.py", "1")
    assert written("loadtest/quality/report.py", "1") == now
    assert written("loadtest/quality/courses.py", "1") == now
    assert written("loadtest/bench/trial.py", "1") == now
    assert written("docs/quality.md", "1") == now
