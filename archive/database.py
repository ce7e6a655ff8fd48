"""A database in memory over sealed files: reads those alone, writes nothing, reaches nowhere."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb


def database_of(files: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """A database in memory that may read `files` and nothing else, and write nothing."""
    database = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": "",  # logins must not spill into a folder that nobody guards
        },
    )
    database.execute("SET TimeZone = 'UTC'")  # make_timestamp would mean this machine's local time
    database.execute("SET allowed_paths = ?", [list(files)])
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database
