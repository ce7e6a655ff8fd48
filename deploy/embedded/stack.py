"""The servers that the pipeline needs, started and stopped together."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from .endpoints import Endpoints
from .errors import StackError
from .folders import make_folder
from .kafka_config import Listeners
from .kafka_server import KafkaServer
from .progress import Progress
from .record import STOPPED, ServerRecord
from .server import Server
from .valkey_server import ValkeyServer


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One server as it is now."""

    name: str
    state: str  # up | down | crashed | silent: its process lives and does not answer
    address: str  # HOST:PORT for clients; empty before the first start
    pid: int | None
    owner: int | None  # the process it ends with
    started_at: str
    directory: str
    log: str  # the end of it, where the server crashed or is silent


class Stack:
    """Kafka and Valkey, each in its folder below one data folder.

    As a context manager it is up inside the block and down after it. Unless `owned` is given,
    servers started by `up` outlive the process that started them.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka: bool = True,
        valkey: bool = True,
        owned: bool = False,
        listeners: Listeners | None = None,
        valkey_settings: Mapping[str, str] | None = None,
        kafka_advertised_port: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Describe the stack; nothing is started or written.

        Args:
            data_dir: holds one folder a server; two stacks never share it.
            kafka: with a broker.
            valkey: with a Valkey.
            owned: the servers end when this process ends, by whatever signal.
            listeners: how clients connect to Kafka; None: as last time, at first PLAINTEXT.
            valkey_settings: further lines of valkey.conf, which win.
            kafka_advertised_port: the port of a proxy in front of Kafka, to which clients are sent.
            progress: told what is fetched and prepared.
        """
        self.data_dir = data_dir.resolve()
        owner = os.getpid() if owned else None
        shared: dict[str, Any] = {"owner": owner, "progress": progress}
        self.kafka = (
            KafkaServer(
                self.data_dir / "kafka",
                listeners=listeners,
                advertised_port=kafka_advertised_port,
                **shared,
            )
            if kafka
            else None
        )
        self.valkey = (
            ValkeyServer(self.data_dir / "valkey", settings=valkey_settings, **shared)
            if valkey
            else None
        )

    @property
    def servers(self) -> tuple[Server, ...]:
        """Give the servers of this stack, the quick one first."""
        return tuple(server for server in (self.valkey, self.kafka) if server is not None)

    @property
    def endpoints(self) -> Endpoints:
        """Give the addresses of the last start."""
        return Endpoints(
            kafka_bootstrap=self.kafka.address if self.kafka else "",
            redis_url=self.valkey.url if self.valkey else "",
            kafka_security=self.kafka.security if self.kafka else None,
        )

    def up(self) -> Endpoints:
        """Start what is down; return when all of it answers.

        Raises:
            StackError: a server did not start. What was started before it stays.
        """
        make_folder(self.data_dir)
        for server in self.servers:
            server.start()
        return self.endpoints

    def down(self) -> None:
        """Stop all servers in order."""
        for server in reversed(self.servers):
            server.stop()

    def status(self) -> tuple[ServerStatus, ...]:
        """Tell of each server whether it lives and answers."""
        return tuple(_status(server) for server in self.servers)

    def kill_kafka(self) -> None:
        """End Kafka at once (kill -9)."""
        _present(self.kafka, "kafka").kill()

    def kill_valkey(self) -> None:
        """End Valkey at once (kill -9)."""
        _present(self.valkey, "valkey").kill()

    def start_kafka(self) -> None:
        """Start Kafka again on the same ports and data."""
        _present(self.kafka, "kafka").start(same_ports=True)

    def start_valkey(self) -> None:
        """Start Valkey again on the same port and data."""
        _present(self.valkey, "valkey").start(same_ports=True)

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()


def running_endpoints(data_dir: Path) -> Endpoints | None:
    """Give the addresses of the stack in this folder if all of it runs; else None."""
    stack = Stack(data_dir)
    return stack.endpoints if all(server.pid for server in stack.servers) else None


def _present(server: Server | None, name: str) -> Server:
    if server is None:
        raise StackError(f"{name}: not part of this stack: create it with {name}=True")
    return server


def _status(server: Server) -> ServerStatus:
    record, pid = server.record, server.pid
    state = _state(server, record, pid)
    return ServerStatus(
        name=server.name,
        state=state,
        address=server.address if record else "",
        pid=pid,
        owner=record.owner if record and record.pid == pid else None,
        started_at=record.started_at if record and record.pid == pid else "",
        directory=str(server.directory),
        log=server.log_tail() if state in {"crashed", "silent"} else "",
    )


def _state(server: Server, record: ServerRecord | None, pid: int | None) -> str:
    if pid is None:
        return "crashed" if record and record.pid != STOPPED else "down"
    if record is None or record.pid != pid:
        return "silent"  # running without a record: where it listens is not known
    return "up" if server.answers(record) else "silent"
