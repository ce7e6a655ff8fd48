"""An installation of its own: every part as a process, providers and firm on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from config.kafka import ensure_topics
from config.settings import load
from deploy.embedded.ports import free_port
from loadtest.providers import FakeFcm, FakeSmtp, FakeTwilio
from notifier.contacts import ContactBook
from tests.builders import NAMES
from tests.checkout import ROOT
from tests.console.answers.conftest import chromium
from tests.end_to_end.installation import PATIENCE_S, PERSONS, SECRET, Installation
from tests.notifier.firm import Firm
from tests.notifier.harness import Providers, environment

__all__ = ["chromium", "installation"]

PARTS = ("detect", "relay", "notify", "answers", "archive", "outputs")


@pytest.fixture
def installation(
    tmp_path: Path, kafka_bootstrap: str, fresh_redis_url: str
) -> Iterator[Installation]:
    """Give a running installation; ended by SIGTERM, each part with exit code 0."""
    with ExitStack() as stack:
        providers = Providers(
            fcm=stack.enter_context(FakeFcm()),
            twilio=stack.enter_context(FakeTwilio()),
            smtp=stack.enter_context(FakeSmtp()),
        )
        firm = stack.enter_context(closing(Firm()))
        soc = stack.enter_context(closing(Firm()))
        made = Installation(
            folder=tmp_path,
            environ=_environ(tmp_path, providers, firm, soc, kafka_bootstrap, fresh_redis_url),
            providers=providers,
            firm=firm,
            soc=soc,
        )
        ensure_topics(made.settings.kafka)
        notifier = made.settings.notifier
        with closing(ContactBook.open(notifier.contacts, notifier.contacts_key_file)) as book:
            book.replace(PERSONS, NAMES)
        for part in PARTS:
            made.metrics[part] = free_port(made.metrics.values())
        processes = [_started(part, made, stack) for part in PARTS]
        try:
            yield made
        finally:
            for process in processes:
                process.terminate()
            codes = dict(
                zip(PARTS, [process.wait(PATIENCE_S) for process in processes], strict=True)
            )
        assert codes == dict.fromkeys(PARTS, 0)


def _started(part: str, made: Installation, stack: ExitStack) -> subprocess.Popen[bytes]:
    log = stack.enter_context((made.folder / f"{part}.log").open("wb"))
    return subprocess.Popen(
        [sys.executable, "-m", "loginward_cli", "run", part],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LOGINWARD_METRICS_PORT": str(made.metrics[part]),
            **made.environ,
        },
        stdout=log,
        stderr=log,
    )


def _environ(
    home: Path, providers: Providers, firm: Firm, soc: Firm, bootstrap: str, redis_url: str
) -> dict[str, str]:
    port = free_port()
    secret = home / "webhook.secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    key = home / "pseudonym.key"
    key.write_text(bytes(range(32)).hex() + "\n")
    key.chmod(0o600)
    environ = environment(
        home,
        providers,
        KAFKA_BOOTSTRAP=bootstrap,
        REDIS_URL=redis_url,
        LOGINWARD_PSEUDONYM_KEY_FILE=str(key),
        LOGINWARD_KAFKA_TOPIC_PREFIX=f"whole{os.getpid()}-{port}.",
        LOGINWARD_KAFKA_PARTITIONS="2",
        LOGINWARD_NOTIFIER_ANSWER_URL=f"http://127.0.0.1:{port}",
        LOGINWARD_ANSWERS_PORT=str(port),
        LOGINWARD_ANSWERS_WEBHOOK_URL=firm.url,
        LOGINWARD_ANSWERS_WEBHOOK_SECRET_FILE=str(secret),
        LOGINWARD_OUTPUTS_WEBHOOK_URL=soc.url,
        LOGINWARD_OUTPUTS_WEBHOOK_SECRET_FILE=str(secret),
        LOGINWARD_ARCHIVE_SEGMENT_INTERVAL="1s",
    )
    load(environ=environ)
    return environ
