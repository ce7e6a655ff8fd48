"""An attack on everybody: too many attempts are nobody's, however few each address makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attack_mode import Sensitivity
from ..counting import Hot
from ..events import AS_OF_MS, HOUR_MS
from ..rates import MINUTE_MS
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bad attempts for a hundred good ones after Herley and Schechter (NDSS 2019); 30 accounts and
    addresses beside StopGuessing's idea that many must fail at once; the drift's 8 standard
    deviations are ours (with a slack of half a one, less than one false alarm in 30 days on
    Poisson hours); a burst lasts half an hour on, a drift a day (ours: the fintech case of
    DataDome had low probing first).
    """

    bad_percent: int = 50
    window: timedelta = timedelta(minutes=3)
    accounts: int = 30
    addresses: int = 30
    lasting: timedelta = timedelta(minutes=30)
    drift_deviations: int = 8
    drift_lasting: timedelta = timedelta(hours=24)


_LOOK_AFTER = 8
"""Further failures of the sample after which a log without a burst is looked at again."""


def sensitivity(limits: Limits) -> Sensitivity:
    """The limits as the mode takes them."""
    return Sensitivity(
        bad=limits.bad_percent / 100,
        minutes=max(1, whole_ms(limits.window) // MINUTE_MS),
        accounts=limits.accounts,
        addresses=limits.addresses,
        lasting_ms=whole_ms(limits.lasting),
        drift=float(limits.drift_deviations),
        drift_lasting_ms=whole_ms(limits.drift_lasting),
    )


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Sampled failures in the minutes of a burst, and in hours of drift."""
    burst = Clause(
        part="burst",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.accounts,
        says="attack on {subject} accounts: in each minute of {window} too many attempts are "
        "nobody's, by at least {threshold} accounts; a sample is listed",
    )
    drift = Clause(
        part="drift",
        order="as_of",
        severity="medium",
        window=timedelta(days=1),
        threshold=limits.drift_deviations,
        says="slow attack on {subject} accounts: failures exceed the usual by a sum of at least "
        "{threshold} standard deviations of an hour, within {window} and more; a sample is listed",
    )
    mode = log.mode
    hot: list[Hot] = []
    drifting: list[Hot] = []
    pending = False
    first = 0
    run_ms = max(1, whole_ms(limits.window) // MINUTE_MS) * MINUTE_MS
    for index, at in enumerate(log.at):
        minute = at // MINUTE_MS
        hour = at // HOUR_MS
        if (hour + 1) * HOUR_MS + AS_OF_MS <= log.settled_ms and mode.drifts(hour):
            drifting.append(Hot(index, index))
        if not mode.is_hot(minute) or (
            index + 1 < len(log) and log.at[index + 1] // MINUTE_MS == minute
        ):
            continue
        if (minute + 1) * MINUTE_MS + AS_OF_MS > log.settled_ms:
            pending = True
            continue
        while log.at[first] < (minute + 1) * MINUTE_MS - run_ms:
            first += 1
        hot.append(Hot(first, index))
    lacking = max(_LOOK_AFTER, limits.accounts - len(log))
    return [
        Sighting(burst, hot, 0 if hot else lacking, pending=pending),
        Sighting(drift, drifting, 0 if drifting else lacking),
    ]


RULE = Rule(
    id="global_attack_mode",
    version=1,
    title="An attack on everybody, from everywhere",
    watches=("global",),
    checklist_item="14",
    attack_ids=("T1110.004", "T1110.003", "OAT-008", "OAT-007"),
    known_gaps=(
        "Before a thousand successes of settled days are known, nothing is usual and it is off.",
        "The first minutes of a burst and the first hours of a drift are before it.",
        "What goes on for four days of five becomes what is usual.",
    ),
    limits=Limits,
    judge=judge,
    reads_mode=True,
    mode_limits=sensitivity,
    flags=False,
    role="everybody",
)
