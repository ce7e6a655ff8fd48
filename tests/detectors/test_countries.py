"""The distance of countries is a lower bound, the same both ways, and silent where unsure."""

from __future__ import annotations

import pytest

from detectors.countries import _circles, apart_km


@pytest.mark.parametrize(
    ("one", "other", "at_most"),
    [
        ("TW", "HK", 616),  # Tainan - Ma On Shan
        ("TW", "JP", 607),  # Keelung - Naha
        ("TW", "KR", 1017),  # Keelung - Seogwipo
        ("TW", "VN", 1270),  # Tainan - Mong Cai
        ("TW", "US", 7492),  # Keelung - Anchorage
        ("TW", "SG", 2950),  # Kaohsiung - Singapore
        ("VN", "KR", 2400),
        ("FJ", "NZ", 2200),  # on both sides of the date line
    ],
)
def test_no_two_big_towns_are_nearer(one: str, other: str, at_most: int) -> None:
    """The bound is below the distance of the nearest towns, and not far below."""
    assert 0.75 * at_most < apart_km(one, other) <= at_most
    assert apart_km(one, other) == apart_km(other, one)


@pytest.mark.parametrize("pair", ["TWCN", "CNHK", "USCA", "FRDE", "TWTW", "TWZZ", "ZZTW"])
def test_neighbours_and_unknown_countries_are_no_distance_apart(pair: str) -> None:
    """Nothing is said where one may walk, or where nobody knows."""
    assert apart_km(pair[:2], pair[2:]) == 0


def test_every_circle_is_a_place_on_earth() -> None:
    """The table holds two-letter countries, degrees, and radii of less than a continent."""
    table = _circles()

    assert len(table) > 240
    for country, circles in table.items():
        assert len(country) == 2
        assert country.isupper()
        for circle in circles:
            assert abs(circle.latitude) <= 90
            assert abs(circle.longitude) <= 180
            assert 0 <= circle.radius < 1_100
