"""The demo's own data folder: fresh each time, one demo at a time, never half of an old one."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings, load
from deploy.embedded import Endpoints, Stack
from detectors.errors import LoginwardError

NEEDED_MB = 300
"""Measured: 14 MB after 90 s of traffic, so some 280 MB after the longest demo, half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """Paths below the folder of one demo."""

    root: Path

    @property
    def stack(self) -> Path:
        """The embedded servers."""
        return self.root / "stack"

    @property
    def logs(self) -> Path:
        """One log a child, and the demo's own."""
        return self.root / "logs"

    @property
    def config(self) -> Path:
        """Settings with which every other command finds this demo."""
        return self.root / "demo.toml"

    @property
    def events(self) -> Path:
        """The archived logins as a file for `replay`; raw accounts, all of them made up."""
        return self.root / "events.jsonl"

    def child_config(self, name: str) -> Path:
        """The settings of one child: the demo's, and a port of its own."""
        return self.root / "children" / f"{name}.toml"


@contextmanager
def opened(settings: Settings, *, keep: bool) -> Iterator[DemoFolder]:
    """The folder `demo` below data_dir, ours alone inside the block; it stays after it.

    Unless `keep`, what an earlier demo left there is removed first. Raises LoginwardError where
    another demo runs there, or the disk has no room.
    """
    root = settings.data_dir / "demo"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(settings.data_dir / "demo.lock", root):
        folder = DemoFolder(root=root)
        _end_servers(folder)
        if not keep:
            _remove(root)
        root.mkdir(mode=0o700, exist_ok=True)
        folder.logs.mkdir(exist_ok=True)
        _room(root)
        yield folder


def write_config(folder: DemoFolder, endpoints: Endpoints, **more: Mapping[str, object]) -> None:
    """Write `demo.toml`: this folder, these servers, and further sections."""
    sections: dict[str, dict[str, object]] = {
        "kafka": {"bootstrap": endpoints.kafka_bootstrap, "session_timeout": "6s"},
        "redis": {"url": endpoints.redis_url},
    }
    for name, values in more.items():
        sections.setdefault(name, {}).update(values)
    _write(folder.config, {"data_dir": str(folder.root)}, sections)


def write_child_config(folder: DemoFolder, name: str, port: int) -> Path:
    """Write a child's settings: the demo's, with `port` for its metrics."""
    path = folder.child_config(name)
    path.parent.mkdir(exist_ok=True)
    demo = folder.config.read_text(encoding="utf-8")
    _replace(path, f"{demo}\n[metrics]\nport = {port}\n")
    return path


def demo_settings(folder: DemoFolder) -> Settings:
    """The settings in `demo.toml`; the environment of this process does not reach the demo."""
    return load(folder.config, environ={})


@contextmanager
def _alone(lock: Path, root: Path) -> Iterator[None]:
    with lock.open("a", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LoginwardError(
                f"{root}: another demo runs there; end it (Ctrl-C in its window), or set "
                "LOGINWARD_HOME to another folder for this one"
            ) from None
        yield


def _end_servers(folder: DemoFolder) -> None:
    """A demo that was killed a moment ago may have servers that are still ending."""
    if folder.stack.is_dir():
        Stack(folder.stack).down()


def _remove(root: Path) -> None:
    """Move the old folder aside, then delete: a deletion cut short never leaves half of one."""
    if root.is_symlink():
        raise LoginwardError(f"{root}: is a link; remove it, or use --keep to run where it leads")
    for old in root.parent.glob("demo.old-*"):
        shutil.rmtree(old, ignore_errors=True)
    if root.exists():
        aside = root.with_name(f"demo.old-{os.getpid()}")
        root.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _room(root: Path) -> None:
    free = shutil.disk_usage(root).free // 1_000_000
    if free < NEEDED_MB:
        raise LoginwardError(
            f"{root}: {free} MB free; a demo needs {NEEDED_MB} MB: free some space, or set "
            "LOGINWARD_HOME to a folder on another disk"
        )


def _write(
    path: Path, top: Mapping[str, object], sections: Mapping[str, Mapping[str, object]]
) -> None:
    lines = ["# Written by `loginward demo`; made anew by the next one."]
    lines += [f"{key} = {_toml(value)}" for key, value in top.items()]
    for name, values in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    _replace(path, "\n".join(lines) + "\n")


def _toml(value: object) -> str:
    """Strings, whole numbers and booleans: JSON writes them as TOML does."""
    return json.dumps(value, ensure_ascii=False)


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".partial")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
