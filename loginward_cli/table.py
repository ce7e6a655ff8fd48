"""Every sub-command with its one line of help; the modules stand in `commands/`, read when used.

A line has at most 63 characters: a terminal of 80 columns cuts off what is longer.
"""

from __future__ import annotations

from importlib.util import find_spec

COMMANDS: dict[str, str] = {
    "demo": "Start everything here, attack it, say what to look at.",
    "test": "Set up and run every check and test of this checkout.",
    "doctor": "Check keys, disk, Kafka, Redis, systems; say what to mend.",
    "up": "Start the embedded Kafka and Valkey, for trying out only.",
    "down": "Stop the embedded servers.",
    "status": "Say what of the embedded stack runs, and where it listens.",
    "run": "Run one part of the pipeline (detect, relay, ...), or all.",
    "ingest": "Send login records of a source to the topic `logins`.",
    "convert": "Turn log files into login events, without any server.",
    "simulate": "Make a simulated attack or a quiet day (profiles A to I).",
    "replay": "Judge files of events as live: no network, no clock.",
    "rules": "List, show, test, compare, change and mute the detections.",
    "alerts": "List, show and acknowledge alerts; say who is on duty.",
    "incidents": "List and show campaigns: who attacks, who was hit.",
    "rejects": "List, show and replay records that could not be read.",
    "customers": "Load and ask the directory of customers, and their contacts.",
    "geo": "Fetch geo data by package name; say where an address lies.",
    "intel": "Take in, list and hunt for threat intelligence; share our own.",
    "archive": "Query what was kept; verify that nothing of it was altered.",
    "report": "Make, sign, show and list the record of every day.",
    "reconcile": "Compare a core system's own totals with ours.",
    "answer": "Answer a customer's notice: it was me, or it was not.",
    "notifier": "Preview the texts that customers get.",
    "quality": "Measure recall and false alarms, beside CrowdSec and fail2ban.",
    "bench": "Measure speed, beside bare aiokafka, stock Faust and Flink.",
    "soak": "Run for long at a steady rate, with faults; does anything grow?",
    "chaos": "Break things on purpose and compare with the oracle.",
}


def module_of(name: str) -> str:
    """The module that holds the sub-command `name`."""
    return f"loginward_cli.commands.{name.replace('-', '_')}"


def present() -> dict[str, str]:
    """The sub-commands whose module is installed; none is imported for it."""
    return {name: text for name, text in COMMANDS.items() if find_spec(module_of(name))}
