"""`loginward bench`: how fast detect is, beside others, on this machine, in one run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from loginward_cli.output import columns, done, emit_json, fail, note, say

if TYPE_CHECKING:
    from loadtest.bench.harness import Bench
    from loadtest.bench.latency import Latency

_QUIET = 0.5
"""Load of a machine on which nothing else runs."""


def command(
    *,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Mix normal, few contenders, the guard: below 4 minutes."),
    ] = False,
    mixes: Annotated[
        str | None, typer.Option(help="Only these, with commas: normal,heavy,attack,flood.")
    ] = None,
    contenders: Annotated[
        str | None,
        typer.Option(
            help="Only these, with commas: detect,bare,stock_faust,flink,detect_2_workers,"
            "detect_archive,everything."
        ),
    ] = None,
    events: Annotated[int | None, typer.Option(min=1_000, help="Events of a mix.")] = None,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Runs of each.")] = None,
    latency: Annotated[
        bool, typer.Option("--latency", help="Instead: from login to alert under a steady load.")
    ] = False,
    rate: Annotated[int, typer.Option(min=100, help="With --latency: logins a second.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=5, help="With --latency: for how long.")] = 60.0,
    stop: Annotated[
        float, typer.Option(min=0, help="With --latency: seconds that detect then stands still.")
    ] = 20.0,
    docs: Annotated[
        Path | None,
        typer.Option(help="Write the figures into this page, and beside it.", metavar="FILE.md"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Measure speed, beside bare aiokafka, stock Faust and Flink SQL.

    On an embedded stack of its own (Valkey with AOF always), interleaved, medians told. Run nothing
    else meanwhile: on two cores a neighbour is half of the machine. `--quick` ends with 1 where a
    ratio of docs/performance.json has fallen by more than half. Example:
    loginward bench --mixes normal,attack --docs docs/performance.md
    """
    if docs is not None and docs.suffix != ".md":
        fail(f"--docs {docs}: the page is Markdown; name a file that ends in .md")
    # SIGTERM has to unwind, too, or contenders are left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if latency:
        _latency(rate, seconds, stop, docs, json=json)
        return
    from dataclasses import replace

    from loadtest.bench import record
    from loadtest.bench.contenders import contenders as all_contenders
    from loadtest.bench.harness import Plan, bench
    from loadtest.bench.harness import quick as quick_plan
    from loadtest.bench.mixes import MIXES

    known = all_contenders(note, fetch=not quick)
    plan = quick_plan(known) if quick else Plan(contenders=known)
    if mixes is not None:
        plan = replace(plan, mixes=_chosen("--mixes", mixes, {mix.name: mix for mix in MIXES}))
    if contenders is not None:
        named = {one.name: one for one in known}
        chosen = _chosen("--contenders", contenders, named)
        others = {one.name: "not asked for" for one in known if one not in chosen}
        mixes_left = {n: why for n, why in plan.left_out.items() if n not in named}
        plan = replace(plan, contenders=chosen, left_out=mixes_left | others)
    plan = replace(
        plan,
        events=plan.events if events is None else events,
        repetitions=plan.repetitions if repetitions is None else repetitions,
    )
    recorded = record.load()
    result = bench(plan, note)
    _show(result)
    if docs is not None:
        _write(docs, bench=result)
    if quick and recorded.bench is None:
        note(
            f"nothing to compare with: {record.file_of(record.PAGE)} is not there yet; "
            "`loginward bench --docs docs/performance.md` writes it"
        )
    fallen = record.fallen(result, recorded.bench) if quick else []
    for sentence in fallen:
        say(f"slower: {sentence}")
    if json:
        emit_json(result)
    done(findings=bool(fallen))


def _latency(rate: int, seconds: float, stop: float, docs: Path | None, *, json: bool) -> None:
    from loadtest.bench.latency import Plan, measure

    found = measure(Plan(rate=rate, seconds=seconds, stop=stop), note)
    say(
        f"login to alert at {found.sent_per_s:,.0f} logins/s: p50 {found.p50_ms} ms, p95 "
        f"{found.p95_ms} ms, p99 {found.p99_ms} ms, worst {found.worst_ms} ms "
        f"({found.alerts} alerts)"
    )
    if stop:
        told = "not in time" if found.recovered_s is None else f"after {found.recovered_s} s"
        say(f"caught up {told} with {found.backlog:,} logins of {stop:.0f} s")
    if docs is not None:
        _write(docs, latency=found)
    if json:
        emit_json(found)


def _write(docs: Path, **measured: Bench | Latency) -> None:
    """What was measured now beside what the page has of the rest."""
    from msgspec import structs

    from loadtest.bench import record
    from loadtest.bench.page import write

    write(structs.replace(record.load(docs), **measured), docs)
    say(f"page: {docs}")


def _show(result: Bench) -> None:
    say(
        f"{result.machine.processor}, {result.machine.cores} cores, {result.machine.memory_gb} GB; "
        f"{result.events} events, medians of {result.repetitions} runs, the start left out"
    )
    if result.machine.busy > _QUIET:
        say(f"careful: the machine was busy before (load {result.machine.busy}); compare per cpu s")
    for name, measured in result.mixes.items():
        say(f"\n{name}")
        columns(
            (
                (
                    who,
                    f"{one.events_per_s:,.0f}",
                    f"{one.lowest:,.0f}-{one.highest:,.0f}",
                    f"{one.events_per_cpu_s:,.0f}",
                    f"{one.rss_mb:.0f}",
                    "-" if one.to_detect is None else f"{one.to_detect:.2f}",
                )
                for who, one in measured.items()
            ),
            header=("contender", "events/s", "spread", "per cpu s", "MB", "x detect"),
        )
    for name, why in result.not_run.items():
        say(f"not run: {name}: {why}")


T = TypeVar("T")


def _chosen(option: str, text: str, known: dict[str, T]) -> tuple[T, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            fail(f"{option} {text}: {name!r} is none of {', '.join(known)}")
    return tuple(known[name] for name in names)
