"""What a detection is: metadata, typed limits and one pure function from a log to what is hot in
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal

from .attack_mode import Sensitivity
from .counting import Hot
from .verdicts import NoticeRisk
from .windows import Kind, SubjectLog

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")

Order = Literal["monotone", "as_of"]
"""monotone: a pure function of the set of events, equal for any order of arrival.
as_of: looks at what was known AS_OF_MS before the event; equal up to so much disorder."""

Mode = Literal["staged", "live", "off"]

Role = Literal["attack", "campaign", "everybody", "hit", "deed", "news"]
"""What an alert of a rule is to an incident. attack: somebody attacks. campaign: customers hardly
ever cause it, so it is an incident by itself. everybody: so too, and every alert that opens
meanwhile belongs to it. hit: somebody else knows the password of the accounts it lists. deed: what
was done in an account. news: it says something of a login, and nothing of an attack."""

Shape = Literal["", "stuffing", "enumeration", "targeted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One limit of a detection: `part` names the alerts it raises (clauses of one part share an
    alert).
    """

    part: str
    order: Order
    severity: Severity
    window: timedelta
    threshold: int
    says: str
    """The sentence of the alert; may use {failures}, {accounts}, {subject}, {window},
    {threshold}.
    """
    tells: Literal["last", "all", "nobody"] = "last"
    """Of which logins the customers are told, as the rule's `notice` says: of those at the end of a
    hot window, of all in it, or of none, because the SOC looks first.
    """


NEVER = 1 << 20
"""Lacking: no number of further attempts alone makes this clause see something."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The hot instants of one clause, and how many more attempts at least until it may see a
    first one.
    """

    clause: Clause
    hot: list[Hot]
    lacking: int
    pending: bool = False
    """Whether instants look hot that an `as_of` clause may not judge yet (settled_ms)."""
    log: SubjectLog | None = None
    """Whose entries `hot` counts, where it is not the log that was judged (an address's logins)."""
    declared: int = 0
    """Its place among the rule's clauses, set where a log's judgement is resumed: of equals the
    first decides.
    """
    restless: bool = False
    """Whether what it sees hangs on more than the log (rates of a crowd), so that the log is looked
    at again whenever it has grown, by a later sweep.
    """
    about: bytes | None = None
    """The account the alert is about (its pseudonym), where it is not the log's subject."""


def _silent(_entry: bytes) -> NoticeRisk:
    return "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One detection. Its file owns it; rules.toml sets its limits; its runbook says what to do."""

    id: str
    version: int
    title: str
    watches: tuple[Kind, ...]
    """The kinds of log it judges."""
    checklist_item: str
    """The item of the exchange's audit checklist it serves: 14, 15 or 16."""
    attack_ids: tuple[str, ...]
    """MITRE ATT&CK and OWASP Automated Threats (OAT) ids."""
    known_gaps: tuple[str, ...]
    limits: type[Any]
    """A frozen dataclass: every limit with its default; the field's docstring tells its source."""
    judge: Callable[[SubjectLog, Any], list[Sighting]]
    reads_logins: bool = False
    """Whether `judge` looks at the successes of the address. Without them it must see no less."""
    resumes: bool = False
    """Whether `judge` looks at the instants from `log.since` on alone, each of which depends on
    nothing later; and sees always the same clauses, in the log itself.
    """
    follows: bool = False
    """Whether it looks at when the subject was flagged, and so judges after the others."""
    guarded: bool = False
    """Whether the address's own customers and network weigh on its severity (detectors/guard)."""
    reads_mode: bool = False
    """Whether `judge` asks when an attack on everybody was on."""
    reads_crowd: bool = False
    """Whether `judge` asks how many failed and got in of the network or program."""
    mode_limits: Callable[[Any], Sensitivity] | None = None
    """Of the one detection that sets when it is: its limits as the mode takes them."""
    flags: bool = True
    """Whether its alerts of medium and more make an address or network count as bad."""
    role: Role = "attack"
    """What its alerts are to an incident (detectors/incidents)."""
    shape: Shape = ""
    """The kind of campaign that its alerts speak for, if of any."""
    notice: Callable[[bytes], NoticeRisk] = _silent
    """What the customer is told of the login at the end of a hot window (its entry)."""
    longest: Mapping[str, timedelta] = field(default_factory=dict)
    """Limits that may be longer than a day, and how long: what they look at is kept for longer."""

    @property
    def is_silent(self) -> bool:
        """Whether no customer is ever told of what it sees."""
        return self.notice is _silent


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRule:
    """A rule with the limits, quiet time and mode in force."""

    rule: Rule
    limits: Any
    quiet: timedelta
    mode: Mode

    @property
    def version(self) -> str:
        """`<code version>-<4 hex of the limits>`: another limit is another version, by itself."""
        said = repr(sorted(asdict(self.limits).items())) + repr(self.quiet)
        return f"{self.rule.version}-{hashlib.sha256(said.encode()).hexdigest()[:4]}"


def worst(one: Severity, other: Severity) -> Severity:
    """The higher of two severities."""
    return max(one, other, key=SEVERITIES.index)


def whole_ms(span: timedelta) -> int:
    """A span in the windows' unit, whole milliseconds."""
    return span // timedelta(milliseconds=1)
