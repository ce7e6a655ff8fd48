"""Asks a broker, by Kafka's protocol, whether it serves."""

import socket
from typing import Any

from .endpoints import KafkaSecurity
from .ports import LOOPBACK

_ANSWER_MS = 5000


def serves(port: int, node: int, security: KafkaSecurity | None) -> bool:
    """Tell whether the broker answers and counts itself among the cluster's brokers."""
    if not _listens(port):
        return False
    from kafka.admin import KafkaAdminClient  # noqa: PLC0415 - 0.2 s, only where it is asked
    from kafka.errors import KafkaError  # noqa: PLC0415

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=f"{LOOPBACK}:{port}",
            bootstrap_timeout_ms=_ANSWER_MS,
            request_timeout_ms=_ANSWER_MS,
            **client_options(security),
        )
        try:
            brokers = admin.describe_cluster()["brokers"]
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False
    return any(broker["broker_id"] == node and not broker["is_fenced"] for broker in brokers)


def client_options(security: KafkaSecurity | None) -> dict[str, Any]:
    """Give the options of a kafka-python client for this listener."""
    if security is None:
        return {}
    return {
        "security_protocol": security.protocol,
        "sasl_mechanism": security.mechanism,
        "sasl_plain_username": security.username,
        "sasl_plain_password": security.password,
        "ssl_cafile": str(security.ca_file),
    }


def _listens(port: int) -> bool:
    """Tell it cheaply: Kafka's client waits longer and logs each refusal."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
