"""`loginward quality`: how well campaigns and takeovers are caught, beside two peers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import columns, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from loadtest.quality.figures import Figures
    from loadtest.quality.harness import Quality


def command(
    *,
    profiles: Annotated[
        str, typer.Option(help="Which, with commas, e.g. A,B,G.", metavar="A,B")
    ] = "A,B,C,D,E,F,G,H,I",
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Seeds a profile (20); even ones are reported, odd ones tuned."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One small run a profile, below 4 minutes: a look.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Begin nothing that would end later.")
    ] = None,
    variants: Annotated[
        bool, typer.Option(help="Also with the second factor on, and with 55 % failures.")
    ] = True,
    docs: Annotated[
        Path | None,
        typer.Option(help="Write the report here, its plots beside it.", metavar="FILE.md"),
    ] = None,
    hub: Annotated[
        Path | None,
        typer.Option(help="Also judge CrowdSec's hub tests that lie there.", metavar="FOLDER"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Measure recall, false alarms and speed of detection against simulated attacks.

    Each profile is simulated among customers, judged by `replay`, and compared with the simulator's
    ledger; CrowdSec's ssh buckets and fail2ban see the same attempts. Example:
    loginward quality --profiles A,G --seeds 4 --docs docs/quality.md
    """
    from msgspec import structs

    from loadtest.quality import hub as hub_tests
    from loadtest.quality.courses import chosen
    from loadtest.quality.harness import Plan, laid_out, measure, quick_plan
    from loadtest.quality.report import write

    courses, not_run = chosen(_letters(profiles), quick=quick)
    if docs is not None and docs.suffix != ".md":
        fail(f"--docs {docs}: the report is Markdown; name a file that ends in .md")
    if hub is not None and not (hub / "expected.jsonl").is_file():
        fail(f"--hub {hub}: no expected.jsonl there; name the folder of the hub tests")
    plan = quick_plan(courses, not_run) if quick else Plan(courses=courses, not_run=not_run)
    if not variants:
        plan = replace(plan, variants=())
    if minutes is not None:
        plan = replace(plan, within_s=minutes * 60)
    if seeds is not None:
        # A single seed is a reported one: nothing was tuned on it.
        plan = replace(plan, seeds=(2,) if seeds == 1 else tuple(range(1, seeds + 1)))
    with progress("runs", len(laid_out(plan, ()))) as done:
        quality = measure(plan, done, note)
    if hub is not None:
        with progress("hub tests"):
            quality = structs.replace(quality, hub=hub_tests.measure(hub))
    _show(quality)
    if docs is not None:
        write(quality, docs)
        say(f"report: {docs}")
    if json:
        emit_json(quality)


def _letters(text: str) -> str:
    from loadtest.profile import LETTERS

    letters = [part.strip().upper() for part in text.split(",")]
    for letter in letters:
        if len(letter) != 1 or letter not in LETTERS:
            fail(f"--profiles {text}: {letter!r} is none of {', '.join(LETTERS)}")
    return "".join(letters)


def _show(quality: Quality) -> None:
    from loadtest.quality.hub import told

    columns(_rows(quality), header=("profile", "who", *(title for title, _ in _COLUMNS)))
    if quality.hub is not None:
        for line in told(quality.hub):
            say(f"hub: {line}")
    for name, why in quality.not_run.items():
        say(f"not run: {name}: {why}")
    say(
        f"{quality.events} events in {quality.run_s:.0f} s, replay at "
        f"{quality.replay_events_per_s} events/s; seeds reported: "
        + ", ".join(map(str, quality.seeds["reported"]))
    )


_COLUMNS = (
    ("campaigns", "campaign_recall"),
    ("takeovers", "takeover_recall"),
    ("false/5d", "false_campaigns_per_5_days"),
    ("stepped up", "stepped_up_share"),
    ("pages/12h", "pages_per_12h"),
    ("notices/1000", "notices_per_1000_good_logins"),
    ("p50 s", "detect_p50_s"),
    ("p95 s", "detect_p95_s"),
)


def _rows(quality: Quality) -> list[tuple[str, ...]]:
    kinds = [("", quality.profiles, quality.baselines)]
    kinds += [(f" {kind}", v.profiles, v.baselines) for kind, v in quality.variants.items()]
    return [
        (letter + kind, who, *(_told(figures, key) for _, key in _COLUMNS))
        for kind, ours, baselines in kinds
        for letter in ours
        for who, table in ({"loginward": ours} | baselines).items()
        if (figures := table.get(letter)) is not None
    ]


def _told(figures: Figures, key: str) -> str:
    value: float | None = getattr(figures, key)
    if value is None:
        return "-"
    n = figures.intervals[key].n if key.endswith("_recall") else None
    return f"{value:.4g}" if n is None else f"{value:.4g} of {n}"
