"""The proxy between a client and a server that says everything back."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
from tests.services.proxy import Proxy

PATIENCE_SECS = 60


class Echo(socketserver.ThreadingTCPServer):
    """Says back what it hears; `heard` is all of it, `gone` counts clients that ended, `resets` broken ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answerer)
        self.heard = bytearray()
        self.gone = self.resets = 0
        self.changed = threading.Condition()

    def await_heard(self, text: bytes) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.heard.endswith(text), PATIENCE_SECS), self.heard[-100:]

    def await_gone(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.gone == number, PATIENCE_SECS), self.gone


class Answerer(socketserver.BaseRequestHandler):
    server: Echo

    def handle(self) -> None:
        broken = 0
        try:
            while chunk := self.request.recv(1 << 16):
                self.request.sendall(chunk)
                with self.server.changed:  # said after the answer, so that who waits for it knows that both happened
                    self.server.heard += chunk
                    self.server.changed.notify_all()
        except ConnectionError:
            broken = 1
        with self.server.changed:
            self.server.gone += 1
            self.server.resets += broken
            self.server.changed.notify_all()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def dial(proxy: Proxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_SECS)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def hear(client: socket.socket, size: int) -> bytes:
    heard = bytearray()
    while len(heard) < size and (chunk := client.recv(1 << 16)):
        heard += chunk
    return bytes(heard)


def test_more_than_the_proxy_holds_passes_in_both_directions_and_ends(echo: Echo) -> None:
    said = bytes(range(256)) * (1 << 15)
    with Proxy(echo.server_address) as proxy, dial(proxy) as client:

        def say() -> None:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)

        speaker = threading.Thread(target=say)
        speaker.start()
        heard = hear(client, len(said) + 1)  # one more: the end must come too
        speaker.join()
    echo.await_gone(1)
    assert heard == said
    assert echo.resets == 0


def test_a_cut_resets_every_client_and_the_server_and_new_ones_are_taken(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy, dial(proxy) as one, dial(proxy) as two:
        for client in (one, two):
            client.sendall(b"ping")
            assert hear(client, 4) == b"ping"
        proxy.cut()
        for client in (one, two):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        echo.await_gone(2)
        assert echo.resets == 2
        with dial(proxy) as third:
            third.sendall(b"pong")
            assert hear(third, 4) == b"pong"


def test_a_stalled_proxy_holds_answers_back_and_hears_requests(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy, dial(proxy) as client:
        client.sendall(b"ping")
        assert hear(client, 4) == b"ping"
        proxy.stall()
        client.sendall(b"pong")
        echo.await_heard(b"pong")
        proxy.settle()
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(PATIENCE_SECS)
        proxy.resume()
        assert hear(client, 4) == b"pong"


def test_what_settles_has_arrived(echo: Echo) -> None:
    """Without it the test of the stall could pass because the answer is late."""
    with Proxy(echo.server_address) as proxy, dial(proxy) as client:
        client.sendall(b"ping")
        echo.await_heard(b"ping")
        proxy.settle()
        client.setblocking(False)
        assert client.recv(4) == b"ping"


def test_a_hook_sees_all_bytes_and_may_cut_before_the_server_does(echo: Echo) -> None:
    seen = bytearray()

    def hook(chunk: bytes) -> None:
        seen.extend(chunk)
        if b"secret" in chunk:
            proxy.cut()

    with Proxy(echo.server_address, hook) as proxy, dial(proxy) as client:
        client.sendall(b"ping")
        assert hear(client, 4) == b"ping"
        client.sendall(b"secret")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        echo.await_gone(1)
        assert echo.resets == 1
    assert (bytes(seen), bytes(echo.heard)) == (b"pingsecret", b"ping")


def test_an_answer_is_lost_after_the_request_arrived(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy, dial(proxy) as client:
        order = proxy.cut_after(b"commit", answer=b"commit!")
        client.sendall(b"ping")
        assert hear(client, 4) == b"ping"
        client.sendall(b"-com")
        assert hear(client, 4) == b"-com"  # the request comes in two chunks
        client.sendall(b"mit")
        echo.await_heard(b"commit")
        proxy.settle()
        assert not order.happened
        client.sendall(b" then commit!")
        order.wait()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        echo.await_heard(b"commit!")
        echo.await_gone(1)
        assert echo.resets == 1


def test_an_order_is_for_one_connection_only(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy, dial(proxy) as other, dial(proxy) as client:
        order = proxy.cut_after(b"commit")
        client.sendall(b"commit")
        order.wait()
        other.sendall(b"commit")
        assert hear(other, 6) == b"commit"


def test_a_client_that_vanishes_vanishes_for_the_server(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy:
        client = dial(proxy)
        client.sendall(b"ping")
        client.close()
        echo.await_gone(1)


def test_without_a_server_clients_are_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()
    with Proxy(nobody) as proxy, pytest.raises(ConnectionResetError), dial(proxy) as client:
        client.recv(1)


def test_what_a_hook_raises_is_raised() -> None:
    def hook(chunk: bytes) -> None:
        raise ValueError(chunk)

    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(ValueError, match="ping"),
        Proxy(server.getsockname(), hook) as proxy,
        dial(proxy) as client,
    ):
        client.sendall(b"ping")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_url_leads_through_the_proxy(echo: Echo) -> None:
    with Proxy(echo.server_address) as proxy:
        assert proxy.url("postgresql://me:x%40y@db:5432/shop?a=b") == (
            f"postgresql://me:x%40y@127.0.0.1:{proxy.port}/shop?a=b"
        )
