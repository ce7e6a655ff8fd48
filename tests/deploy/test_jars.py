"""Kafka's jars are the pinned ones or the start is refused; fetched ones need no network again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded import KafkaServer, StackError
from deploy.embedded.cache import CACHE_VARIABLE, cache_dir
from deploy.embedded.jars import Jar, Manifest, class_path, read_manifest
from deploy.embedded.maven import REPOSITORY_VARIABLE

_ROOT = Path(__file__).resolve().parents[2]
_TINY = "org.jspecify:jspecify:1.0.0"  # 4 kB, one of Kafka's own
_CUT_OFF = """
import fcntl, socket, struct, sys
from pathlib import Path
from deploy.embedded import Stack
with socket.socket() as control:  # a new network has its loopback down
    fcntl.ioctl(control, 0x8914, struct.pack("16sH14s", b"lo", 0x1, b""))  # SIOCSIFFLAGS, IFF_UP
try:
    socket.create_connection(("192.0.2.1", 443), timeout=1)
except OSError as error:
    print(error.strerror)
with Stack(Path(sys.argv[1]), owned=True) as stack:
    print(*[server.state for server in stack.status()])
"""


def test_the_manifest_pins_one_kafka() -> None:
    """Every jar has a checksum, and all of Kafka is of one version."""
    manifest = read_manifest()

    assert all(len(jar.sha256) == 64 and jar.bytes > 0 for jar in manifest.jar)
    ours = [jar for jar in manifest.jar if jar.coordinate.startswith("org.apache.kafka:")]
    assert {jar.coordinate.rsplit(":", 1)[1] for jar in ours} == {manifest.kafka_version}
    assert len({jar.file_name for jar in manifest.jar}) == len(manifest.jar)


def test_a_second_start_needs_no_network(kafka_bootstrap: str, tmp_path: Path) -> None:
    """With the jars in the cache a new stack starts where nothing but loopback exists."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]

    done = subprocess.run(
        ["unshare", "--net", *user, sys.executable, "-c", _CUT_OFF, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )

    assert done.stdout.splitlines() == ["Network is unreachable", "up up"], done.stderr


def test_a_jar_that_was_changed_is_refused(
    kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file and both checksums, and nothing is started."""
    cache = tmp_path / "cache"
    (cache / "jars").mkdir(parents=True)
    for jar in read_manifest().jar:
        (cache / "jars" / jar.file_name).symlink_to(cache_dir() / "jars" / jar.file_name)
    changed = cache / "jars" / read_manifest().jar[0].file_name
    changed.unlink()
    changed.write_bytes(b"something else")
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))

    server = KafkaServer(tmp_path / "kafka")
    with pytest.raises(StackError, match="not the pinned") as failure:
        server.start()

    assert str(changed) in str(failure.value)
    assert read_manifest().jar[0].sha256 in str(failure.value)
    assert server.pid is None


def test_what_a_repository_serves_wrongly_never_reaches_the_cache(
    tmp_path: Path, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetched jar is checked before it gets its name."""
    monkeypatch.setenv(REPOSITORY_VARIABLE, repository)
    jar = Jar(coordinate=_TINY, sha256="0" * 64, bytes=5)

    with pytest.raises(StackError, match="not the pinned"):
        class_path(Manifest(kafka_version="0", jar=(jar,)), cache=tmp_path / "cache")

    assert not (tmp_path / "cache" / "jars" / jar.file_name).exists()


def test_a_missing_jar_is_fetched_once(
    tmp_path: Path, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first fetch the repository is not asked again."""
    monkeypatch.setenv(REPOSITORY_VARIABLE, repository)
    sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    manifest = Manifest(kafka_version="0", jar=(Jar(coordinate=_TINY, sha256=sha256, bytes=5),))

    first = class_path(manifest, cache=tmp_path / "cache")
    monkeypatch.setenv(REPOSITORY_VARIABLE, "http://127.0.0.1:9")  # nobody listens
    second = class_path(manifest, cache=tmp_path / "cache")

    assert first == second
    assert first[0].read_bytes() == b"hello"


def test_an_unreachable_repository_is_told_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback of a library: which file, why, and what can be done."""
    monkeypatch.setenv(REPOSITORY_VARIABLE, "http://127.0.0.1:9")
    jar = Jar(coordinate=_TINY, sha256="0" * 64, bytes=5)

    with pytest.raises(StackError, match="cannot be fetched") as failure:
        class_path(Manifest(kafka_version="0", jar=(jar,)), cache=tmp_path)

    assert _TINY in str(failure.value)
    assert REPOSITORY_VARIABLE in str(failure.value)


def test_a_manifest_with_a_stray_key_is_refused(tmp_path: Path) -> None:
    """A typing error in the manifest is not passed over."""
    path = tmp_path / "jars.toml"
    path.write_text('kafka_version = "1"\njar = []\nsha265 = "x"\n', encoding="utf-8")

    with pytest.raises(StackError, match="sha265"):
        read_manifest(path)
