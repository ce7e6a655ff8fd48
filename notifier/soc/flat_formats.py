"""CEF and LEEF for SIEMs that read no JSON: one line of facts, hostile text escaped as each asks.

They hold scalars, the first addresses and the totals; the JSON holds the whole. What is printable
comes back from a parser as it was, and so do line ends in CEF; LEEF has no escapes, so there
control characters are written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from detectors.alerts import Alert
from detectors.errors import escaped

SEVERITY: Final[Mapping[str, int]] = {"critical": 10, "high": 8, "medium": 5, "low": 3}
"""CEF: 0-3 low, 4-6 medium, 7-8 high, 9-10 very high. LEEF takes the same range."""

_STAGED: Final = 1
_LONGEST: Final = 1_000
"""CEF's dictionary allows 1023 characters for most fields."""
_LISTED: Final = 5
_PRODUCT: Final = "loginward"


def cef(alert: Alert, incident: str = "") -> str:
    """`CEF:0|vendor|product|version|rule|name|severity|key=value ...`."""
    head = [_PRODUCT, _PRODUCT, "1", alert.rule, alert.summary, str(_severity(alert))]
    facts = {
        "externalId": alert.alert_id,
        "cat": alert.rule,
        "start": _milliseconds(alert.opened_at),
        "end": _milliseconds(alert.updated_at),
        "cnt": str(alert.counts.get("failures", "")),
        "src": alert.subject.value if alert.subject.type == "ip" else "",
        "deviceFacility": alert.system,
        "cs1Label": "subject",
        "cs1": f"{alert.subject.type} {alert.subject.value}",
        "cs2Label": "counts",
        "cs2": _counts(alert),
        "cs3Label": "addresses",
        "cs3": ", ".join(alert.ips[:_LISTED]),
        "cs4Label": "mode",
        "cs4": alert.mode,
        "cs5Label": "attack",
        "cs5": ", ".join(alert.attack_ids),
        "cs6Label": "incident" if incident else "",
        "cs6": incident,
        "cn1Label": "revision",
        "cn1": str(alert.revision),
        "msg": alert.summary,
    }
    extension = " ".join(f"{key}={_cef_value(value)}" for key, value in facts.items() if value)
    return "CEF:0|" + "|".join(_cef_header(part) for part in head) + f"|{extension}"


def leef(alert: Alert, incident: str = "") -> str:
    """`LEEF:2.0|vendor|product|version|rule|x09|key=value<TAB>...`."""
    facts = {
        "cat": alert.checklist_item,
        "sev": str(_severity(alert)),
        "devTime": _milliseconds(alert.updated_at),
        "src": alert.subject.value if alert.subject.type == "ip" else "",
        "resource": alert.system,
        "alertId": alert.alert_id,
        "incidentId": incident,
        "revision": str(alert.revision),
        "severity": alert.severity,
        "mode": alert.mode,
        "subjectType": alert.subject.type,
        "subject": alert.subject.value,
        "counts": _counts(alert),
        "addresses": ", ".join(alert.ips[:_LISTED]),
        "attack": ", ".join(alert.attack_ids),
        "summary": alert.summary,
    }
    rule = escaped(alert.rule, _LONGEST).replace("|", "_")
    body = "\t".join(f"{key}={escaped(value, _LONGEST)}" for key, value in facts.items() if value)
    return f"LEEF:2.0|{_PRODUCT}|{_PRODUCT}|1|{rule}|x09|{body}"


def _severity(alert: Alert) -> int:
    return SEVERITY[alert.severity] if alert.mode == "live" else _STAGED


def _counts(alert: Alert) -> str:
    return ", ".join(f"{name} {count}" for name, count in alert.counts.items())


def _milliseconds(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return "" if at.tzinfo is None else str(int(at.timestamp() * 1000))


def _cef_header(text: str) -> str:
    return escaped(text, _LONGEST).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    """Backslash, equals and line ends by CEF's own escapes; other controls written out."""
    lines = text[:_LONGEST].split("\n")
    return "\\n".join("\\r".join(_plain(part) for part in line.split("\r")) for line in lines)


def _plain(text: str) -> str:
    return escaped(text, _LONGEST).replace("\\", "\\\\").replace("=", "\\=")
