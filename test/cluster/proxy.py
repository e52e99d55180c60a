# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that breaks the wire when a test tells it to: slow, silent, one-way, reset, refusing.

    with Proxy("127.0.0.1", 9042) as proxy:      # proxy.address, proxy.port
        proxy.latency_ms = 200                   # both ways, from now on
        proxy.silence()                          # bytes are held back; connections stay
        proxy.silence(up=False)                  # only those towards the client: requests arrive, answers do not
        proxy.heal()                             # what was held back flows, in order
        proxy.reset()                            # every connection ends by RST
        proxy.refuse()                           # and no new one is let in, until heal()
"""
import contextlib
import heapq
import selectors
import socket
import struct
import threading
import time

CHUNK = 65536
HELD_BYTES_MAX = 16 << 20  # more is not read: the sender feels the pressure


class Pipe:
    """One direction of a connection: what was read and is not yet due to be written."""

    def __init__(self, source, target, upward):
        self.source, self.target, self.upward = source, target, upward
        self.waiting = []  # (due, number, bytes), the end of the stream as b""
        self.count = 0
        self.bytes = 0
        self.done = False  # the end was passed on

    def put(self, data, due):
        last = max((entry[0] for entry in self.waiting), default=0)
        heapq.heappush(self.waiting, (max(due, last), self.count, data))  # never before what came earlier
        self.count += 1
        self.bytes += len(data)

    @property
    def ended(self):
        return self.done or any(not entry[2] for entry in self.waiting)


class Proxy:
    def __init__(self, host, port, listen="127.0.0.1", listen_port=0):
        self.target = (host, port)
        self.latency_ms = 0
        self.connections = 0  # accepted so far
        self.forwarded = {True: 0, False: 0}  # bytes towards the server (True), towards the client (False)
        self._silent = {True: False, False: False}
        self._refusing = False
        self._pipes = {}  # source socket: Pipe
        self._lock = threading.RLock()
        self._listener = socket.create_server((listen, listen_port))
        self._listener.setblocking(False)
        self.address, self.port = self._listener.getsockname()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        for one in (self._listener, self._woken):
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ)
        self._running = True
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # what tests toggle

    def silence(self, up=True, down=True):
        """Holds bytes back towards the server (up) and the client (down)."""
        with self._lock:
            self._silent = {True: up, False: down}
        self._nudge()

    def refuse(self):
        """New connections are reset as soon as they are made; those that are stay."""
        with self._lock:
            self._refusing = True

    def heal(self):
        with self._lock:
            self._silent = {True: False, False: False}
            self._refusing = False
            self.latency_ms = 0
        self._nudge()

    def reset(self):
        """Ends every connection by RST, on both sides."""
        with self._lock:
            for source in list(self._pipes):
                self._drop(source)
        self._nudge()

    @property
    def open_connections(self):
        with self._lock:
            return len(self._pipes) // 2

    def close(self):
        self._running = False
        self._nudge()
        self._thread.join()
        self.reset()
        for one in (self._listener, self._wake, self._woken, self._selector):
            one.close()

    # the thread

    def _nudge(self):
        with contextlib.suppress(OSError):
            self._wake.send(b".")

    def _run(self):
        while self._running:
            ready = [key.fileobj for key, _ in self._selector.select(self._patience())]
            with self._lock:
                for one in ready:
                    if one is self._listener:
                        self._accept()
                    elif one is self._woken:
                        one.recv(CHUNK)
                    elif one in self._pipes:
                        self._read(self._pipes[one])
                for pipe in list(self._pipes.values()):
                    self._write(pipe)

    def _patience(self):
        """Seconds until something held back for its latency is due; short while a peer takes no bytes."""
        with self._lock:
            due = [pipe.waiting[0][0] for pipe in self._pipes.values() if pipe.waiting and not self._silent[pipe.upward]]
        return min(max(0.001, min(due) - time.monotonic()), 1) if due else 1

    def _accept(self):
        client, _ = self._listener.accept()
        self.connections += 1
        if self._refusing:
            return abort(client)
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            return abort(client)
        for source, target, upward in ((client, server, True), (server, client, False)):
            source.setblocking(False)
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pipes[source] = Pipe(source, target, upward)
            self._selector.register(source, selectors.EVENT_READ)

    def _read(self, pipe):
        if pipe.bytes > HELD_BYTES_MAX:
            self._unwatch(pipe.source)
            return
        try:
            data = pipe.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            return self._drop(pipe.source)
        pipe.put(data, time.monotonic() + self.latency_ms / 1000)
        if not data:
            self._unwatch(pipe.source)

    def _write(self, pipe):
        while pipe.waiting and not self._silent[pipe.upward] and pipe.waiting[0][0] <= time.monotonic():
            due, number, data = heapq.heappop(pipe.waiting)
            try:
                sent = pipe.target.send(data) if data else self._finish(pipe)
            except BlockingIOError:
                sent = 0
            except OSError:
                return self._drop(pipe.source)
            pipe.bytes -= sent
            self.forwarded[pipe.upward] += sent
            if sent < len(data):
                heapq.heappush(pipe.waiting, (due, number, data[sent:]))
                return
        if not pipe.ended and pipe.bytes <= HELD_BYTES_MAX and self._pipes.get(pipe.source) is pipe:
            self._watch(pipe.source)

    def _finish(self, pipe):
        """The source has no more: says so to the target; when both sides have ended, the connection goes."""
        pipe.target.shutdown(socket.SHUT_WR)
        pipe.done = True
        if self._pipes[pipe.target].done:
            for one in (pipe.source, pipe.target):
                self._forget(one).close()
        return 0

    def _watch(self, one):
        with contextlib.suppress(KeyError):
            self._selector.register(one, selectors.EVENT_READ)

    def _unwatch(self, one):
        with contextlib.suppress(KeyError):
            self._selector.unregister(one)

    def _forget(self, one):
        self._unwatch(one)
        self._pipes.pop(one, None)
        return one

    def _drop(self, source):
        pipe = self._pipes.get(source)
        if pipe:
            for one in (pipe.source, pipe.target):
                abort(self._forget(one))


def abort(one):
    """Closes by RST."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
