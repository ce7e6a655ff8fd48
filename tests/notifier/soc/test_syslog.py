"""Syslog at a real receiver that parses strictly: outages, hang-ups and TLS lose nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.embedded.tls import certificates
from notifier.soc.output import Refused
from notifier.soc.queue import Queue
from notifier.soc.syslog import Receiver, Syslog
from notifier.soc.syslog_format import Sender
from notifier.soc.worker import Worker

from .made import HOSTILE, MINUTE, Clock, item, made_metrics, queue
from .receivers import SyslogReceiver, parse

SENDER = Sender(host="soc1.example", enterprise=32473, largest=8192)


def syslog(
    port: int,
    transport: str = "tcp",
    tls: ssl.SSLContext | None = None,
    elapsed: Callable[[], float] = time.monotonic,
) -> Syslog:
    """An output to loopback."""
    receiver = Receiver(
        host="127.0.0.1",
        port=port,
        transport=transport,  # type: ignore[arg-type]  # a test's own text
        tls=tls,
        timeout=60,
    )
    return Syslog(receiver, SENDER, elapsed)


async def drained(output: Syslog, waiting: Queue, clock: Clock) -> None:
    """Turn until nothing is owed; each turn a minute later."""
    worker = Worker(output=output, queue=waiting, metrics=made_metrics(), now=clock)
    for _ in range(100):
        await worker.turn()
        clock.pass_(MINUTE)
        if waiting.backlog("syslog") == (0, None):
            return
    raise AssertionError("still owed")


def test_every_message_parses_and_says_what_the_alert_says(tmp_path: Path) -> None:
    """A thousand alerts, hostile ones among them, over one connection."""
    receiver, clock = SyslogReceiver(), Clock()
    receiver.start()
    waiting = queue(tmp_path, clock, "syslog")
    waiting.put([item(number, accounts=[f"{HOSTILE}{number}"]) for number in range(1000)])

    async def run() -> None:
        output = syslog(receiver.port)
        await drained(output, waiting, clock)
        receiver.wait_for(1000)
        await output.close()

    asyncio.run(run())
    receiver.stop()

    said = {message.params["alert"]: message.said["accounts"] for message in receiver.messages}
    assert said == {item(n).id: [f"{HOSTILE}{n}"] for n in range(1000)}
    assert len(receiver.messages) == 1000


def test_a_receiver_that_dies_and_comes_back_has_everything(tmp_path: Path) -> None:
    """What it took in its last moments comes again, under the same alert and revision."""
    receiver, clock = SyslogReceiver(), Clock()
    receiver.start()
    waiting = queue(tmp_path, clock, "syslog")

    async def run() -> None:
        output = syslog(receiver.port)
        waiting.put([item(number) for number in range(50)])
        await drained(output, waiting, clock)
        receiver.wait_for(50)
        receiver.messages.clear()  # it kept them in memory, and died
        receiver.stop()
        waiting.put([item(number) for number in range(50, 60)])
        worker = Worker(output=output, queue=waiting, metrics=made_metrics(), now=clock)
        assert not await worker.turn()
        assert waiting.backlog("syslog")[0] >= 10
        receiver.start()
        clock.pass_(MINUTE)
        await drained(output, waiting, clock)
        receiver.wait_for(60)
        await output.close()

    asyncio.run(run())
    receiver.stop()

    assert {m.params["alert"] for m in receiver.messages} == {item(n).id for n in range(60)}
    assert {m.params["revision"] for m in receiver.messages} == {"1"}


def test_what_was_taken_long_before_a_hang_up_is_not_sent_again(tmp_path: Path) -> None:
    """A receiver that restarts every night does not get the whole day twice."""
    receiver, clock = SyslogReceiver(), Clock()
    elapsed = [0.0]
    receiver.start()
    waiting = queue(tmp_path, clock, "syslog")

    async def run() -> None:
        output = syslog(receiver.port, elapsed=lambda: elapsed[0])
        waiting.put([item(1)])
        await drained(output, waiting, clock)
        receiver.wait_for(1)
        elapsed[0] = 60.0
        receiver.stop()
        receiver.start()
        waiting.put([item(2)])
        await drained(output, waiting, clock)
        receiver.wait_for(2)
        await output.close()

    asyncio.run(run())
    receiver.stop()

    assert [m.params["alert"] for m in receiver.messages] == [item(1).id, item(2).id]


def test_a_receiver_that_takes_nothing_off_its_socket_is_no_delivery() -> None:
    """Full buffers are told as an outage within the time allowed, not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver = Receiver(
            host="127.0.0.1",
            port=deaf.getsockname()[1],
            transport="tcp",
            tls=None,
            timeout=3,
        )

        async def run() -> None:
            output = Syslog(
                receiver, Sender(host="h", enterprise=1, largest=60_000), time.monotonic
            )
            many = [f"e{number:060}" for number in range(900)]
            with pytest.raises(Refused, match="TimeoutError"):
                await output.send([item(number, event_ids=many) for number in range(20)])
            await output.close()

        asyncio.run(run())


def test_over_tls_the_receiver_must_be_who_it_says(tmp_path: Path) -> None:
    """Its own authority is trusted, a stranger's certificate is an outage."""
    (tmp_path / "ours").mkdir()
    ours = certificates(tmp_path / "ours")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(ours.server_file)
    receiver, clock = SyslogReceiver(server), Clock()
    receiver.start()
    waiting = queue(tmp_path, clock, "syslog")
    waiting.put([item(number) for number in range(300)])

    async def run() -> None:
        stranger = syslog(receiver.port, "tls", ssl.create_default_context())
        with pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.send([item(1)])
        trusted = ssl.create_default_context(cafile=ours.ca_file)
        output = syslog(receiver.port, "tls", trusted)
        await drained(output, waiting, clock)
        receiver.wait_for(300)
        await output.close()

    asyncio.run(run())
    receiver.stop()

    assert {m.params["alert"] for m in receiver.messages} == {item(n).id for n in range(300)}


def test_over_udp_each_alert_is_one_datagram() -> None:
    """No framing, no waiting."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(60)

        async def run() -> None:
            output = syslog(listening.getsockname()[1], "udp")
            assert await output.send([item(1), item(2)]) == ()
            await output.close()

        asyncio.run(run())
        got = {parse(listening.recv(65_536)).params["alert"] for _ in range(2)}

    assert got == {item(1).id, item(2).id}
