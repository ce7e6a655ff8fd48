"""A key's line is found wherever TOML lets it stand."""

from __future__ import annotations

import string
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.toml_lines import KeyPath, locate

TRICKY = """\
top = 1 # [not.a.section] [ {
text = QUOTES
[no.section]
also = "no key"
QUOTES
"quoted key" = '''
x = 2
'''
list = [
  "a", # ]
  "[b]",
  { inner = 1 },
]

[section]
key = "a # b"
dotted.deep = 3
  [section.sub] # comment
  key = 4

[[system]]
name = "one"
[[system]]
name = "two"
[system.detail]
why = true
""".replace("QUOTES", '"' * 3)


def _leaves(content: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Each path of a parsed file down to the first value that is no plain table."""
    if isinstance(content, dict) and content:
        return set().union(*(_leaves(value, (*path, key)) for key, value in content.items()))
    tables = isinstance(content, list) and content and all(isinstance(x, dict) for x in content)
    if tables:
        return set().union(*(_leaves(value, (*path, at)) for at, value in enumerate(content)))
    return {path}


def test_finds_each_key_on_its_line() -> None:
    """Multi-line strings, arrays, comments, quotes and arrays of tables do not mislead."""
    lines = locate(TRICKY)

    source = TRICKY.splitlines()
    assert source[lines[("section", "key")] - 1] == 'key = "a # b"'
    assert source[lines[("section", "dotted", "deep")] - 1] == "dotted.deep = 3"
    assert source[lines[("section", "sub", "key")] - 1] == "  key = 4"
    assert source[lines[("system", 1, "name")] - 1] == 'name = "two"'
    assert source[lines[("system", 1, "detail", "why")] - 1] == "why = true"
    assert ("no", "section") not in lines
    assert ("also",) not in lines
    assert ("x",) not in lines
    assert _leaves(tomllib.loads(TRICKY)) <= set(lines)


names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=8)
values = st.sampled_from(
    [
        "1",
        "1 # [ {",
        '"x"',
        "'# [a]'",
        '"\\""',
        "[1, 2]",
        "[\n  1, # ]\n]",
        '"""\n[a]\nb = 1\n"""',
        "{}",
    ]
)
tables = st.dictionaries(names, values, min_size=1, max_size=4)


@given(st.dictionaries(names, tables, min_size=1, max_size=4), tables)
def test_finds_every_key_tomllib_finds(
    sections: dict[str, dict[str, str]], top: dict[str, str]
) -> None:
    """Whatever tomllib accepts, each key of it has a line, and that line holds the key."""
    parts = [f"{key} = {value}\n" for key, value in top.items() if key not in sections]
    for section, keys in sections.items():
        parts += [f"[{section}]\n", *(f"{key} = {value}\n" for key, value in keys.items())]
    text = "".join(parts)

    lines = locate(text)

    source = text.splitlines()
    for section, keys in tomllib.loads(text).items():
        for key in keys if isinstance(keys, dict) else ():
            assert source[lines[(section, key)] - 1].startswith(f"{key} = ")
