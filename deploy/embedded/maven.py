"""Files by Maven coordinates, through jgo: no mvn, no Java."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .errors import StackError

REPOSITORY_VARIABLE = "LOGINWARD_MAVEN_REPOSITORY"
_TIMEOUT_S = 60

Counter = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def maven(folder: Path, count: Counter | None = None) -> Any:
    """Give jgo's context, which keeps what it fetches in the folder.

    The files come from Maven Central, or from the mirror named by LOGINWARD_MAVEN_REPOSITORY.
    """
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - an optional extra

    mirror = os.environ.get(REPOSITORY_VARIABLE)
    return MavenContext(
        resolver=PythonResolver(progress_callback=count),
        repo_cache=folder,
        local_repos=[],
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=_TIMEOUT_S,
    )


def fetch_artifact(context: Any, coordinate: str, *, attempts: int) -> Path:
    """Fetch one jar; a cut or refused connection is tried again.

    Raises:
        StackError: it did not come.
    """
    artifact = context.create_dependency(coordinate).artifact
    failure = ""
    for _ in range(attempts):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            # jgo leaves half a file behind and would take it for the whole the next time.
            artifact.cached_path.unlink(missing_ok=True)
            failure = _first_line(error)
    raise StackError(
        f"{coordinate}: cannot be fetched in {attempts} attempts: {failure}: check the network, "
        f"or name a mirror of Maven Central in {REPOSITORY_VARIABLE}"
    )


def _first_line(error: BaseException) -> str:
    text = next(iter(str(error).splitlines()), type(error).__name__)
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
