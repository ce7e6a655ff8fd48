"""What a Kafka client needs to connect: addresses, TLS, user and password out of a file."""

from __future__ import annotations

import ssl
from typing import Any

from detectors.errors import LoginwardError

from .secret_files import read_password
from .sections import KafkaSettings


def aiokafka_options(kafka: KafkaSettings) -> dict[str, Any]:
    """What AIOKafkaConsumer, AIOKafkaProducer and AIOKafkaAdminClient need to connect.

    Raises LoginwardError where a key, certificate or password file cannot be used.
    """
    options = _options(kafka)
    return options | {"bootstrap_servers": ",".join(options["bootstrap_servers"])}


def kafka_python_options(kafka: KafkaSettings) -> dict[str, Any]:
    """What KafkaConsumer, KafkaProducer and KafkaAdminClient need to connect.

    Raises LoginwardError where a key, certificate or password file cannot be used.
    """
    return _options(kafka)


def producer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """For an AIOKafkaProducer that neither loses nor doubles a record by its own retries."""
    return aiokafka_options(kafka) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "lz4",
    }


def _options(kafka: KafkaSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": [part.strip() for part in kafka.bootstrap.split(",")],
        "security_protocol": kafka.security_protocol,
        "client_id": "loginward",
    }
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(kafka)
    if kafka.sasl_mechanism is not None and kafka.sasl_password_file is not None:
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = read_password(
            "kafka.sasl_password_file", kafka.sasl_password_file
        )
    return options


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except (OSError, ssl.SSLError) as failure:
        raise LoginwardError(
            f"kafka.ssl_cafile: {kafka.ssl_cafile}: {failure}; name a PEM file of certificates"
        ) from None
    if kafka.ssl_certfile is not None:
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
        except (OSError, ssl.SSLError) as failure:
            raise LoginwardError(
                f"kafka.ssl_certfile: {kafka.ssl_certfile} with {kafka.ssl_keyfile}: {failure}; "
                "name a PEM certificate and its unencrypted key"
            ) from None
    return context
