"""How often a test of many repetitions repeats: as usual, or as `./loginward test --thorough`."""

from __future__ import annotations

import os

from loginward_cli.commands.test import THOROUGH_VARIABLE

THOROUGH = os.environ.get(THOROUGH_VARIABLE) == "1"


def times(usual: int, thorough: int) -> int:
    """`usual` repetitions, enough to find what is broken for good; `thorough` ones on request."""
    return thorough if THOROUGH else usual
