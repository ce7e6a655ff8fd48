"""Where a running stack can be reached, and how."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """What a client needs for the SASL_SSL listener."""

    username: str
    password_file: Path
    ca_file: Path
    protocol: str = "SASL_SSL"
    mechanism: str = "SCRAM-SHA-512"

    @property
    def password(self) -> str:
        """Read the password from its file."""
        return self.password_file.read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses of the servers; empty for one that is not part of the stack."""

    kafka_bootstrap: str = ""
    redis_url: str = ""
    kafka_security: KafkaSecurity | None = None

    def environ(self) -> dict[str, str]:
        """Give the same as the environment variables that the settings read."""
        found = {"KAFKA_BOOTSTRAP": self.kafka_bootstrap, "REDIS_URL": self.redis_url}
        if security := self.kafka_security:
            found |= {
                "LOGINWARD_KAFKA_SECURITY_PROTOCOL": security.protocol,
                "LOGINWARD_KAFKA_SASL_MECHANISM": security.mechanism,
                "LOGINWARD_KAFKA_SASL_USERNAME": security.username,
                "LOGINWARD_KAFKA_SASL_PASSWORD_FILE": str(security.password_file),
                "LOGINWARD_KAFKA_SSL_CAFILE": str(security.ca_file),
            }
        return {name: value for name, value in found.items() if value}
