"""What Kafka and Valkey have in common: a folder, ports that last, one process, a record of it."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import msgspec

from . import process
from .cache import only_one
from .errors import StackError
from .folders import check_room, make_folder
from .ports import LOOPBACK, free_port, is_free
from .progress import Progress, Silent
from .record import STOPPED, ServerRecord, read_record, write_record

_PORT_ATTEMPTS = 3
_DISK_FULL = "No space left on device"
_TAKEN = ("Address already in use", "BindException")


class Server(ABC):
    """One server in a folder of its own, which holds its data, configuration, logs and record."""

    name: ClassVar[str]
    config_name: ClassVar[str]
    start_within_s: ClassVar[float]
    stop_within_s: ClassVar[float]

    def __init__(
        self,
        directory: Path,
        *,
        ports: Mapping[str, int] | None = None,
        owner: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Describe the server; nothing is started or written.

        Args:
            directory: its folder.
            ports: fixed ports by listener name; by default free ones, kept over restarts.
            owner: the starting process if its end shall end the server; None: it stays.
            progress: told what is fetched and prepared.
        """
        self.directory = directory.resolve()  # one folder, one name: its server is known by it
        self.progress = progress or Silent()
        self._fixed_ports = ports
        self._owner = owner

    @property
    @abstractmethod
    def port_names(self) -> tuple[str, ...]:
        """Give the listeners that need a port; the first is the clients'."""

    @abstractmethod
    def command(self, ports: Mapping[str, int]) -> process.Command:
        """Write the configuration, prepare the data folder, give what is to be run."""

    @abstractmethod
    def answers(self, record: ServerRecord) -> bool:
        """Ask the server, by its own protocol, whether it serves."""

    @property
    @abstractmethod
    def logs(self) -> tuple[Path, ...]:
        """Give the log files; the first takes standard output and error."""

    @property
    def config(self) -> Path:
        """Give its configuration file, by which its process is known."""
        return self.directory / self.config_name

    @property
    def record(self) -> ServerRecord | None:
        """Give what was written down at its last start."""
        return read_record(self.directory)

    @property
    def port(self) -> int:
        """Give the clients' port of the last start; 0 before the first."""
        record = self.record
        return record.ports.get(self.port_names[0], 0) if record else 0

    @property
    def address(self) -> str:
        """Give HOST:PORT for clients, as of the last start."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Give the running server's process id; None if it is down."""
        marker, record = str(self.config), self.record
        if record and process.is_running(record.pid, marker):
            return record.pid
        return process.find(marker)  # started, and its starter died before it wrote the record

    def start(self, *, same_ports: bool = False, wait: bool = True) -> ServerRecord:
        """Start the server, or adopt it if it runs; return when it answers.

        Args:
            same_ports: refuse to start on other ports than last time.
            wait: False: return at once, for a cluster whose members answer only together; then
                `wait` for each.

        Raises:
            StackError: it did not start; with the end of its log.
        """
        make_folder(self.directory)
        with only_one(self.directory / ".lock"):
            record, pid = self.record, self.pid
            if record and record.pid == pid:
                return self.wait(record) if wait else record
            check_room(self.directory)
            self.stop()  # running without a record: its ports are not known
            fixed = same_ports or bool(self._fixed_ports)
            return self._start_somewhere(record, fixed=fixed, wait=wait)

    def stop(self) -> None:
        """Stop the server in order; by force if it takes too long."""
        if (pid := self.pid) is not None:
            process.stop(pid, str(self.config), within_s=self.stop_within_s)
        process.reap(str(self.config))
        if record := self.record:
            with suppress(OSError):  # a full disk: it is stopped all the same, and looks crashed
                write_record(self.directory, msgspec.structs.replace(record, pid=STOPPED))

    def kill(self) -> None:
        """End the server at once (kill -9), as a crash would."""
        if (pid := self.pid) is not None:
            process.kill(pid, str(self.config))
        process.reap(str(self.config))

    def log_tail(self) -> str:
        """Give the end of its logs."""
        return process.tail(self.logs)

    def _start_somewhere(
        self, record: ServerRecord | None, *, fixed: bool, wait: bool
    ) -> ServerRecord:
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                return self._start(self._choose_ports(record, fixed=fixed), wait=wait)
            except StackError as error:
                # Between our look and its bind somebody else was quicker.
                if fixed or attempt == _PORT_ATTEMPTS or not _port_was_taken(error):
                    raise
        raise StackError(f"{self.name}: no start in {_PORT_ATTEMPTS} attempts")

    def _choose_ports(self, record: ServerRecord | None, *, fixed: bool) -> dict[str, int]:
        wanted = self._fixed_ports or (record.ports if record else {})
        ports: dict[str, int] = {}
        for name in self.port_names:
            port = wanted.get(name) or free_port(ports.values())
            if not is_free(port):
                if fixed:
                    raise StackError(
                        f"{self.name}: {LOOPBACK}:{port} is in use: stop what listens there"
                    )
                port = free_port(ports.values())
            ports[name] = port
        return ports

    def _start(self, ports: Mapping[str, int], *, wait: bool) -> ServerRecord:
        command = self.command(ports)
        pid = process.start(command, owner=self._owner)
        record = ServerRecord(
            pid=pid,
            ports=dict(ports),
            owner=self._owner,
            started_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )
        try:
            write_record(self.directory, record)
            return self.wait(record) if wait else record
        except BaseException:
            process.kill(pid, str(self.config))
            process.reap(str(self.config))
            raise

    def wait(self, record: ServerRecord) -> ServerRecord:
        """Return when the started server answers.

        Raises:
            StackError: it ended, or did not answer in time; with the end of its log.
        """
        watched = process.Watched(
            name=self.name, pid=record.pid, marker=str(self.config), logs=self.logs
        )
        try:
            process.wait_until(lambda: self.answers(record), watched, within_s=self.start_within_s)
        except StackError as error:
            if _DISK_FULL in str(error):
                raise StackError(
                    f"{error}\n{self.directory}: its disk is full: free space"
                ) from error
            raise
        return record


def _port_was_taken(error: StackError) -> bool:
    return any(sign in str(error) for sign in _TAKEN)
