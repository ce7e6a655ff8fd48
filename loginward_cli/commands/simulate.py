"""`loginward simulate`: an attack, a quiet day, or both, into a file or into Kafka."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.durations import parse_duration
from detectors.events import milliseconds
from loginward_cli.output import done, emit_json, fail, note, say

if TYPE_CHECKING:
    from loadtest.run import Request
    from loadtest.simulate import Summary

_QUIET_MONDAY = "2026-11-16T00:00:00+08:00"


def command(
    *,
    profile: Annotated[
        str,
        typer.Option(
            help="A to I, or several: A:0.02@6h+G is A at a fiftieth of its volume from the 6th "
            "hour on, beside the customers of G.",
            metavar="P[+P...]",
        ),
    ] = "A+G",
    seed: Annotated[int, typer.Option(help="Same seed and options, same bytes.")] = 1,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="JSON Lines; - for stdout.", metavar="FILE")
    ] = None,
    to_kafka: Annotated[bool, typer.Option("--to-kafka", help="Into the topic logins.")] = False,
    events: Annotated[
        int | None, typer.Option(min=1, help="Exactly so many events (duplicates on top).")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="Event time, e.g. 15h; default: the profile's own.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Events a second of event time, on average.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Times the profile's own volume, without --events and --rate.")
    ] = 1.0,
    speedup: Annotated[
        float | None,
        typer.Option(
            help="To Kafka at so many times the events' own pace; default 1 with --rate, "
            "else as fast as Kafka takes them."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=f"First moment, RFC 3339; default {_QUIET_MONDAY}, to Kafka such that the run "
            "is now.",
            metavar="TIME",
        ),
    ] = None,
    disorder: Annotated[
        str, typer.Option(help="Each event comes up to so much late, e.g. 60s.")
    ] = "0s",
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events delivered twice.")
    ] = 0.0,
    bad: Annotated[int, typer.Option(min=0, help="Unreadable records to plant.")] = 0,
    ledger: Annotated[
        Path | None,
        typer.Option(help="The truth about each record; .zst compresses.", metavar="FILE"),
    ] = None,
    fields: Annotated[
        str,
        typer.Option(
            help="Optional fields: none, all, or names with commas. With action (in all), "
            "sessions order, bind devices and so on."
        ),
    ] = "origin",
    failure_share: Annotated[
        float | None,
        typer.Option(
            help="Share of customers' attempts that fail: about 0.19 by their own mistakes "
            "(default), 0.55 in the RBA data set."
        ),
    ] = None,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="A thief's hits end as mfa_failed.")
    ] = False,
    customers: Annotated[int | None, typer.Option(min=1, help="Size of the customer base.")] = None,
    systems: Annotated[
        str | None, typer.Option(help="Core systems for web,app,phone (fewer: shared).")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Another topic than logins.")] = None,
    customers_csv: Annotated[
        Path | None,
        typer.Option(help="The customer list too, for customers load.", metavar="FILE"),
    ] = None,
    separation: Annotated[
        bool,
        typer.Option(
            help="Instead of a run: how far each single field tells attack from customers (AUC), "
            "exit 1 beyond 0.7; --fields is all."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as JSON, last line.")] = False,
) -> None:
    """Make a simulated attack or a quiet day (profiles A to I).

    --scale changes volume: attempts, addresses and customers together; what each address does,
    and for how long, stays. --duration cuts a campaign off; addresses that would stay in use
    longer make the same number of attempts in the time there is. Example:
    loginward simulate --profile B:0.18+G --scale 0.1 --duration 1d --fields all -o b.jsonl
    """
    from loadtest.profile import SYSTEMS, parse
    from loadtest.rendering import parse_fields
    from loadtest.run import Request

    if separation and (out is not None or to_kafka):
        fail("simulate --separation: measures and writes no events; leave -o and --to-kafka out")
    listed = separation or customers_csv is not None
    if (out is None) == (not to_kafka) and (to_kafka or not listed):
        fail("simulate: where to? write -o FILE, -o - for standard output, or --to-kafka")
    if json and str(out) == "-":
        fail("simulate --json: standard output carries the events already; name a file by -o")
    request = Request(
        shares=parse(profile),
        seed=seed,
        start_ms=0,
        events=events,
        duration_ms=None if duration is None else _span("--duration", duration),
        rate=rate,
        scale=scale,
        customers=customers,
        systems=SYSTEMS if systems is None else tuple(systems.split(",")),
        fields=parse_fields("all" if separation else fields),
        second_factor=second_factor,
        failure_share=failure_share,
        disorder_ms=_span("--disorder", disorder),
        duplicates=duplicates,
        bad=bad,
    )
    if customers_csv is not None:
        _list(_starting(request, start or _QUIET_MONDAY), customers_csv)
    if separation:
        _separation(_starting(request, start or _QUIET_MONDAY), json=json)
    if out is None and not to_kafka:
        return
    if to_kafka:
        pace = 1.0 if speedup is None and rate is not None else speedup
        summary = _into_kafka(_starting(request, start, pace=pace), topic, pace, ledger)
    else:
        summary = _into_file(_starting(request, start or _QUIET_MONDAY), out or Path("-"), ledger)
    said = asdict(summary)
    note(", ".join(f"{value:,.0f} {name}" for name, value in said.items()))
    if json:
        emit_json(said)


def _list(request: Request, path: Path) -> None:
    from loadtest.customer_list import write_list

    note(f"{write_list(request, path):,} customers in {path}")


def _separation(request: Request, *, json: bool) -> None:
    from loadtest.separation import EXEMPT, LIMIT, measure, too_far

    measured = measure(request)
    fields = measured.fields()
    said = f"{measured.records['attack']:,} attack and {measured.records['benign']:,} benign"
    say(f"{said} records; AUC 0.5 tells nothing, 1 everything")
    say(f"{'field':15} {'AUC':5}  {'best reading':18} {'before':6} which")
    for name, one in fields.items():
        history = [f"{value:.3f}" for value in (one.before, one.which) if value is not None]
        say(f"{name:15} {one.auc:.3f}  {one.reading:18} {'  '.join(history)}".rstrip())
    beyond = too_far(fields)
    told = ", ".join(beyond) or f"none but {' and '.join(EXEMPT)}"
    say(f"beyond {LIMIT} by itself: {told}")
    if json:
        emit_json(
            {
                "records": dict(measured.records),
                "fields": {name: asdict(one) for name, one in fields.items()},
                "beyond": beyond,
            }
        )
    done(findings=bool(beyond))


def _into_file(request: Request, out: Path, ledger: Path | None) -> Summary:
    from loadtest.simulate import to_path

    return to_path(request, out, ledger)


def _into_kafka(
    request: Request, topic: str | None, speedup: float | None, ledger: Path | None
) -> Summary:
    from config.kafka import ensure_topics, topic_name
    from config.settings import load
    from loadtest.simulate import to_topic
    from loadtest.to_kafka import Target
    from stream.keys import load_pseudonyms

    settings = load()
    if topic is None:
        ensure_topics(settings.kafka)
        topic = topic_name(settings.kafka, "logins")
    target = Target(kafka=settings.kafka, topic=topic, pseudonyms=load_pseudonyms(settings))
    return to_topic(request, target, speedup=speedup, ledger=ledger)


def _starting(request: Request, start: str | None, pace: float | None = None) -> Request:
    """The request from its first moment on; without one, a run that is (or just was) now."""
    if start is None:
        now_ms = int(time.time()) * 1000
        live = pace is not None and pace <= 1
        return replace(request, start_ms=now_ms if live else now_ms - request.span_ms)
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        fail(f"--start {start}: is no time with an offset; write {_QUIET_MONDAY}")
    return replace(request, start_ms=milliseconds(at))


def _span(option: str, text: str) -> int:
    """A duration in milliseconds."""
    try:
        return parse_duration(text) // timedelta(milliseconds=1)
    except ValueError as wrong:
        fail(f"{option} {text}: {wrong}")
