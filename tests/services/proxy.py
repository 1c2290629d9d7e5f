"""A TCP proxy between a client and a server that loses, delays and cuts what passes, at a moment the test chooses."""

from __future__ import annotations

import queue
import selectors
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_CHUNK_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
"""What one direction holds at most: beyond it the sender waits, as it would without us."""

_PATIENCE_SECS = 60
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: close() sends RST and drops what was not delivered."""


class LostAnswer:
    """An order to cut one connection between a request and its answer. See `Proxy.cut_after`."""

    def __init__(self, request: bytes, answer: bytes) -> None:
        self.request, self.answer = request, answer
        self._done = threading.Event()

    def wait(self) -> None:
        """Returns when the server has answered and the connection is cut; AssertionError if that never comes."""
        assert self._done.wait(_PATIENCE_SECS), f"no answer {self.answer!r} to {self.request!r} was seen"

    @property
    def happened(self) -> bool:
        return self._done.is_set()

    def fulfil(self) -> None:
        self._done.set()


class _Direction:
    """Bytes on their way from one socket to the other."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self.waiting = bytearray()
        self.source_ended = False
        self.sink_told = False

    @property
    def has_room(self) -> bool:
        return not self.source_ended and len(self.waiting) < _BUFFER_BYTES

    @property
    def is_due(self) -> bool:
        """Whether the sink is still to be told bytes, or the end."""
        return bool(self.waiting) or (self.source_ended and not self.sink_told)

    def send(self) -> None:
        """As much as the sink takes; then the end, if the source has ended."""
        if self.waiting:
            with suppress(BlockingIOError):
                del self.waiting[: self.sink.send(self.waiting)]
        if self.is_due and not self.waiting:
            self.sink.shutdown(socket.SHUT_WR)
            self.sink_told = True


class _Connection:
    """A client, its server, and both directions between them."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.up, self.down = _Direction(client, server), _Direction(server, client)
        self.lost: LostAnswer | None = None
        self.seen = b""
        """The end of what the client sent, or, once an answer is to be lost, all that the server said since."""

    @property
    def ends(self) -> tuple[socket.socket, socket.socket]:
        return self.client, self.server


class Proxy:
    """Listens on loopback and forwards to `upstream` (host, port), as a context manager.

    All sockets live in one thread. The methods may be called from any, and from `on_client`; what they ask for has
    happened when they return. `on_client` gets every chunk of a client before it is forwarded; if it calls `cut()`, the
    server never sees that chunk. What is encrypted can't be searched: ask clients for plain connections
    (sslmode=disable).
    """

    def __init__(self, upstream: tuple[str, int], on_client: Callable[[bytes], None] | None = None) -> None:
        self._upstream = upstream
        self._on_client = on_client
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: set[_Connection] = set()
        self._lost: LostAnswer | None = None
        self._stalled = False
        self._failure: BaseException | None = None
        self._calls: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self._bell, self._ringer = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Resets what is left. What `on_client` raised is raised here, and ended the proxy then."""
        self._ringer.close()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def url(self, url: str) -> str:
        """The same URL, but through the proxy."""
        parts = urlsplit(url)
        who, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{who}{at}127.0.0.1:{self.port}").geturl()

    def cut(self) -> None:
        """Resets (RST) every connection on both sides; what was on its way is lost. New ones are accepted."""
        self._call(self._cut)

    def divert(self, upstream: tuple[str, int]) -> None:
        """New connections go there (host, port); those that stand stay."""
        self._call(lambda: setattr(self, "_upstream", upstream))

    def stall(self) -> None:
        """Forwards nothing from servers to clients until `resume()`; clients are still heard."""
        self._call(lambda: setattr(self, "_stalled", True))

    def resume(self) -> None:
        self._call(lambda: setattr(self, "_stalled", False))

    def cut_after(self, request: bytes, answer: bytes = b"") -> LostAnswer:
        """Loses the next answer to `request`: the commit that happened, and of which its client never heard.

        The first connection whose client sends these bytes has them forwarded; nothing that the server says from then
        on goes back. It is reset on both sides once the server has said something that contains `answer` (b"":
        anything). Name the answer if earlier ones may still be on their way. One order at a time; a new one replaces an
        unused one.
        """
        order = LostAnswer(request, answer)
        self._call(lambda: setattr(self, "_lost", order))
        return order

    def settle(self) -> None:
        """Returns when all that had arrived at the proxy has been forwarded, as far as it may and is taken."""
        for _ in range(3):  # accept, read, write
            self._call(lambda: None)

    def _call(self, action: Callable[[], None]) -> None:
        if threading.current_thread() is self._thread:
            action()
            return
        done = threading.Event()
        self._calls.put((action, done))
        self._ringer.send(b"!")
        assert done.wait(_PATIENCE_SECS), "the proxy has ended"

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        try:
            while self._turn():
                pass
        except BaseException as failure:
            self._failure = failure
        finally:
            self._cut()
            for end in (self._selector, self._listener, self._bell):
                end.close()

    def _turn(self) -> bool:
        """Does what can be done now; False at the end."""
        for connection in self._connections:
            self._watch(connection)
        ready = self._selector.select()
        called = False
        for key, events in ready:
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._bell:
                called = True
            elif key.data in self._connections:
                self._serve(key.data, key.fileobj, events)
        return not called or self._answer_calls()

    def _answer_calls(self) -> bool:
        """Does what other threads asked for; False if the bell says that the block was left."""
        bell = self._bell.recv(_CHUNK_BYTES)
        while not self._calls.empty():
            action, done = self._calls.get()
            action()
            done.set()
        return bell != b""

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._upstream, timeout=_PATIENCE_SECS)
        except OSError:  # nobody is there: so is it for our client
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(_Connection(client, server))

    def _watch(self, connection: _Connection) -> None:
        """Asks the selector for what both sockets may do next."""
        for end, incoming, outgoing in (
            (connection.client, connection.up, connection.down),
            (connection.server, connection.down, connection.up),
        ):
            events = selectors.EVENT_READ if incoming.has_room else 0
            if outgoing.is_due and not self._is_held(outgoing, connection):
                events |= selectors.EVENT_WRITE
            self._register(end, events, connection)

    def _register(self, end: socket.socket, events: int, connection: _Connection) -> None:
        known = end in self._selector.get_map()
        if events and known:
            self._selector.modify(end, events, connection)
        elif events:
            self._selector.register(end, events, connection)
        elif known:
            self._selector.unregister(end)

    def _is_held(self, direction: _Direction, connection: _Connection) -> bool:
        return self._stalled and direction is connection.down

    def _serve(self, connection: _Connection, end: object, events: int) -> None:
        incoming = connection.up if end is connection.client else connection.down
        try:
            if events & selectors.EVENT_READ:
                self._read(connection, incoming)
            for direction in (connection.up, connection.down):
                if connection in self._connections and not self._is_held(direction, connection):
                    direction.send()
        except OSError:  # one end is gone: the other hears of it in the same way
            self._reset(connection)
        if connection in self._connections and connection.up.sink_told and connection.down.sink_told:
            self._forget(connection)

    def _read(self, connection: _Connection, direction: _Direction) -> None:
        chunk = direction.source.recv(_CHUNK_BYTES)
        direction.source_ended = not chunk
        if direction is connection.up:
            self._hear_client(connection, chunk)
        elif connection.lost is not None:
            self._lose(connection, connection.lost, chunk)
        else:
            direction.waiting += chunk

    def _hear_client(self, connection: _Connection, chunk: bytes) -> None:
        if chunk and self._on_client is not None:
            self._on_client(chunk)
        if connection not in self._connections:  # the hook has cut it
            return
        connection.up.waiting += chunk
        if self._lost is None or connection.lost is not None:
            return
        said, request = connection.seen + chunk, self._lost.request
        if request in said:
            connection.lost, self._lost, connection.seen = self._lost, None, b""
        else:
            connection.seen = said[max(0, len(said) - len(request) + 1) :]  # it may come in two chunks

    def _lose(self, connection: _Connection, order: LostAnswer, chunk: bytes) -> None:
        connection.seen += chunk
        answered = chunk and order.answer in connection.seen
        if answered or not chunk:
            self._reset(connection)
        if answered:
            order.fulfil()

    def _cut(self) -> None:
        for connection in list(self._connections):
            self._reset(connection)

    def _reset(self, connection: _Connection) -> None:
        for end in connection.ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._forget(connection)

    def _forget(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        for end in connection.ends:
            self._register(end, 0, connection)
            end.close()
