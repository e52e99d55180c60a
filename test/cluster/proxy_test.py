#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""The proxy that other tests break the wire with does break it, and heals it without losing or turning round a byte."""
import contextlib
import os
import socket
import socketserver
import threading
import time
import unittest

from cluster import eventually
from proxy import Proxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        with contextlib.suppress(ConnectionError):
            while data := self.request.recv(65536):
                self.server.heard += len(data)
                self.request.sendall(data)


class Broken(unittest.TestCase):
    def setUp(self):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
        self.server.daemon_threads = True
        self.server.heard = 0  # bytes
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.proxy = self.enterContext(Proxy(*self.server.server_address))
        self.client = self.connect()

    def connect(self):
        client = socket.create_connection((self.proxy.address, self.proxy.port), timeout=10)
        self.addCleanup(client.close)
        return client

    def receive(self, count):
        data = b""
        while len(data) < count:
            more = self.client.recv(count - len(data))
            if not more:
                break
            data += more
        return data

    def silent_for(self, seconds):
        self.client.settimeout(seconds)
        with self.assertRaises(TimeoutError):
            self.client.recv(1)
        self.client.settimeout(10)

    def test_passes_everything_and_its_end(self):
        data = os.urandom(5_000_000)
        threading.Thread(target=lambda: (self.client.sendall(data), self.client.shutdown(socket.SHUT_WR)), daemon=True).start()
        self.assertEqual(self.receive(len(data)), data)
        self.assertEqual(self.client.recv(1), b"")
        self.assertEqual(self.proxy.forwarded, {True: len(data), False: len(data)})

    def test_latency(self):
        self.proxy.latency_ms = 100
        began = time.monotonic()
        self.client.sendall(b"ping")
        self.assertEqual(self.receive(4), b"ping")
        self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_less_latency_does_not_overtake(self):
        self.proxy.latency_ms = 300
        self.client.sendall(b"first")
        eventually(lambda: self.proxy.forwarded[True], what="the request arrives")  # and the answer is on its way back
        self.proxy.latency_ms = 0
        self.client.sendall(b"second")
        self.assertEqual(self.receive(11), b"firstsecond")

    def test_silence_holds_back_and_heal_lets_go(self):
        self.proxy.silence()
        self.client.sendall(b"held")
        self.silent_for(0.2)
        self.assertEqual(self.server.heard, 0)
        self.proxy.heal()
        self.assertEqual(self.receive(4), b"held")

    def test_one_way(self):
        self.proxy.silence(up=False)
        self.client.sendall(b"heard")
        eventually(lambda: self.server.heard == 5, what="the request arrives")
        self.silent_for(0.2)
        self.proxy.heal()
        self.assertEqual(self.receive(5), b"heard")

    def test_silence_bounds_what_it_holds(self):
        self.proxy.silence()
        self.client.settimeout(1)
        with self.assertRaises(TimeoutError):
            for _ in range(100):
                self.client.sendall(bytes(1 << 20))

    def test_reset_and_a_new_connection(self):
        self.client.sendall(b"x")
        self.assertEqual(self.receive(1), b"x")
        self.proxy.reset()
        with self.assertRaises(ConnectionResetError):
            self.client.recv(1)
        self.client = self.connect()
        self.client.sendall(b"y")
        self.assertEqual(self.receive(1), b"y")
        self.assertEqual((self.proxy.connections, self.proxy.open_connections), (2, 1))

    def test_refuses_until_healed(self):
        self.proxy.refuse()
        with self.assertRaises(ConnectionResetError):  # by then, or already as it connects
            self.client = self.connect()
            self.client.recv(1)
        self.proxy.heal()
        self.client = self.connect()
        self.client.sendall(b"z")
        self.assertEqual(self.receive(1), b"z")


if __name__ == "__main__":
    unittest.main(verbosity=2)
