"""A worker stops where most records cannot be read, and never because of a few."""

from __future__ import annotations

import pytest

from stream.reject_limit import RejectLimit, TooManyRejectedError


def took(*batches: tuple[int, int], percent: int = 50, over: int = 1000) -> int | None:
    """The number of the batch at which a worker stops; None: it goes on."""
    limit = RejectLimit(percent, over)
    for number, (read, rejected) in enumerate(batches):
        try:
            limit.take(read, rejected)
        except TooManyRejectedError:
            return number
    return None


@pytest.mark.parametrize(
    ("batches", "stops"),
    [
        pytest.param([(1000, 500)], None, id="half is the limit"),
        pytest.param([(1000, 501)], 0, id="one more"),
        pytest.param([(999, 999)], None, id="too few to tell"),
        pytest.param([(999, 999), (1, 1)], 1, id="now enough"),
        pytest.param([(1000, 0), (500, 500), (501, 501)], 2, id="what is old does not excuse"),
        pytest.param([(1000, 0), (400, 400), (500, 0), (100, 100)], None, id="mixed"),
        pytest.param([(5000, 2501)], 0, id="one large batch"),
        pytest.param([(0, 0), (1000, 501)], 1, id="an empty batch"),
        pytest.param([(1000, 0)] * 50 + [(100, 100)] * 10, 59, id="after long peace"),
    ],
)
def test_the_share_of_the_last_records_decides(
    batches: list[tuple[int, int]], stops: int | None
) -> None:
    """Whole batches, at least `over` records of them."""
    assert took(*batches) == stops


def test_a_hundred_percent_is_no_limit() -> None:
    """Whoever wants to drain a topic can."""
    assert took(*[(1000, 1000)] * 100, percent=100) is None


def test_the_sentence_says_what_to_do() -> None:
    """Counts, the setting, and the way out."""
    with pytest.raises(TooManyRejectedError) as caught:
        RejectLimit(50, 1000).take(1000, 501)

    for said in ("501 of the last 1000", "detect.rejects_percent = 50", "rejects list"):
        assert said in str(caught.value)
