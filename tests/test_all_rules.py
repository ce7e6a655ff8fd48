"""Every detection is whole: its file, its limits, its timelines and its runbook agree."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from dataclasses import fields
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from config.durations import written
from config.rules import DEFAULT, load_rules, told
from detectors import rules as rules_package
from detectors.rule import SEVERITIES, Clause, Rule
from detectors.rules import RULES
from detectors.windows import SubjectLog
from tests.checkout import ROOT
from tests.detectors.rules.timelines import COMPULSORY, family

RUNBOOKS = ROOT / "deploy" / "runbooks"
ATTACK_ID = re.compile(r"T\d{4}(\.\d{3})?|OAT-0\d{2}")
SOURCES = re.compile(
    r"Wazuh|Splunk|Elastic|CrowdSec|Rauthy|Auth0|fail2ban|StopGuessing|Microsoft|OWASP|Panther"
    r"|Okta|Wiefling"
)
"""Whose number a limit may be: peers, standards and papers of DETECTIONS.md 5."""
SAID = {
    "failures": "3",
    "accounts": "2",
    "successes": "4",
    "actions": "6",
    "ips": "5",
    "subject": "192.0.2.1",
    "where": "192.0.2.2",
    "threshold": "1",
    "window": "2 minutes",
}
"""What the sentence of an alert may use (detectors/findings)."""
SECTIONS = {
    "## 中文": ("### 意義", "### 先查三件事", "### 常見誤報", "### 處理"),
    "## English": (
        "### Meaning",
        "### First three checks",
        "### False positives",
        "### What to do",
    ),
}
OF_THE_SYSTEM = frozenset({"canary_missing", "pipeline_lag", "source_silent"})
"""Runbooks for the pipeline's own troubles, of no detection; listed by hand."""
OF_PEOPLE = frozenset({"customer_denied", "allowlist_hides_attack"})
"""Runbooks of alerts that no detection raises: a customer's answer, an allow-list entry."""
FIELDS = ("counts.", "subject.value", "opened_at", "alert_id", "rule")
"""Words of an alert that whoever reads a runbook must find in it."""

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def _module(rule: Rule) -> ModuleType:
    return import_module(f"detectors.rules.{rule.id}")


def _clauses(rule: Rule) -> list[Clause]:
    """The clauses of every kind of log that the rule watches."""
    limits = rule.limits()
    found = [
        sighting.clause
        for kind in rule.watches
        for sighting in rule.judge(SubjectLog.of(b"", kind=kind), limits)
    ]
    assert found
    return found


def _sections(text: str) -> dict[str, str]:
    """Headings of any depth, and what stands under each up to the next."""
    parts = re.split(r"^(#+ .+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _front_matter(text: str) -> dict[str, str]:
    _, head, _ = text.split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines())


def test_no_detection_is_left_out() -> None:
    """A file in detectors/rules that is not found would be a silent hole."""
    folder = Path(inspect.getfile(rules_package)).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}

    assert {rule.id for rule in RULES} == files
    assert len(RULES) == len(files)


@every_rule
def test_metadata_is_complete(rule: Rule) -> None:
    """Title, version, checklist item, attack ids and known gaps stand in the detection's file."""
    assert _module(rule).RULE is rule
    assert rule.version >= 1
    assert 10 < len(rule.title) < 80
    assert rule.checklist_item in {"14", "15", "16"}
    assert rule.attack_ids
    assert all(ATTACK_ID.fullmatch(number) for number in rule.attack_ids)
    assert {number[:3] for number in rule.attack_ids} >= {"OAT"}
    assert rule.known_gaps
    assert all(gap.endswith(".") and len(gap) > 20 for gap in rule.known_gaps)
    assert (_module(rule).__doc__ or "").strip().endswith(".")


@every_rule
def test_every_limit_is_typed_frozen_and_has_its_source(rule: Rule) -> None:
    """Limits are counts or spans, cannot change, and the docstring says whose they are."""
    for part in fields(rule.limits):
        default = getattr(rule.limits(), part.name)
        assert isinstance(default, int | timedelta), part.name
    with pytest.raises(AttributeError):
        setattr(rule.limits(), fields(rule.limits)[0].name, 1)
    assert SOURCES.search(rule.limits.__doc__ or "")


@every_rule
def test_clauses_are_well_formed(rule: Rule) -> None:
    """Each clause names order, severity, window and limit, and speaks a whole sentence."""
    limits = rule.limits()
    values = [getattr(limits, part.name) for part in fields(limits)]
    for clause in _clauses(rule):
        assert clause.severity in SEVERITIES
        assert clause.order in {"monotone", "as_of"}
        assert clause.threshold in values
        assert clause.window in values or clause.window == timedelta(days=1)
        spoken = clause.says.format_map(SAID)
        assert "192.0.2.1" in spoken
        assert "at least 1" in spoken
        assert "2 minutes" in spoken


@every_rule
def test_the_file_sets_what_the_code_defaults_to(rule: Rule) -> None:
    """rules.toml lists every limit, and the same number as the detection's file."""
    content = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))

    assert set(content) == {rule.id for rule in RULES}
    assert set(content[rule.id]["limits"]) == set(told(rule.limits()))
    assert load_rules().entries[rule.id].limits == rule.limits()
    assert f"Item {rule.checklist_item}:" in content[rule.id]["reason"]


@every_rule
def test_the_twin_has_every_compulsory_timeline(rule: Rule) -> None:
    """tests/detectors/rules/test_<id>.py has each case by name in its TIMELINES, and runs all."""
    path = ROOT / "tests" / "detectors" / "rules" / f"test_{rule.id}.py"
    twin: Any = import_module(f"tests.detectors.rules.test_{rule.id}")
    lists = {name: value for name, value in vars(twin).items() if name.endswith("TIMELINES")}

    assert "TIMELINES" in lists
    named = {timeline.id for timelines in lists.values() for timeline in timelines}
    assert set(COMPULSORY[family(rule)]) <= named
    assert (twin.__doc__ or "").startswith(rule.id)
    parametrized = [
        ast.unparse(decorator)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for decorator in node.decorator_list
    ]
    for name in lists:
        assert any(decorator.endswith(f", {name})") for decorator in parametrized), name


def test_every_kind_of_detection_has_its_timelines() -> None:
    """No list of compulsory timelines is left without a detection, and none has doubles."""
    assert {family(rule) for rule in RULES} == set(COMPULSORY)
    for names in COMPULSORY.values():
        assert len(set(names)) == len(names) > 10


@every_rule
def test_the_runbook_belongs_to_the_rule(rule: Rule) -> None:
    """Front matter names the rule, its item, attacks, severities and every limit in force."""
    head = _front_matter((RUNBOOKS / f"{rule.id}.md").read_text(encoding="utf-8"))
    clauses = _clauses(rule)

    assert head["rule"] == rule.id
    assert head["checklist_item"] == rule.checklist_item
    assert head["attack_ids"] == f"[{', '.join(rule.attack_ids)}]"
    assert set(head["severity"].split(", ")) == {clause.severity for clause in clauses}
    limits = dict(limit.split(" ") for limit in head["limits"].split(", "))
    assert {name: value.replace("24h", "1d") for name, value in limits.items()} == told(
        rule.limits()
    )


@every_rule
def test_the_runbook_can_be_followed_in_both_languages(rule: Rule) -> None:
    """Meaning, three checks, false positives and what to do: in Chinese and in English."""
    text = (RUNBOOKS / f"{rule.id}.md").read_text(encoding="utf-8")
    sections = _sections(text)

    for language, headings in SECTIONS.items():
        assert language in sections
        for heading in headings:
            assert len(sections[heading].strip()) > 60, heading
        checks = sections[headings[1]]
        assert re.findall(r"^(\d)\. ", checks, flags=re.MULTILINE) == ["1", "2", "3"]
        told_there = "".join(sections[heading] for heading in headings)
        assert all(word in told_there for word in FIELDS)
        assert f"[{rule.id}.limits]" in told_there
    assert rule.title in text
    assert all(number in text for number in rule.attack_ids)


@every_rule
def test_numbers_in_the_runbook_are_those_in_force(rule: Rule) -> None:
    """Both languages speak of the windows that rules.toml sets."""
    text = (RUNBOOKS / f"{rule.id}.md").read_text(encoding="utf-8")
    chinese, english = text.split("## English")
    units = {"m": ("分鐘", "minutes"), "h": ("小時", "hours")}

    for part in fields(rule.limits):
        value = getattr(rule.limits(), part.name)
        if isinstance(value, timedelta):
            number, unit = written(value)[:-1], written(value)[-1]
            if unit == "d":
                number, unit = str(24 * int(number)), "h"
            chinese_unit, english_unit = units[unit]
            assert f"{number} {chinese_unit}" in chinese, part.name
            english_unit = english_unit.rstrip("s") if number == "1" else english_unit
            assert f"{number} {english_unit}" in english, part.name
        elif part.name != "tries_an_account":
            assert str(value) in chinese, part.name
            assert str(value) in english, part.name


def test_no_runbook_is_left_over() -> None:
    """A runbook without a rule would be followed for an alert that does not exist."""
    names = {path.stem for path in RUNBOOKS.glob("*.md")}

    assert names - OF_THE_SYSTEM - OF_PEOPLE == {rule.id for rule in RULES}
    for name in names & OF_PEOPLE:
        told_there = _front_matter((RUNBOOKS / f"{name}.md").read_text(encoding="utf-8"))
        assert told_there["rule"] == name
    for name in names & OF_THE_SYSTEM:
        head, _, _ = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8").partition("# ")
        assert "rule:" not in head
