"""Settings come from defaults, file and environment; what is wrong is told with its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import SettingsError
from config.settings import load

WRONG_NAME = "LOGINWARD_KAFKA_BOOTSTRAPS"


def _file(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text)
    return path


def _problems(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(path, environ or {})
    return [str(problem) for problem in caught.value.problems]


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    """The strongest source of a key decides; the others keep what they alone say."""
    path = _file(tmp_path, '[kafka]\nbootstrap = "kafka1:1"\npartitions = 32\n')

    settings = load(path, {"KAFKA_BOOTSTRAP": "kafka2:2", "LOGINWARD_DETECT_IDENTITY_TTL": "5m"})

    assert settings.kafka.bootstrap == "kafka2:2"
    assert settings.kafka.partitions == 32
    assert settings.detect.identity_ttl == timedelta(minutes=5)
    assert settings.detect.batch_records == 5000


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """LOGINWARD_CONFIG is read where no file is given, and only there."""
    named = _file(tmp_path, "[kafka]\npartitions = 8\n")
    given_file = tmp_path / "other.toml"
    given_file.write_text("[kafka]\npartitions = 16\n")
    environ = {"LOGINWARD_CONFIG": str(named)}

    assert load(None, environ).kafka.partitions == 8
    assert load(given_file, environ).kafka.partitions == 16


def test_every_problem_is_told_in_one_pass(tmp_path: Path) -> None:
    """Unknown keys, wrong types, units and bounds, of file and environment, each with its place."""
    path = _file(
        tmp_path,
        "[detect]\n"
        'batch_records = "5mn"\n'
        'identity_ttl = "5mn"\n'
        "batch_recrods = 1\n"
        "buffered_batches = true\n"
        "[kafkaa]\n"
        "[logging]\n"
        'json = "yes"\n'
        'level = "loud"\n',
    )

    problems = _problems(path, {"LOGINWARD_KAFKA_PARTITIONS": "0", WRONG_NAME: "x"})

    whole = "is not a whole number; write it without quotes, point or unit"
    units = "is not a duration; write a whole number and ms, s, m, h or d: 300s or 5m"
    near = "did you mean"
    assert problems == [
        f"{path}:4 detect.batch_recrods: is no key of [detect]; {near} batch_records?",
        f"{path}:6 kafkaa: is no section of ours; {near} kafka?",
        f"environment {WRONG_NAME}: sets nothing; {near} LOGINWARD_KAFKA_BOOTSTRAP?",
        "environment LOGINWARD_KAFKA_PARTITIONS: '0' is not between 1 and 1024",
        f"{path}:2 detect.batch_records: '5mn' {whole}",
        f"{path}:5 detect.buffered_batches: True {whole}",
        f"{path}:3 detect.identity_ttl: '5mn' {units}",
        f"{path}:9 logging.level: 'loud' is none of debug, info, warning, error",
        f"{path}:8 logging.json: 'yes' is neither true nor false",
    ]


def test_environment_of_others_is_left_alone() -> None:
    """Names that belong to no section of ours are not ours to judge."""
    settings = load(environ={"LOGINWARD_CACHE": "/c", "LOGINWARD_FAILPOINTS": "", "KAFKA_X": "1"})

    assert settings == load(environ={})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[kafka\n", "not TOML: ", id="no TOML"),
        pytest.param("kafka = 3\n", "kafka: is a section, not a value", id="section as value"),
        pytest.param("[kafka]\nbootstrap = 9092\n", "put it in quotes", id="number for text"),
        pytest.param('[kafka]\nbootstrap = "kafka"\n', "host:port", id="no port"),
        pytest.param('[kafka]\nbootstrap = "k:0"\n', "host:port", id="port 0"),
        pytest.param('[keys]\npseudonym_key_file = ""\n', "must be set", id="empty path"),
        pytest.param('[keys]\npseudonym_key_file = "a\\u0000"\n', "NUL", id="NUL in path"),
        pytest.param('[kafka]\ntopic_prefix = "a b"\n', "letters, digits", id="prefix"),
        pytest.param("[kafka]\npartitions = 1.5\n", "whole number", id="float"),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """Each wrong value is told with the file, the line where there is one, and what to write."""
    path = _file(tmp_path, text)

    (problem,) = _problems(path)

    assert problem.startswith(str(path))
    assert told in problem


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"LOGINWARD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "kafka.sasl_mechanism"),
        ({"LOGINWARD_KAFKA_SASL_USERNAME": "u"}, "KAFKA_SASL_USERNAME"),
        ({"LOGINWARD_KAFKA_SSL_CAFILE": "/ca.pem"}, "KAFKA_SSL_CAFILE"),
        ({"LOGINWARD_KAFKA_SSL_KEYFILE": "/k.pem"}, "KAFKA_SSL_KEYFILE"),
        ({"LOGINWARD_REDIS_MODE": "sentinel"}, "redis.sentinel_service"),
        ({"LOGINWARD_REDIS_SSL_CAFILE": "/ca.pem"}, "REDIS_SSL_CAFILE"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], key: str) -> None:
    """What goes together must be set together, above all what would silently do without TLS."""
    assert any(key in problem for problem in _problems(None, environ))


def test_a_password_in_a_file_is_refused_and_never_shown(tmp_path: Path) -> None:
    """Files end in repositories and backups; neither message nor repr shows the password."""
    path = _file(tmp_path, '[redis]\nurl = "redis://:hush@localhost:6379"\n')

    (problem,) = _problems(path)
    wrong = _problems(None, {"REDIS_URL": "http://:hush@localhost"})
    settings = load(environ={"REDIS_URL": "redis://:hush@localhost:6379"})

    assert "password_file" in problem
    assert "hush" not in problem + wrong[0] + repr(settings)
    assert settings.redis.url == "redis://:hush@localhost:6379"


def test_relative_paths_stand_under_data_dir(tmp_path: Path) -> None:
    """One rule for every path, wherever it was set; absolute ones stay."""
    settings = load(
        environ={
            "LOGINWARD_HOME": str(tmp_path),
            "LOGINWARD_PSEUDONYM_KEY_FILE": "secret/p.key",
            "LOGINWARD_ARCHIVE_DIRECTORY": "/var/lib/evidence",
        }
    )

    assert settings.data_dir == tmp_path
    assert settings.keys.pseudonym_key_file == tmp_path / "secret" / "p.key"
    assert settings.archive.key_file == tmp_path / "keys" / "archive.pem"
    assert settings.archive.directory == Path("/var/lib/evidence")


def test_a_missing_or_huge_file_is_told(tmp_path: Path) -> None:
    """A file that cannot be settings is refused before it is read whole."""
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 1_000_001)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    assert "No such file" in _problems(tmp_path / "absent.toml")[0]
    assert "larger than 1 MB" in _problems(huge)[0]
    assert "not TOML" in _problems(binary)[0]


@given(st.text(max_size=300))
def test_no_value_of_the_environment_breaks_the_message(value: str) -> None:
    """Whatever stands there is taken, or told in one printable, bounded line."""
    try:
        load(environ={"LOGINWARD_KAFKA_PARTITIONS": value})
    except SettingsError as failure:
        text = str(failure)
        assert text.isprintable()
        assert len(text) < 400
