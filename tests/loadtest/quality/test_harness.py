"""The whole way round: simulate, replay in a process of its own, compare, report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from loadtest.profile import known
from loadtest.quality import apart, harness, trial
from loadtest.quality.courses import FULL, QUICK, VARIANTS, Course, chosen
from loadtest.quality.harness import Plan, laid_out, measure, quick_plan
from loadtest.quality.pace import Standing
from loadtest.quality.report import write
from loadtest.quality.result import Quality, reported
from loadtest.quality.trial import Outcome, Trial

SMALL = (
    Course(
        letter="A",
        share="A:0.05@30m+G",
        duration=timedelta(hours=2),
        scale=0.2,
        learning=timedelta(minutes=30),
    ),
    Course(letter="G", share="G", duration=timedelta(hours=3), scale=0.2),
)


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of this file are kept."""
    return tmp_path_factory.mktemp("quality") / "runs"


@pytest.fixture(scope="module")
def quality(keep: Path) -> Quality:
    """Two seeds of two small profiles."""
    plan = Plan(courses=SMALL, seeds=(1, 2), variants=(), keep=keep, not_run={"x": "why"})
    return measure(plan)


def test_both_profiles_and_both_peers_are_measured(quality: Quality) -> None:
    """A datacenter's campaign among customers is caught by all three; G has nothing to catch."""
    ours, peers = quality.profiles, quality.baselines

    assert set(ours) == set(quality.tuning) == {"A", "G"}
    assert set(peers) == set(quality.tuning_baselines) == {"crowdsec", "fail2ban"}
    assert ours["A"].campaign_recall == peers["fail2ban"]["A"].campaign_recall == 1
    assert ours["A"].attempt_attribution is not None
    assert ours["G"].campaign_recall is None
    assert ours["G"].good_logins > 0
    assert quality.seeds == {"tuning": [1], "reported": [2]}
    assert quality.not_run["x"] == "why"


def test_the_same_seeds_give_the_same_figures(quality: Quality) -> None:
    """Whatever runs beside it, a figure depends on seed and profile alone."""
    again = measure(Plan(courses=SMALL[:1], seeds=(2,), variants=()))

    assert again.profiles["A"] == quality.profiles["A"]
    assert again.baselines["crowdsec"]["A"] == quality.baselines["crowdsec"]["A"]


def test_what_was_stopped_is_continued(quality: Quality, keep: Path) -> None:
    """What lies there is not run again, what is missing is, and the figures are the same."""
    [path] = keep.glob("A-plain-2-*.json")
    path.unlink()
    heard: list[Standing] = []
    plan = Plan(courses=SMALL, seeds=(1, 2), variants=(), keep=keep)

    again = measure(plan, heard.append)

    assert (again.runs, again.kept) == (4, 3)
    assert (again.profiles, again.tuning) == (quality.profiles, quality.tuning)
    assert [one.name for one in heard if one.took_s is not None] == ["profiles.A seed 2"]
    assert (heard[-1].done, heard[-1].runs, heard[-1].left_s) == (4, 4, 0)
    assert path.exists()


def test_what_changes_while_it_is_measured_is_no_measurement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Runs of two versions never stand in one figure, and none is kept under the wrong one."""
    versions = iter(["before", "after"])
    monkeypatch.setattr(harness, "code", lambda: next(versions))
    monkeypatch.setattr(apart, "run", lambda _: Outcome(counts={}, events=1, replay_s=1, run_s=1))
    plan = Plan(courses=SMALL[1:], seeds=(2,), variants=(), keep=tmp_path)

    with pytest.raises(LoginwardError, match="in a checkout that nobody edits"):
        measure(plan)

    assert list(tmp_path.iterdir()) == []


def test_a_run_in_a_process_of_its_own_says_why_it_failed() -> None:
    """What cannot be simulated is named; nothing of it is a figure."""
    wrong = replace(SMALL[0], share="A@9d")

    with pytest.raises(LoginwardError, match="A begins after"):
        apart.run(Trial(course=wrong, seed=1))


def test_the_report_names_every_figure_and_draws_it(quality: Quality, tmp_path: Path) -> None:
    """Table, goals, definitions and plots that are well-formed XML."""
    write(quality, tmp_path / "quality.md", "./loginward quality")

    text = (tmp_path / "quality.md").read_text()
    plots = sorted((tmp_path / "quality").glob("*.svg"))
    assert "| A | crowdsec |" in text
    assert "A *page* is what wakes an analyst" in text
    assert "- x: why" in text
    assert "./loginward quality" in text
    assert "| A | campaigns caught | at least 100 % | **100 %**" in text
    assert plots
    for plot in plots:
        assert f"quality/{plot.name}" in text
        assert ET.fromstring(plot.read_text()).tag.endswith("svg")  # noqa: S314 (our own file)


def test_when_time_is_over_the_rest_is_named_as_not_run() -> None:
    """A slow machine gets fewer figures, never figures that were not measured."""
    moments = iter([0.0, 0.0, 500.0, 500.0, 500.0])
    plan = replace(Plan(courses=SMALL, seeds=(2, 4), variants=()), jobs=1, within_s=100)

    quality = measure(plan, clock=lambda: next(moments))

    assert set(quality.profiles) == {"A"}
    assert quality.profiles["A"].runs == 1
    assert {"profiles.G seed 2", "profiles.A seed 4", "profiles.G seed 4"} <= set(quality.not_run)


def test_a_trial_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What replay said on its way out stands in the error, escaped."""
    with pytest.raises(LoginwardError, match=r"loginward replay: exit 2: .*no-such-file"):
        trial.replay(tmp_path, tmp_path / "no-such-file", ())


def test_profiles_of_a_plan() -> None:
    """Asked for, known and laid out; the others with their reason."""
    courses, not_run = chosen("A", quick=True)

    assert [course.letter for course in courses] == ["A"]
    assert not_run["profiles.G"] == "not asked for"
    assert set(FULL) == set(QUICK)


def test_the_order_of_trials() -> None:
    """Every profile once before the next seed; variants on reported seeds, where they apply."""
    plan = Plan(courses=SMALL, seeds=(1, 2))

    found = [
        (one.seed, one.course.letter, one.variant and one.variant.name)
        for one in laid_out(plan, ())
    ]

    assert found == [
        (1, "A", None),
        (1, "G", None),
        (2, "A", None),
        (2, "G", None),
        (2, "A", "second_factor"),
        (2, "G", "half_fail"),
    ]
    assert [one.seed for one in laid_out(quick_plan(SMALL, {}), ())] == [2, 2]


def test_what_is_long_is_run_under_fewer_seeds() -> None:
    """A profile says how many of each half; a variant, how many of the reported ones."""
    long = replace(SMALL[1], reported=2, tuned=1)
    variant = replace(VARIANTS[0], letters="A", seeds=1)

    found = laid_out(Plan(courses=(SMALL[0], long), seeds=(1, 2, 3, 4), variants=(variant,)), ())

    assert [one.seed for one in found if one.course is long] == [1, 2, 4]
    assert [one.seed for one in found if one.variant] == [2]
    found = [one for one in found if not one.variant]
    assert [one.seed for one in found if one.course is not long] == [1, 2, 3, 4]


def test_reported_seeds_are_never_tuned_on() -> None:
    """Even seeds are reported, odd ones are for tuning."""
    assert [reported(seed) for seed in (1, 2, 3, 4)] == [False, True, False, True]


def test_a_variant_reaches_the_simulator() -> None:
    """A trial asks for what its name says."""
    second, half = (trial.request(Trial(course=SMALL[0], seed=7, variant=v)) for v in VARIANTS)

    assert (second.second_factor, second.failure_share) == (True, None)
    assert (half.second_factor, half.failure_share) == (False, 0.55)
    assert (second.seed, second.scale) == (7, 0.2)


def test_every_course_can_be_simulated() -> None:
    """What is laid out for a profile that there is, begins and ends within its run."""
    for table in (FULL, QUICK):
        for letter in known():
            asked = trial.request(Trial(course=table[letter], seed=1))
            spans = [share.span_ms(asked.span_ms) for share in asked.shares]
            assert all(length > 0 for _, length in spans), letter


def test_a_file_that_is_not_what_was_agreed_is_named(tmp_path: Path) -> None:
    """A renamed field in an alert is an error of the measurement, not an alert less."""
    (tmp_path / "alerts.jsonl").write_text('{"alert_id":"a"}\n')
    outputs = {"--alerts": tmp_path / "alerts.jsonl", "--incidents": None, "--verdicts": None}

    with pytest.raises(LoginwardError, match=r"wrote what is not agreed: .*rule"):
        trial.compare(outputs, tmp_path / "none", 0)
