"""One real Kafka broker (KRaft, also its own controller) on loopback."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from .endpoints import KafkaSecurity
from .errors import StackError
from .jars import class_path, read_manifest
from .java import ahead_of_time_file, java_command
from .kafka_config import (
    KafkaNode,
    Listeners,
    listener_names,
    listeners_of,
    log4j2_properties,
    server_properties,
)
from .kafka_ready import serves
from .ports import LOOPBACK
from .process import Command
from .record import ServerRecord
from .scram import USERNAME, credential, password_file
from .server import Server
from .storage import format_storage, is_formatted
from .tls import certificates, write_secret


class KafkaServer(Server):
    """A broker; several with the same `voters` make a cluster."""

    name: ClassVar[str] = "kafka"
    config_name: ClassVar[str] = "server.properties"
    # 1-3 s as a rule; recovering a large log after a kill -9 takes longer.
    start_within_s: ClassVar[float] = 120.0
    stop_within_s: ClassVar[float] = 20.0

    def __init__(
        self,
        directory: Path,
        *,
        node: int = 1,
        voters: tuple[str, ...] = (),
        listeners: Listeners | None = None,
        heap_mb: int = 768,
        java_options: tuple[str, ...] = (),
        advertised_port: int | None = None,
        **shared: Any,
    ) -> None:
        """Describe the broker; nothing is started or written.

        Args:
            directory: its folder.
            node: its number in the cluster, from 1.
            voters: NODE@HOST:PORT of all controllers; by default this broker alone.
            listeners: how clients connect; None: as at the last start, at first PLAINTEXT.
            heap_mb: Java heap, in MB.
            java_options: further options of the virtual machine.
            advertised_port: the port on loopback that clients are sent to, that of a proxy.
            shared: what every server takes: ports, owner, progress.
        """
        super().__init__(directory, **shared)
        self._node = node
        self._voters = voters
        self._listeners = listeners
        self._heap_mb = heap_mb
        self._java_options = java_options
        self._advertised_port = advertised_port

    @property
    def listeners(self) -> Listeners:
        """Give how clients connect."""
        record = self.record
        return self._listeners or (listeners_of(record.ports) if record else "PLAINTEXT")

    @property
    def security(self) -> KafkaSecurity | None:
        """Give what clients need for SASL_SSL; None for PLAINTEXT."""
        if self.listeners == "PLAINTEXT":
            return None
        return KafkaSecurity(
            username=USERNAME,
            password_file=password_file(self.directory),
            ca_file=certificates(self.directory).ca_file,
        )

    @property
    def port_names(self) -> tuple[str, ...]:
        """Give the listeners that need a port; the first is the clients'."""
        return listener_names(self.listeners)

    @property
    def logs(self) -> tuple[Path, ...]:
        """Give what Java says itself, and what Kafka says."""
        return self.directory / "console.log", self.directory / "kafka.log"

    def answers(self, record: ServerRecord) -> bool:
        """Ask for the cluster's description: is this broker in it?

        Raises:
            StackError: it runs, but not with the listeners that are wanted.
        """
        if (found := listeners_of(record.ports)) != self.listeners:
            raise StackError(f"kafka: runs with {found}, not {self.listeners}: stop it first")
        return serves(record.ports["CLIENT"], self._node, self.security)

    def command(self, ports: Mapping[str, int]) -> Command:
        """Write the configuration, format the data folder if it is new, give the command."""
        jars = class_path(read_manifest(), progress=self.progress)
        logging = self.directory / "log4j2.properties"
        logging.write_text(log4j2_properties(self.logs[1]), encoding="utf-8")
        write_secret(self.config, server_properties(self._describe(ports)))
        if not is_formatted(self._data):
            self.progress.say("Formatting Kafka's data folder")
            quick = () if self._java_options else self._quick(jars)
            java = java_command(jars, None, "-XX:TieredStopAtLevel=1", *quick)
            # The user is made in any case: a later start may ask for SASL_SSL.
            user = credential(password_file(self.directory).read_text(encoding="utf-8").strip())
            format_storage(java, self.config, self._data, "--add-scram", user)
        options = [f"-Xmx{self._heap_mb}m", "-XX:+ExitOnOutOfMemoryError", *self._quick(jars)]
        java = java_command(jars, logging, *options)
        return Command(
            argv=[*java, "kafka.Kafka", str(self.config)],
            marker=str(self.config),
            log=self.logs[0],
            environ={"PATH": os.defpath, "LANG": "C.UTF-8", **_options_of_the_user()},
        )

    def _quick(self, jars: Sequence[Path]) -> tuple[str, ...]:
        file = ahead_of_time_file(jars)
        quick = (f"-XX:AOTCache={file}",) if file.exists() else ()
        return self._java_options or quick

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _describe(self, ports: Mapping[str, int]) -> KafkaNode:
        alone = (f"{self._node}@{LOOPBACK}:{ports['CONTROLLER']}",)
        return KafkaNode(
            node=self._node,
            ports=ports,
            voters=self._voters or alone,
            data=self._data,
            certificates=certificates(self.directory) if self.security else None,
            advertised_port=self._advertised_port,
        )


def _options_of_the_user() -> dict[str, str]:
    """Give the variable that Java itself reads for further options, if it is set."""
    return {name: os.environ[name] for name in ("JDK_JAVA_OPTIONS",) if name in os.environ}
