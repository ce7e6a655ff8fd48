"""The text of Kafka's configuration files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .ports import LOOPBACK
from .scram import MECHANISM
from .tls import Certificates

Listeners = Literal["PLAINTEXT", "SASL_SSL"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaNode:
    """One broker that is also a controller."""

    node: int  # from 1
    ports: Mapping[str, int]  # CLIENT, CONTROLLER, and INTERNAL where clients use SASL_SSL
    voters: tuple[str, ...]  # NODE@HOST:PORT of every controller of the cluster
    data: Path
    certificates: Certificates | None = None  # given: clients use SASL_SSL
    advertised_port: int | None = None  # what clients are told instead of their listener's port


def listener_names(listeners: Listeners) -> tuple[str, ...]:
    """Give the names of the ports that a broker needs."""
    # A broker also talks to itself; with SASL_SSL it does so on a listener of its own.
    return ("CLIENT", "CONTROLLER", *(("INTERNAL",) if listeners == "SASL_SSL" else ()))


def listeners_of(ports: Mapping[str, int]) -> Listeners:
    """Tell from the ports of a broker how its clients connect."""
    return "SASL_SSL" if "INTERNAL" in ports else "PLAINTEXT"


def server_properties(node: KafkaNode) -> str:
    """Give server.properties."""
    replicas = min(3, len(node.voters))
    lines = {
        "process.roles": "broker,controller",
        "node.id": node.node,
        "controller.quorum.voters": ",".join(node.voters),
        "log.dirs": node.data,
        # Topics are made by the project, with their settings, never by a typing error.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": 2 if replicas > 2 else 1,  # noqa: PLR2004 - a majority of three
        # What the broker allows at most; each topic restricts it further.
        "message.max.bytes": 16 * 1024 * 1024,
        # Nobody else joins later here: a group is ready at once.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # After a kill -9 the broker may come back only when its old session has ended: 9 s by
        # default. Below 2 s a busy machine would fence a healthy broker.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # 50 partitions of each inner topic are for clusters; here they are 150 idle folders.
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": 1,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,  # of the heap; 128 MiB by default
        **_listeners(node),
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _listeners(node: KafkaNode) -> dict[str, str]:
    addresses = {name: f"{name}://{LOOPBACK}:{port}" for name, port in node.ports.items()}
    secure = node.certificates is not None
    told = dict(addresses)
    if node.advertised_port is not None:
        told["CLIENT"] = f"CLIENT://{LOOPBACK}:{node.advertised_port}"
    lines = {
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": ",".join(told[n] for n in told if n != "CONTROLLER"),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL" if secure else "CLIENT",
        "listener.security.protocol.map": ",".join(
            f"{n}:{'SASL_SSL' if secure and n == 'CLIENT' else 'PLAINTEXT'}" for n in addresses
        ),
    }
    return lines | (_secure(node.certificates) if node.certificates else {})


def _secure(certificates: Certificates) -> dict[str, str]:
    prefix = "listener.name.client."
    return {
        f"{prefix}sasl.enabled.mechanisms": MECHANISM,
        f"{prefix}{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        f"{prefix}ssl.keystore.type": "PEM",
        f"{prefix}ssl.keystore.location": str(certificates.server_file),
        f"{prefix}ssl.truststore.type": "PEM",
        f"{prefix}ssl.truststore.location": str(certificates.ca_file),
    }


def log4j2_properties(log: Path) -> str:
    """Give log4j2.properties: one file, 3 old ones of 10 MB, without the dump of every setting."""
    return f"""\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c)%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
logger.config.name = org.apache.kafka.common.config.AbstractConfig
logger.config.level = warn
"""
