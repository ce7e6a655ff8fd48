"""The proxy: what passes, what waits, what is lost, each counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from loadtest.chaos.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """Give the port of a server that says what it is told, in capitals."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def answer(client: socket.socket) -> None:
    """Serve one connection."""
    with closing(client):
        while data := client.recv(1024):
            client.sendall(data.upper())


def dial(proxy: Proxy) -> socket.socket:
    """A connection through the proxy."""
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def test_it_passes_what_it_gets(echo: int) -> None:
    """Without a fault nobody notices it."""
    with Proxy(lambda: ("127.0.0.1", echo)) as proxy, closing(dial(proxy)) as client:
        client.sendall(b"one")

        assert client.recv(10) == b"ONE"
        assert (proxy.held, proxy.slowed, proxy.lost) == (0, 0, 0)


def test_what_is_held_comes_after_the_healing(echo: int) -> None:
    """A cut loses no byte and answers nothing; healed, all goes on its way."""
    with Proxy(lambda: ("127.0.0.1", echo)) as proxy, closing(dial(proxy)) as client:
        client.sendall(b"one")
        client.recv(10)
        proxy.hold()
        client.sendall(b"two")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)
        client.settimeout(10)
        proxy.heal()

        assert client.recv(10) == b"TWO"
        assert proxy.held > 0


def test_a_lost_reply_ends_its_connection(echo: int) -> None:
    """The server has done what it was asked, the client never learns it."""
    with Proxy(lambda: ("127.0.0.1", echo)) as proxy, closing(dial(proxy)) as client:
        proxy.lose_replies()
        client.sendall(b"one")

        assert client.recv(10) == b""
        assert proxy.lost == 1
