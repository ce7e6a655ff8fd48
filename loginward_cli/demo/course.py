"""The course of a demo: servers, pipeline, customers, attack, reckoning; nothing outlives it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from config.kafka import ensure_topics
from config.settings import Settings, load
from console.live import LiveFeed
from console.live_lines import incident_line
from deploy.embedded import Console, Stack
from loadtest.profile import parse
from loginward_cli.logs import set_up
from loginward_cli.output import note
from stream.keys import load_pseudonyms

from . import reckoning
from .children import Children, left_running
from .folder import DemoFolder, demo_settings, opened, write_config
from .options import Options
from .places import commands
from .show import Lines, screen
from .signals import Ending
from .stage import Marks, Stage, first_alert_ms, wait_for
from .summary import Summary, Times
from .telling import Telling
from .traffic import Plan, Traffic, customers

REST_WITHIN_S = 60.0
"""For what is left when the traffic ends: a worker killed just before is back in some 10 s."""

_SHORT_S = 300.0


def run(options: Options, settings: Settings, home: Path) -> tuple[Summary, list[str]]:
    """One demo from start to summary, and commands with which to look around afterwards.

    Raises LoginwardError and StackError with a sentence for a person; SystemExit on SIGTERM.
    """
    marks = Marks()
    plan = _plan(options)  # first of all: a typing error must not cost a start
    with Ending() as ending, opened(settings, keep=options.keep) as folder, _own_log(folder):
        with ExitStack() as running:
            stage = _set_up(options, plan, settings, folder, home, marks, running)
            _watch(stage, ending)
            summary = _reckon(stage)
        summary = replace(
            summary,
            left_running=left_running(folder.root),
            times=replace(summary.times, ended=marks.since_start()),
        )
        return summary, commands(folder, home, summary.attackers_caught)


@contextmanager
def _own_log(folder: DemoFolder) -> Iterator[None]:
    """Warnings of the clients in this process go to a file: the screen is the view's."""
    with (folder.logs / "demo.log").open("a", encoding="utf-8") as file:
        set_up("info", json=False, stream=file)
        try:
            yield
        finally:
            set_up("warning", json=False, stream=sys.stderr)


def _set_up(
    options: Options,
    plan: Plan,
    user: Settings,
    folder: DemoFolder,
    home: Path,
    marks: Marks,
    running: ExitStack,
) -> Stage:
    note("Starting Kafka and Valkey, on this machine's loopback alone.")
    telling = running.enter_context(Telling(folder))
    # Beside the servers' start, in the places that the demo's settings will name.
    early = load(None, {"LOGINWARD_HOME": str(folder.root)})
    telling.load_contacts(early, customers(plan), load_pseudonyms(early))
    servers = running.enter_context(Stack(folder.stack, owned=True, progress=Console()))
    marks.stack = time.time()
    note(f"Ready after {marks.since_start():.1f} s. Starting the pipeline and its first customers.")
    _configure(options, user, folder, servers, telling)
    settings = demo_settings(folder)
    names = load_pseudonyms(settings)
    children = running.enter_context(Children(folder, options.workers, home))
    ensure_topics(settings.kafka)
    feed = running.enter_context(LiveFeed(settings.kafka, pseudonyms=names))
    before = _left_before(feed) if options.keep else 0
    traffic = Traffic(plan, settings.kafka, names)
    running.callback(traffic.stop)
    traffic.start()
    return Stage(
        options=options,
        folder=folder,
        settings=settings,
        pseudonyms=names,
        servers=servers,
        children=children,
        feed=feed,
        traffic=traffic,
        telling=telling,
        marks=marks,
        home=home,
        before=before,
    )


def _left_before(feed: LiveFeed) -> int:
    """Records of `logins` before the first one of ours."""
    wait_for(lambda: bool(feed.picture().partitions), REST_WITHIN_S)
    return feed.picture().in_kafka


def _configure(
    options: Options, user: Settings, folder: DemoFolder, servers: Stack, telling: Telling
) -> None:
    """The user's detections and register, everything else the demo's own."""
    chosen = {"rules": user.files.rules, "systems": user.files.systems}
    interval = 5 if options.bound <= _SHORT_S else 15
    write_config(
        folder,
        servers.endpoints,
        kafka={"partitions": max(4, options.workers)},
        archive={"segment_interval": f"{interval}s"},
        **telling.sections(),
        files={name: str(path) for name, path in chosen.items() if path is not None},
    )


def _plan(options: Options) -> Plan:
    return Plan(
        shares=parse(options.profile),
        seconds=options.bound,
        attack_after=options.attack_after,
        waves=options.seconds is None,
    )


def _watch(stage: Stage, ending: Ending) -> None:
    if stage.options.view:
        with screen() as show:
            stage.watch(show, ending)
    else:
        stage.watch(Lines(logins=stage.options.events), ending)


def _reckon(stage: Stage) -> Summary:
    """Let the pipeline finish, compare, and end it in order."""
    note("The traffic ends. Waiting until everything is judged and sealed (Ctrl-C twice: at once).")
    stage.traffic.stop()
    stage.traffic.check()
    in_time = wait_for(lambda: _finished(stage), REST_WITHIN_S)
    if not in_time:
        note(f"Not everything was judged and sealed within {REST_WITHIN_S:.0f} s.")
    note("Judging the archived logins again, to compare.")
    replayed = reckoning.replay_archive(
        stage.settings, stage.pseudonyms, stage.folder.events, stage.feed.current_alerts
    )
    counts = stage.feed.counts()
    note("Ending the pipeline and its servers.")
    stage.children.stop()
    alerts = stage.feed.current_alerts()
    attackers = stage.traffic.sent.attackers
    caught = {address for alert in alerts.values() for address in alert.ips} & attackers
    return Summary(
        times=_times(stage),
        sent=stage.before + stage.traffic.sent.records,
        read=counts.read,
        judged=counts.judged,
        duplicates=counts.duplicates,
        rejected=counts.rejected,
        archived=reckoning.archived(stage.settings),
        alerts=len(alerts),
        by_rule=reckoning.by_rule(alerts),
        by_severity=reckoning.by_severity(alerts),
        attackers=len(attackers),
        attackers_caught=sorted(caught),
        alerts_on_others=sum(attackers.isdisjoint(alert.ips) for alert in alerts.values()),
        incidents=[incident_line(one) for one in stage.feed.incidents()],
        replay=replayed,
        told=stage.telling.told,
        restarts=sum(child.restarts for child in stage.children.all),
        folder=str(stage.folder.root),
    )


def _finished(stage: Stage) -> bool:
    """Everything in Kafka is judged and sealed, and Kafka has at least what we sent."""
    picture = stage.feed.picture()
    sent = stage.before + stage.traffic.sent.records
    at_end = picture.in_kafka >= sent and not picture.lag
    return at_end and picture.sealed == picture.in_kafka


def _times(stage: Stage) -> Times:
    marks, sent = stage.marks, stage.traffic.sent
    alert_ms = first_alert_ms(stage.feed, sent)
    attack = sent.attack_ms / 1000 if sent.attack_ms else None
    alert = None if alert_ms is None else alert_ms / 1000
    return Times(
        stack_ready=marks.since_start(marks.stack),
        pipeline_ready=marks.since_start(marks.ready) if marks.ready else None,
        attack_began=None if attack is None else marks.since_start(attack),
        first_alert=None if alert is None else marks.since_start(alert),
        attack_to_alert=None if alert is None or attack is None else round(alert - attack, 1),
    )
