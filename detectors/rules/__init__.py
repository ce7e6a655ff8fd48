"""The detections: every file of this folder is one. A file without its RULE is an import error,
and config/rules.toml refuses a detection that has no file: never a silent hole.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from ..rule import Rule


def _found() -> Iterator[Rule]:
    for name in sorted(module.name for module in iter_modules(__path__)):
        rule = getattr(import_module(f"{__name__}.{name}"), "RULE", None)
        if not isinstance(rule, Rule) or rule.id != name:
            raise ImportError(f"detectors/rules/{name}.py: has no RULE with the id {name!r}")
        yield rule


RULES: tuple[Rule, ...] = tuple(_found())
"""By id: the order has no meaning."""
