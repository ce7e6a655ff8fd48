"""What customers call a country and a way to log in: words for messages, nothing else."""

from __future__ import annotations

from typing import Final

from detectors.events import Channel

from .ledger_records import Language

_COUNTRIES: Final[dict[str, tuple[str, str]]] = {
    "TW": ("台灣", "Taiwan"),
    "JP": ("日本", "Japan"),
    "CN": ("中國大陸", "China"),
    "HK": ("香港", "Hong Kong"),
    "MO": ("澳門", "Macao"),
    "KR": ("韓國", "South Korea"),
    "SG": ("新加坡", "Singapore"),
    "MY": ("馬來西亞", "Malaysia"),
    "TH": ("泰國", "Thailand"),
    "VN": ("越南", "Vietnam"),
    "PH": ("菲律賓", "Philippines"),
    "ID": ("印尼", "Indonesia"),
    "KH": ("柬埔寨", "Cambodia"),
    "IN": ("印度", "India"),
    "US": ("美國", "United States"),
    "CA": ("加拿大", "Canada"),
    "BR": ("巴西", "Brazil"),
    "GB": ("英國", "United Kingdom"),
    "FR": ("法國", "France"),
    "DE": ("德國", "Germany"),
    "NL": ("荷蘭", "Netherlands"),
    "IT": ("義大利", "Italy"),
    "ES": ("西班牙", "Spain"),
    "RU": ("俄羅斯", "Russia"),
    "UA": ("烏克蘭", "Ukraine"),
    "TR": ("土耳其", "Turkey"),
    "AU": ("澳洲", "Australia"),
    "NZ": ("紐西蘭", "New Zealand"),
}
"""ISO 3166 codes from where customers log in or attacks come; others are shown as their code."""

_WAYS: Final[dict[Channel, tuple[str, str]]] = {
    "web": ("網頁", "web"),
    "app": ("APP", "app"),
    "api": ("API", "API"),
    "dma": ("專線下單", "direct market access"),
    "phone": ("電話", "telephone"),
}
_CODE: Final = 2


def place(country: str | None, language: Language) -> str:
    """A country's name, its code where we have no name; empty where it is not known."""
    code = (country or "").upper()
    if len(code) != _CODE or not (code.isascii() and code.isalpha()):
        return ""
    return _COUNTRIES.get(code, (code, code))[language == "en"]


def way(channel: Channel | None, language: Language) -> str:
    """How somebody logged in, in the customer's words; empty where nobody knows."""
    return "" if channel not in _WAYS else _WAYS[channel][language == "en"]
