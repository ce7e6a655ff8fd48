"""Tells what to write into packages.toml: the newest version of each package and its checksum.

`python -m deploy.geo.pin`. What changes is looked at by a person: licences may change as well.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from ..embedded.cache import cache_dir
from ..embedded.progress import Console
from .manifest import read_manifest
from .npm import npm_command, pack


def main() -> None:
    """Fetch the newest of each and print its three lines."""
    npm = npm_command(cache_dir(), Console())
    for package in read_manifest().package:
        with tempfile.TemporaryDirectory() as scratch:
            tarball = pack(npm, package.name, Path(scratch))
            version = tarball.stem.removeprefix(f"{package.plain_name}-")
            digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
            sys.stdout.write(
                f'name = "{package.name}"\nversion = "{version}"\nsha256 = "{digest}"\n'
                f"bytes = {tarball.stat().st_size}\n\n"
            )


if __name__ == "__main__":
    main()
