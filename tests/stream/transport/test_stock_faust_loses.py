"""Why the batched transport exists: stock Faust commits what was not done, side by side with ours.

Each of these runs a stock Faust worker and asserts that it loses. If one fails after an upgrade of
Faust, Faust has been mended there and the reason in stream/transport/ can be shortened.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kafka.admin import KafkaAdminClient

from tests.conftest import TopicFactory

from . import stock_worker
from .workers import Worker, committed, eventually, produce

Start = Callable[..., Worker]


@pytest.fixture
def topic(fresh_topic: TopicFactory, kafka_bootstrap: str) -> str:
    """Give a topic of one partition with 20 records in frames of five."""
    topic = fresh_topic("logins")
    produce(kafka_bootstrap, topic, [20], frame=5)
    return topic


def test_l1_stock_faust_commits_past_an_event_whose_agent_raised(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """Stock: offset 12 raised, was never handled, and is below the commit. Ours: test_acks.py."""
    worker = start(topic, main=stock_worker.main, transport="kafka", raise_at=12)
    worker.wait_for("handled 0 19")

    eventually(lambda: committed(kafka_admin, group, topic), {0: 20})
    assert "handled 0 12" not in worker.said


@pytest.mark.parametrize(
    ("transport", "expected"),
    [
        pytest.param("kafka", {0: 20}, id="stock commits past the event in work"),
        pytest.param("batched", {}, id="ours commits nothing"),
    ],
)
def test_l5_two_agents_and_the_first_event_still_in_work(
    start: Start,
    topic: str,
    group: str,
    kafka_admin: KafkaAdminClient,
    transport: str,
    expected: dict[int, int],
) -> None:
    """One agent hangs on the head of the partition while the other finishes all the rest."""
    worker = start(topic, main=stock_worker.main, transport=transport, concurrency=2, hang_at=0)
    for offset in range(5, 20) if transport == "kafka" else (5, 10, 15):
        worker.wait_for(f"handled 0 {offset}")

    if transport == "batched":
        worker.wait_for_silence(2.5)  # two commit intervals of a second
    eventually(lambda: committed(kafka_admin, group, topic), expected)
