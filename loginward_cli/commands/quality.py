"""`loginward quality`: how well campaigns and takeovers are caught, beside two peers."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import columns, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.quality.figures import Figures
    from loadtest.quality.pace import Standing
    from loadtest.quality.result import Quality
    from loginward_cli.output import Advance

_NONE = "none"


def command(
    *,
    profiles: Annotated[
        str, typer.Option(help="Which, with commas, e.g. A,B,G; or none.", metavar="A,B")
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
        typer.Option(
            help="Also judge CrowdSec's hub tests that lie there, and o365spray beside.",
            metavar="FOLDER",
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            min=1_000,
            max=10_000_000,
            help="Also fill a Valkey with so many attacking addresses and weigh it; "
            "with --profiles none, that alone.",
            metavar="ADDRESSES",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Runs at a time; default: as many as cores.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Keep each run's outcome there, and take from there what was run: a measurement "
            "can be stopped and continued.",
            metavar="FOLDER",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Measure recall, false alarms and speed of detection against simulated attacks.

    Each profile is simulated among customers, judged by `replay`, and compared with the simulator's
    ledger; CrowdSec's ssh buckets and fail2ban see the same attempts. Example:
    loginward quality --profiles A,G --seeds 4 --docs docs/quality.md

    All of it takes hours. With --keep it can be stopped, and goes on by the same command:
    loginward quality --keep .loginward/quality
    """
    from msgspec import structs

    from loadtest.quality import hub as hub_tests
    from loadtest.quality import spray
    from loadtest.quality.courses import chosen
    from loadtest.quality.harness import Plan, laid_out, measure, quick_plan
    from loadtest.quality.report import write

    courses, not_run = chosen(_letters(profiles), quick=quick)
    if not courses:
        not_run = {}
    if docs is not None and docs.suffix != ".md":
        fail(f"--docs {docs}: the report is Markdown; name a file that ends in .md")
    if hub is not None and not (hub / "expected.jsonl").is_file():
        fail(f"--hub {hub}: no expected.jsonl there; name the folder of the hub tests")
    if not courses and hub is None and memory is None:
        fail(f"--profiles {profiles}: leaves nothing to measure; name some, --hub or --memory")
    plan = quick_plan(courses, not_run) if quick else Plan(courses=courses, not_run=not_run)
    plan = replace(
        plan,
        keep=keep,
        jobs=jobs or plan.jobs,
        variants=plan.variants if variants else (),
        within_s=plan.within_s if minutes is None else minutes * 60,
        seeds=plan.seeds if seeds is None else _seeds(seeds),
    )
    with progress("runs", len(laid_out(plan, ()))) as done:
        quality = measure(plan, _teller(done))
    if hub is not None:
        with progress("hub tests"):
            quality = structs.replace(quality, hub=hub_tests.measure(hub), spray=spray.measure(hub))
    if memory is not None:
        from loadtest.quality.memory import measure as weigh

        with progress("memory", memory) as done:
            quality = structs.replace(quality, memory=weigh(memory, done))
    _show(quality)
    if docs is not None:
        write(quality, docs, _command(profiles, seeds, quick, variants, hub, memory))
        say(f"report: {docs}")
    if json:
        emit_json(quality)


def _seeds(number: int) -> tuple[int, ...]:
    """A single seed is a reported one: nothing was tuned on it."""
    return (2,) if number == 1 else tuple(range(1, number + 1))


def _teller(done: Advance) -> Callable[[Standing], None]:
    """Moves the bar; where nobody sees one, a line for each run instead."""

    def tell(standing: Standing) -> None:
        done(1, title=f"runs{_left(standing)}")
        if not sys.stderr.isatty() and standing.took_s is not None:
            note(
                f"{standing.done} of {standing.runs} runs{_left(standing)}: "
                f"{standing.name} took {standing.took_s:.0f} s"
            )

    return tell


def _left(standing: Standing) -> str:
    if not standing.left_s:
        return ""
    hours, minutes = divmod(ceil(standing.left_s / 60), 60)
    return f", about {hours} h {minutes} min left" if hours else f", about {minutes} min left"


def _letters(text: str) -> str:
    from loadtest.profile import LETTERS

    if text.strip() == _NONE:
        return ""
    letters = [part.strip().upper() for part in text.split(",")]
    for letter in letters:
        if len(letter) != 1 or letter not in LETTERS:
            fail(f"--profiles {text}: {letter!r} is none of {', '.join(LETTERS)}; or write none")
    return "".join(letters)


def _command(
    profiles: str,
    seeds: int | None,
    quick: bool,
    variants: bool,
    hub: Path | None,
    memory: int | None,
) -> str:
    """The command that measures the same again, without the folders of this machine."""
    from loadtest.profile import LETTERS

    letters = _letters(profiles)
    parts = ["./loginward quality"]
    if letters != LETTERS:
        parts.append(f"--profiles {','.join(letters) or _NONE}")
    parts += ["--quick"] if quick else []
    parts += [] if seeds is None else [f"--seeds {seeds}"]
    parts += [] if variants else ["--no-variants"]
    parts += [] if hub is None else ["--hub crowdsec-hub-tests"]
    parts += [] if memory is None else [f"--memory {memory}"]
    return " ".join([*parts, "--docs docs/quality.md"])


def _show(quality: Quality) -> None:
    from loadtest.quality import hub, memory, spray

    if rows := _rows(quality):
        columns(rows, header=("profile", "who", *(title for title, _ in _COLUMNS)))
    if quality.hub is not None:
        for line in hub.told(quality.hub):
            say(f"hub: {line}")
    if quality.spray is not None:
        say(spray.told(quality.spray))
    if quality.memory is not None:
        for line in memory.lines(quality.memory):
            say(line)
    for name, why in quality.not_run.items():
        say(f"not run: {name}: {why}")
    if not quality.runs:
        return
    kept = f", {quality.kept} of them kept from before" if quality.kept else ""
    say(
        f"{quality.runs} runs{kept}, {quality.events} events: {quality.run_s:.0f} s, all runs "
        f"{quality.cpu_s / 60:.0f} minutes of processor time, at most {quality.rss_mb} MB a "
        f"process; replay at {quality.replay_events_per_s} events/s; seeds reported: "
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
