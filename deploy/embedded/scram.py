"""The one user of the SASL_SSL listener, as Kafka stores it (RFC 5802)."""

import base64
import hashlib
import secrets
from pathlib import Path

from .tls import write_secret

USERNAME = "loginward"
MECHANISM = "SCRAM-SHA-512"
_ITERATIONS = 8192  # Kafka's floor is 4096


def password_file(directory: Path) -> Path:
    """Give the file that holds the user's password, made where missing."""
    path = directory / "kafka-password"
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24) + "\n")
    return path


def credential(password: str) -> str:
    """Give the argument of `kafka-storage format --add-scram`.

    It carries the salted password: an argument can be read by others on the machine.
    """
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    shown = {"salt": _base64(salt), "saltedpassword": _base64(salted)}
    fields = [f"name={USERNAME}", f"iterations={_ITERATIONS}"]
    fields += [f'{name}="{value}"' for name, value in shown.items()]
    return f"{MECHANISM}=[{','.join(fields)}]"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
