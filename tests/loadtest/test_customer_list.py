"""The customer list of a run."""

from __future__ import annotations

import csv
from pathlib import Path

from loadtest.customer_list import write_list
from loadtest.rendering import OPTIONAL

from .conftest import Make


def test_it_names_who_is_a_customer_and_nobody_else(make: Make, tmp_path: Path) -> None:
    """What the run calls a customer's account stands in the list, what it calls unknown does not.

    Own accounts of an attacker are customers' accounts.
    """
    request = make.request("A:0.01+G+H", scale=0.02, fields=OPTIONAL)
    made = make("A:0.01+G+H", scale=0.02, fields=OPTIONAL)

    written = write_list(request, tmp_path / "customers.csv")

    with (tmp_path / "customers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    listed = {row["account"] for row in rows}
    assert len(listed) == len({row["customer"] for row in rows}) == written
    assert {row["class"] for row in rows} == {"customer"}
    for raw, line in zip(made.lines, made.ledger, strict=True):
        assert (line.account in listed) == (b'"account_class":"customer"' in raw)
