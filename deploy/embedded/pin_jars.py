"""Writes jars.toml: which jars Kafka of one version needs, and their checksums.

`python -m deploy.embedded.pin_jars 4.4.0`
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from .jars import MANIFEST
from .maven import fetch_artifact, maven

# kafka-clients is named beside kafka_2.13 because jgo otherwise takes an older one that another
# dependency asks for (NoSuchMethodError at start).
_KAFKA = ("org.apache.kafka:kafka_2.13:{}", "org.apache.kafka:kafka-clients:{}")
# Kafka stands on slf4j 1.7, so the binding is log4j-slf4j-impl, not log4j-slf4j2-impl.
_LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:{}"
_LOG_CORE = "org.apache.logging.log4j:log4j-core"
_HEAD = """\
# Kafka's jars, as Maven Central has them. Written by `python -m deploy.embedded.pin_jars VERSION`.
"""


def main(version: str) -> None:
    """Resolve, fetch and write the manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        context = maven(Path(scratch))
        found = _resolve(context, [name.format(version) for name in _KAFKA])
        # The binding must be of the very version of the log4j that Kafka brings.
        log4j = next(name.rsplit(":", 1)[1] for name in found if name.startswith(_LOG_CORE))
        found |= _resolve(context, [_LOG_BINDING.format(log4j)], transitive=False)
        text = _HEAD + f'kafka_version = "{version}"\n'
        for coordinate in sorted(found):
            text += _entry(coordinate, fetch_artifact(context, coordinate, attempts=3))
    MANIFEST.write_text(text, encoding="utf-8")


def _resolve(context: object, names: list[str], *, transitive: bool = True) -> set[str]:
    wanted = [context.create_dependency(name) for name in names]  # type: ignore[attr-defined]
    for dependency in wanted:
        dependency.raw = True  # as written in their own files, not managed by one another's
    inputs, others = context.resolver.resolve(wanted, transitive=transitive)  # type: ignore[attr-defined]
    return {f"{d.groupId}:{d.artifactId}:{d.version}" for d in [*inputs, *others]}


def _entry(coordinate: str, path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        f'\n[[jar]]\ncoordinate = "{coordinate}"\nsha256 = "{digest}"\n'
        f"bytes = {path.stat().st_size}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
