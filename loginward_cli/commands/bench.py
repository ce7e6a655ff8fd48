"""`loginward bench`: how fast detect is, beside others, on this machine, in one run."""

from __future__ import annotations

from typing import Annotated, TypeVar

import typer

from loginward_cli.output import columns, emit_json, fail, note, say

_QUIET = 0.5
"""Load of a machine on which nothing else runs."""


def command(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Mix normal and three contenders: below 4 minutes.")
    ] = False,
    mixes: Annotated[
        str | None, typer.Option(help="Only these, with commas: normal,heavy,attack,flood.")
    ] = None,
    contenders: Annotated[
        str | None, typer.Option(help="Only these, with commas: detect,bare,stock_faust.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=1_000, help="Events of a mix.")] = None,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Runs of each.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON, last line.")] = False,
) -> None:
    """Measure speed, beside bare aiokafka, stock Faust and Flink.

    On an embedded stack of its own (Valkey with AOF always), interleaved, medians told. Run nothing
    else meanwhile: on two cores a neighbour is half of the machine.
    """
    from dataclasses import replace

    from loadtest.bench.contenders import CONTENDERS
    from loadtest.bench.harness import Plan, bench
    from loadtest.bench.harness import quick as quick_plan
    from loadtest.bench.mixes import MIXES

    plan = quick_plan() if quick else Plan()
    if mixes is not None:
        plan = replace(plan, mixes=_chosen("--mixes", mixes, {mix.name: mix for mix in MIXES}))
    if contenders is not None:
        named = {one.name: one for one in CONTENDERS}
        plan = replace(plan, contenders=_chosen("--contenders", contenders, named))
    plan = replace(
        plan,
        events=plan.events if events is None else events,
        repetitions=plan.repetitions if repetitions is None else repetitions,
    )
    result = bench(plan, note)
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
    if json:
        emit_json(result)


T = TypeVar("T")


def _chosen(option: str, text: str, known: dict[str, T]) -> tuple[T, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            fail(f"{option} {text}: {name!r} is none of {', '.join(known)}")
    return tuple(known[name] for name in names)
