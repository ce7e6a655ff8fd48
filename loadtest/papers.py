"""What is traded: made-up papers of three markets, some of which everybody holds."""

from __future__ import annotations

from .attempts import Deed

# Shares and counts are assumptions; codes are nobody's.
_TWSE = ("TWSE", "T", 900)
_TPEX = ("TPEX", "P", 700)
_HKEX = ("HKEX", "H", 400)
_AMONG_100 = (_TWSE,) * 87 + (_TPEX,) * 10 + (_HKEX,) * 3


def order(chance: float, which: float) -> Deed:
    """An order of a customer. `chance` (0 to 1) picks the market, `which` the paper; cubed: the
    best-known of 900 papers is in a tenth of the orders.
    """
    market, letter, papers = _AMONG_100[int(chance * 100)]
    return Deed("order", f"{letter}{int(papers * which**3):04d}", market)


def obscure(which: int) -> Deed:
    """An order for a paper of Hong Kong that few hold, as on 25 November 2021."""
    market, letter, papers = _HKEX
    half = papers // 2
    return Deed("order", f"{letter}{half + which % half:04d}", market)
