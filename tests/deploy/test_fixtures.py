"""The shared fixtures hand out real servers and private corners of them."""

import redis
from kafka.admin import KafkaAdminClient

from deploy.embedded import Stack
from tests.conftest import TopicFactory


def test_the_stack_runs(stack: Stack) -> None:
    """Both servers of the session's stack answer."""
    assert [server.state for server in stack.status()] == ["up", "up"]


def test_a_fresh_topic_has_the_partitions_and_settings_asked_for(
    fresh_topic: TopicFactory, kafka_admin: KafkaAdminClient
) -> None:
    """Two calls give two topics, each as asked for."""
    first = fresh_topic("logins", partitions=3, cleanup_policy="compact")
    second = fresh_topic("logins")

    described = {t["name"]: t for t in kafka_admin.describe_topics([first, second])}
    assert first != second
    assert len(described[first]["partitions"]) == 3
    assert len(described[second]["partitions"]) == 1


def test_a_fresh_redis_is_empty_and_durable(fresh_redis: redis.Redis) -> None:
    """A write is on disk when it is answered, and nothing was there before."""
    assert fresh_redis.dbsize() == 0
    assert fresh_redis.set("a", b"1")
    assert fresh_redis.config_get("append*")["appendfsync"] == "always"
    assert fresh_redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
