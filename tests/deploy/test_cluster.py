"""The same start code makes a cluster, for tests of what a lost broker costs."""

import os
from pathlib import Path

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.embedded import KafkaServer
from deploy.embedded.ports import LOOPBACK, free_port


def test_three_brokers_go_on_without_one(tmp_path: Path) -> None:
    """A record is acknowledged by two brokers while the third is dead."""
    ports: list[int] = []
    while len(ports) < 6:
        ports.append(free_port(ports))
    voters = tuple(f"{node + 1}@{LOOPBACK}:{ports[node + 3]}" for node in range(3))
    brokers = [
        KafkaServer(
            tmp_path / f"kafka-{node + 1}",
            node=node + 1,
            ports={"CLIENT": ports[node], "CONTROLLER": ports[node + 3]},
            voters=voters,
            heap_mb=256,
            owner=os.getpid(),
        )
        for node in range(3)
    ]
    for broker, record in [(broker, broker.start(wait=False)) for broker in brokers]:
        broker.wait(record)
    topic = NewTopic(name="t", num_partitions=3, replication_factor=3)
    with KafkaAdminClient(bootstrap_servers=brokers[0].address) as admin:
        admin.create_topics([topic])

    brokers[2].kill()
    producer = KafkaProducer(bootstrap_servers=brokers[0].address, acks="all")
    for partition in range(3):
        assert producer.send("t", b"kept", partition=partition).get(timeout=60).offset == 0
    producer.close()
    for broker in brokers:
        broker.kill()  # a last one without a quorum would wait for it in vain
