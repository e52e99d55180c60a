#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a client may do to the server: too much, too slowly, half of it; streams and their end."""
import http.client
import json
import select
import signal
import socket
import time
import unittest

from serving import Scenario, Server, event, ms, pipeline, poll

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_S = 60  # by then a slow client is cut


def answers(connection, count):
    """The statuses of that many answers that come on a connection."""
    file, out = connection.makefile("rb"), []
    for _ in range(count):
        line = file.readline().split()
        length = 0
        while (header := file.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        file.read(length)
        out.append(int(line[1]) if line else None)
    return out


def closed(connection):
    """Whether the other side has closed it."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(65536) == b""
    except ConnectionError:
        return True


class Events:
    """Server-sent events of a stream, as (event, data)."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(server.host, timeout=30)
        self.connection.request("GET", "/api/v1/stream")
        self.answer = self.connection.getresponse()

    def close(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        name, data = None, []
        while line := self.answer.readline():
            line = line.decode().rstrip("\n")
            if not line and data:
                return name, json.loads("\n".join(data))
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
        return None


class Limits(Scenario):
    def server(self):
        server = Server(self.folder, pipeline(self.folder)).__enter__()
        self.addCleanup(server.__exit__)
        return server

    def alive(self, server):
        self.assertEqual(server.get("/livez").status, 200)

    def test_pipelining(self):
        server = self.server()
        with server.raw() as connection:
            connection.sendall(GET * 20 + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET * 2)
            self.assertEqual(answers(connection, 23), [200] * 20 + [404] + [200] * 2)

    def test_what_is_no_http(self):
        server = self.server()
        for text in (b"\x00\x01\x02\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /livez HTTP/9.9\r\n\r\n", b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /livez HTTP/1.1\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9):
            with server.raw() as connection:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                status = answers(connection, 1)[0]
                self.assertTrue(status is None or 400 <= status < 600, (text, status))
        self.alive(server)

    def test_too_much(self):
        server = self.server()
        for request in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
                        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20000 + b"\r\n"):
            with server.raw() as connection:
                try:
                    connection.sendall(request)
                    self.assertIn(answers(connection, 1)[0], (None, 413, 414, 431))
                except ConnectionError:
                    pass
        head = b"POST /api/v1/topics/metrics/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with server.raw() as connection:
            connection.sendall(head + b"Content-Length: 99999999999\r\n\r\n[")
            self.assertEqual(answers(connection, 1), [413])
        with server.raw() as connection:
            connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
            self.assertEqual(answers(connection, 1), [413])
        with server.raw() as connection:  # chunked: nobody said how long it would be
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20 + b"0\r\n\r\n")
            self.assertEqual(answers(connection, 1), [413])
        self.alive(server)
        self.assertLess(server.running.peak_bytes(), 1 << 30)

    def test_body_limit_of_the_file(self):
        with Server(self.folder, pipeline(self.folder, more="http: {body: 1000}\n")) as server:
            self.assertEqual(server.post(b" " * 998 + b"[]").status, 202)
            self.assertEqual(server.post(b" " * 999 + b"[]").status, 413)

    def test_many_and_slow_clients(self):
        server = self.server()
        body = b"POST /api/v1/topics/metrics/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n["
        dribbling = [server.raw() for _ in range(6)]
        for i, connection in enumerate(dribbling):
            connection.sendall(GET[:20] if i % 2 else body)
        idle = [server.raw() for _ in range(100)]
        began = time.monotonic()
        while any(not closed(c) for c in dribbling) and time.monotonic() - began < SLOW_S:
            for i, connection in enumerate(dribbling):
                try:
                    connection.sendall(b"x" if i % 2 else b" ")  # never silent, never done
                except ConnectionError:
                    pass
            self.alive(server)
            select.select([], [], [], 0.5)
        for connection in dribbling + idle:
            poll("a slow client is cut", lambda: closed_or_gone(connection), SLOW_S)
            connection.close()
        self.alive(server)

    def test_more_connections_than_there_are(self):
        server = self.server()
        crowd = [server.raw() for _ in range(400)]
        for connection in crowd[:300]:
            connection.close()
        self.alive(server)
        for connection in crowd[300:]:
            connection.close()
        self.alive(server)

    def test_stream(self):
        server = self.server()
        stream = Events(server)
        self.addCleanup(stream.close)
        self.assertEqual((stream.answer.status, stream.answer.headers["Content-Type"]), (200, "text/event-stream"))
        name, status = stream.next()
        self.assertEqual((name, status["pipelines"][0]["pipeline"]), ("status", "metrics"))
        sent = event("d1", ms(2024, 1, 1), 21.5)
        deadline, seen = time.monotonic() + 30, []
        while not seen and time.monotonic() < deadline:
            sent["timestamp"] += 1
            server.take([sent])
            name, data = stream.next()
            if name == "rows" and data["table"] == "metric_event_by_id":
                seen = data["rows"]
        self.assertEqual({k: seen[0][k] for k in ("id", "value", "group", "type")}, {"id": "d1", "value": 21.5, "group": "g1", "type": "THERM"})
        began = time.monotonic()
        server.running.child.send_signal(signal.SIGTERM)
        while stream.next():  # an IncompleteRead would say that the stream was broken off
            pass
        self.assertEqual(server.running.end().code, 0)
        self.assertLess(time.monotonic() - began, 20)

    def test_streams_are_counted(self):
        server = self.server()
        streams = [Events(server) for _ in range(70)]
        statuses = [s.answer.status for s in streams]
        self.assertEqual((statuses.count(200), statuses.count(503)), (64, 6))
        self.alive(server)
        for stream in streams:
            stream.close()
        poll("the streams' ends are seen", lambda: b"weir_http_streams 0\n" in server.get("/metrics").body)
        stream = Events(server)
        self.assertEqual(stream.answer.status, 200)
        stream.close()

    def test_a_stream_that_nobody_reads_is_cut(self):
        server = self.server()
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = server.host.split(":")
        connection.connect((host, int(port)))
        connection.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        poll("the stream opens", lambda: b"weir_http_streams 1\n" in server.get("/metrics").body)
        at = ms(2024, 1, 1)

        def cut():
            nonlocal at
            at += 1000
            server.post([event("d1", at + i, i, type="T" * 2000) for i in range(200)])
            return b"weir_http_streams 0\n" in server.get("/metrics").body
        poll("the stream is cut", cut, 90)
        self.assertLess(server.running.peak_bytes(), 1 << 30)
        connection.close()


def closed_or_gone(connection):
    return connection.fileno() < 0 or closed(connection)


if __name__ == "__main__":
    unittest.main(verbosity=2)
