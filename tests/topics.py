"""What stands in a topic now, read to its end however long the broker takes."""

from __future__ import annotations

from typing import Any

from kafka import KafkaConsumer, TopicPartition

from config.kafka import kafka_python_options, topic_name
from config.settings import KafkaSettings
from config.topics import TopicName


def everything(kafka: KafkaSettings, name: TopicName) -> list[Any]:
    """Every record of a topic of ours, each partition in its order.

    It ends at the offsets that were the ends when it began: "nothing came for two seconds" is no
    end on a busy machine.
    """
    consumer = KafkaConsumer(**kafka_python_options(kafka), enable_auto_commit=False)
    try:
        full = topic_name(kafka, name)
        places = [TopicPartition(full, number) for number in range(kafka.partitions)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning(*places)
        found: dict[TopicPartition, list[Any]] = {place: [] for place in places}
        while any(consumer.position(place) < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=500).items():
                found[place] += [one for one in records if one.offset < ends[place]]
        return [record for place in places for record in found[place]]
    finally:
        consumer.close()
