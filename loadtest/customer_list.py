"""The simulated broker's customer list, as its master data would export it."""

from __future__ import annotations

from pathlib import Path

from .population import OUTSIDERS
from .run import Request, population_of


def write_list(request: Request, path: Path) -> int:
    """Write the CSV that `loginward customers load` reads; returns how many customers it names.

    Accounts that attackers opened in their own names are customers like any other.
    """
    population = population_of(request)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("account,customer,class\n")
        out.writelines(
            f"{population.account(number)},C{number:08d},customer\n"
            for number in range(population.size + OUTSIDERS)
        )
    return population.size + OUTSIDERS
