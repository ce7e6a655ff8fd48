"""Every sub-command with its one line of help; the modules stand in `commands/`, read when used."""

from __future__ import annotations

from importlib.util import find_spec

COMMANDS: dict[str, str] = {
    "demo": "Start everything here, attack it with simulated traffic, say what to look at.",
    "test": "Set up and run every check and test of this checkout.",
    "doctor": "Check this installation: keys, disk, Kafka, Redis, systems; say what to mend.",
    "up": "Start the embedded Kafka and Valkey (for trying out, never for production).",
    "down": "Stop the embedded servers.",
    "status": "Say what of the embedded stack runs, and where it listens.",
    "run": "Run a part of the pipeline (detect, relay, incidents, archive, outputs, ...), or all.",
    "ingest": "Read login records of a source and send them to the topic `logins`.",
    "convert": "Turn log files of a source into login events, without any server.",
    "simulate": "Make a simulated attack or a quiet day (profiles A to I).",
    "replay": "Judge a file of events as the pipeline would: no network, no clock.",
    "rules": "List, show, test and compare the detections.",
    "alerts": "List, show and acknowledge alerts; who is on duty, what is undelivered.",
    "incidents": "List and show campaigns: who attacks, who was hit, what was done next.",
    "rejects": "List, show and replay records that could not be read.",
    "customers": "Load the directory of customers (kept as keyed hashes).",
    "geo": "Fetch geo data by package name; say where an address lies.",
    "intel": "Take in, list and hunt for threat intelligence; share our own.",
    "archive": "Query, export, verify, hold, purge and reveal what was kept.",
    "report": "Daily record, monthly report, signatures.",
    "reconcile": "Compare a core system's own totals with ours; sign what explains them.",
    "answer": "Answer a customer's notice: it was me, or it was not.",
    "notifier": "Preview the texts that customers get.",
    "quality": "Measure recall and false alarms, beside CrowdSec and fail2ban.",
    "bench": "Measure speed, beside bare aiokafka, stock Faust and Flink.",
    "soak": "Run for long at a steady rate with faults; say whether anything grows.",
    "chaos": "Break things on purpose and compare with the oracle.",
}


def module_of(name: str) -> str:
    """The module that holds the sub-command `name`."""
    return f"loginward_cli.commands.{name.replace('-', '_')}"


def present() -> dict[str, str]:
    """The sub-commands whose module is installed; none is imported for it."""
    return {name: text for name, text in COMMANDS.items() if find_spec(module_of(name))}
