"""The doctor finds what would harm an installation, says how to mend it, and mends the topics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from kafka import KafkaProducer

from config.kafka import ensure_topics
from config.settings import Settings, load
from deploy.embedded import ValkeyServer
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.heard import heard
from loginward_cli.doctor.kafka_checks import copies, kafka
from loginward_cli.doctor.machine import machine
from loginward_cli.doctor.redis_checks import redis_server

from .running import loginward

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _settings(folder: Path, **environ: str) -> Settings:
    return load(environ={"LOGINWARD_HOME": str(folder), **environ})


def _findings(checks: Iterator[Check]) -> dict[str, Check]:
    return {check.code: check for check in checks if check.state == "finding"}


def _event(**fields: Any) -> bytes:
    event = {
        "schema": 1,
        "event_id": "e1",
        "occurred_at": "2026-11-22T12:00:00Z",
        "system": "trading-web",
        "account": "A123456789",
        "ip": "192.0.2.1",
        "outcome": "failure",
    }
    return json.dumps(event | fields).encode()


def test_a_machine_as_it_should_be_has_no_findings(tmp_path: Path) -> None:
    """A private folder with private keys on loopback is fine; keys not yet made are a note."""
    home = tmp_path / "home"

    checks = list(machine(Visit(settings=_settings(home), now=NOW)))

    assert [check for check in checks if check.state == "finding"] == []
    assert home.stat().st_mode & 0o777 == 0o700
    assert {check.code for check in checks if check.state == "note"} == {
        "keys.pseudonym_key_file",
        "archive.key_file",
    }


def test_readable_keys_open_folders_and_open_lines_are_found(tmp_path: Path) -> None:
    """What others could read, on disk or on the wire, is told with the command that mends it."""
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    home.chmod(0o755)
    key = home / "keys" / "pseudonym.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o640)
    settings = _settings(
        home, KAFKA_BOOTSTRAP="localhost:9092,192.0.2.7:9092", LOGINWARD_KAFKA_RETENTION="1d"
    )

    found = _findings(machine(Visit(settings=settings, now=NOW)))

    assert set(found) == {
        "data_dir.mode",
        "keys.pseudonym_key_file",
        "kafka.security_protocol",
        "kafka.retention",
    }
    assert found["keys.pseudonym_key_file"].hint.startswith(f"chmod 600 {key}")
    assert "192.0.2.7" in found["kafka.security_protocol"].message
    assert "localhost" not in found["kafka.security_protocol"].message


def test_a_folder_that_cannot_be_is_found(tmp_path: Path) -> None:
    """A file where data_dir should be is told, and the rest still looked at."""
    (tmp_path / "file").write_text("")

    found = _findings(machine(Visit(settings=_settings(tmp_path / "file" / "x"), now=NOW)))

    assert "cannot be written" in found["data_dir"].message


def test_a_missing_password_file_is_found(tmp_path: Path) -> None:
    """A key is made at first start, a password is not."""
    settings = _settings(tmp_path, LOGINWARD_REDIS_PASSWORD_FILE="absent")

    found = _findings(machine(Visit(settings=settings, now=NOW)))

    assert f"{tmp_path}/absent: not there" in found["redis.password_file"].message


def test_missing_topics_are_found_and_mended(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Before `--mend` each topic is a finding, after it none; the command says so by its code."""
    environ = {
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "LOGINWARD_KAFKA_TOPIC_PREFIX": "doctor.",
        "LOGINWARD_HOME": str(tmp_path),
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    before = _findings(kafka(Visit(settings=load(environ=environ), now=NOW)))

    answer = loginward("doctor", "--mend", "--json", cwd=tmp_path, environ=environ)

    told = json.loads(answer.stdout.splitlines()[-1])
    assert all(check["hint"] for check in told["checks"] if check["state"] == "finding")
    codes = {check["code"] for check in told["checks"] if check["state"] == "finding"}
    assert set(before) == {"kafka.topics"}
    assert answer.returncode == 1, answer.stderr
    assert told["findings"] == len(codes)
    assert codes == {"redis", "systems.heard"}


def test_topics_that_differ_are_found_with_their_way_out(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """A setting can be mended by us, the number of partitions only by changing our own."""
    environ = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "LOGINWARD_KAFKA_TOPIC_PREFIX": "differ."}
    ensure_topics(_settings(tmp_path, **environ).kafka)
    changed = _settings(
        tmp_path,
        LOGINWARD_KAFKA_RETENTION="14d",
        LOGINWARD_KAFKA_PARTITIONS="6",
        **environ,
    )

    found = [check for check in kafka(Visit(settings=changed, now=NOW)) if check.state == "finding"]

    hints = {check.message: check.hint for check in found}
    assert hints["differ.logins: 4 partitions, wanted 6"].startswith("set kafka.partitions")
    assert hints["differ.logins: retention.ms is 604800000, wanted 1209600000"].endswith("--mend")


@pytest.mark.parametrize(("brokers", "state"), [(1, "ok"), (2, "ok"), (3, "finding")])
def test_one_copy_on_many_brokers_is_found(tmp_path: Path, brokers: int, state: str) -> None:
    """Where three brokers could keep three copies, fewer are a finding."""
    assert copies(_settings(tmp_path).kafka, brokers).state == state


def test_servers_that_do_not_answer_are_found(tmp_path: Path) -> None:
    """Each dead server is one finding; what needs it is skipped, not guessed."""
    settings = _settings(
        tmp_path, KAFKA_BOOTSTRAP="127.0.0.1:1", REDIS_URL="redis://:hush@127.0.0.1:1"
    )
    visit = Visit(settings=settings, now=NOW, patience=timedelta(milliseconds=200))

    checks = [*kafka(visit), *redis_server(visit), *heard(visit)]

    assert [(check.code, check.state) for check in checks] == [
        ("kafka", "finding"),
        ("kafka.topics", "skipped"),
        ("redis", "finding"),
        ("redis.durability", "skipped"),
        ("systems", "ok"),
        ("systems.heard", "skipped"),
    ]
    assert "hush" not in str(checks)


def test_a_redis_that_forgets_is_found(
    valkey_factory: Callable[..., ValkeyServer], tmp_path: Path
) -> None:
    """No AOF, lazy fsync, eviction, a full memory and another clock are each told."""
    server = valkey_factory()
    visit = Visit(settings=_settings(tmp_path, REDIS_URL=server.url), now=datetime.now(tz=UTC))
    good = _findings(redis_server(visit))
    with redis.Redis.from_url(server.url) as client:
        client.config_set("appendfsync", "everysec")
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", "1500000")
        client.config_set("appendonly", "no")

    bad = _findings(
        redis_server(Visit(settings=visit.settings, now=visit.now + timedelta(minutes=5)))
    )

    assert good == {}
    assert set(bad) == {
        "redis.appendonly",
        "redis.appendfsync",
        "redis.maxmemory-policy",
        "redis.memory",
        "clock",
    }


def test_silent_and_unregistered_systems_and_bad_records_are_found(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """The register is held against the last records; absent facts are told as a note."""
    settings = _settings(
        tmp_path, KAFKA_BOOTSTRAP=kafka_bootstrap, LOGINWARD_KAFKA_TOPIC_PREFIX="heard."
    )
    visit = Visit(settings=settings, now=NOW)
    ensure_topics(settings.kafka)
    empty = _findings(heard(visit))
    with KafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        for raw in (
            _event(),
            _event(system="fax", device_id="d"),
            _event(system="_canary"),
            b"no json",
        ):
            producer.send("heard.logins", raw)

    checks = list(heard(visit))

    found = [(check.code, check.message) for check in checks if check.state == "finding"]
    silent = {message.split(" ")[0] for code, message in found if code == "systems.silent"}
    assert set(empty) == {"systems.heard"}
    assert silent == {"trading-app", "dma-gateway", "phone-desk"}
    assert ("logins.rejected", "1 of the last 4 records are no login events") in found
    assert [text[:4] for code, text in found if code == "systems.unregistered"] == ["fax:"]
    assert not any("_canary" in text for _, text in found)
    (facts,) = [check.message for check in checks if check.code == "facts"]
    assert "account_class, origin, fingerprint, mfa" in facts


def test_a_wrong_register_is_found(tmp_path: Path) -> None:
    """Each problem of the register is a finding with its line."""
    register = tmp_path / "systems.toml"
    register.write_text('[[system]]\nname = "x"\nfoo = 1\n')
    settings = _settings(tmp_path, LOGINWARD_FILES_SYSTEMS=str(register))

    (check,) = heard(Visit(settings=settings, now=NOW))

    assert check.state == "finding"
    assert f"{register}:3" in check.message


def test_the_command_tells_a_person_what_to_do(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Each finding stands with its hint below it, and findings give exit code 1."""
    environ = {
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "LOGINWARD_KAFKA_TOPIC_PREFIX": "person.",
        "LOGINWARD_HOME": str(tmp_path / "home"),
        "REDIS_URL": "redis://127.0.0.1:1",
    }

    answer = loginward("doctor", cwd=tmp_path, environ=environ)

    assert answer.returncode == 1, answer.stderr
    assert "MEND  kafka.topics: person.logins: not there\n      -> ./loginward doctor --mend\n" in (
        answer.stdout
    )
    assert answer.stdout.endswith(" to mend\n")
