"""default.toml and the sections say the same, and say why."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import config
from config.sections import Settings
from config.settings import load
from config.toml_lines import locate

DEFAULT = Path(str(config.__file__)).with_name("default.toml")


def _declared() -> set[tuple[str, ...]]:
    hints = get_type_hints(Settings)
    keys: set[tuple[str, ...]] = set()
    for part in fields(Settings):
        hint = hints[part.name]
        if is_dataclass(hint):
            keys |= {(part.name, inner.name) for inner in fields(hint)}
        else:
            keys.add((part.name,))
    return keys


def _written() -> set[tuple[str, ...]]:
    keys: set[tuple[str, ...]] = set()
    for name, value in tomllib.loads(DEFAULT.read_text()).items():
        keys |= {(name, inner) for inner in value} if isinstance(value, dict) else {(name,)}
    return keys


def test_every_setting_has_a_default_and_every_default_a_setting() -> None:
    """The file and the dataclasses list the same keys."""
    assert _declared() == _written()


def test_every_key_says_what_it_is_for() -> None:
    """Above each key stands a comment, its own or that of the keys it belongs to."""
    source = DEFAULT.read_text().splitlines()
    lines = locate(DEFAULT.read_text())

    for key in _written():
        above = lines[key] - 2
        while source[above] and not source[above].startswith(("#", "[")):
            above -= 1
        assert source[above].startswith("#"), ".".join(key)


def test_defaults_are_usable_as_they_are() -> None:
    """With no file and no environment the settings load, all paths absolute."""
    settings = load(environ={})

    assert settings.kafka.bootstrap == "127.0.0.1:9092"
    assert settings.keys.pseudonym_key_file.is_relative_to(settings.data_dir)
    assert settings.data_dir.is_absolute()
    assert settings.metrics.host == "127.0.0.1"
