#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client of a registry elsewhere, against a server of the test's own: HTTPS with its own authority, client certificates, redirects, answers that are
too large, several addresses of which some are away, and what becomes of events while all are."""
import http.server
import json
import socket
import ssl
import subprocess
import threading
import unittest
from pathlib import Path

from serving import Scenario, letters, weir

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}, {"name": "at", "type": "long"}]}
FILE = """pipeline: away
registry: {{url: '{url}', options: {{{options}}}}}
topic: {{name: away}}
event: {{format: avro, schema: r.avsc, key: id, time: at}}
queries:
  - table: raw
    columns: {{id: text, at: bigint}}
    key: [[id], at]
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # it had enough

    def serve(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path))
        if self.server.no_ids and "/schemas/ids/" in self.path:
            return self.answer(503, b"{}")
        if self.server.elsewhere:
            return self.answer(self.server.status, Location=self.server.elsewhere + self.path)
        if self.server.status != 200:
            return self.answer(self.server.status, b"{}")
        if self.path == "/subjects":
            return self.answer(200, b'["s-value"]')
        if self.path.endswith("/versions"):
            return self.answer(200, b'{"id":7}' if self.command == "POST" else b"[1]")
        if "/versions/" in self.path:
            return self.answer(200, json.dumps({"subject": "s-value", "version": 1, "id": 7, "schema": json.dumps(SCHEMA)}).encode())
        if self.path == "/schemas/types":
            return self.answer(200, b'["AVRO"]')
        return self.answer(200, b"[" + b" " * self.server.large + b"]")

    do_GET = do_POST = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that do not trust it, or are not trusted


def start(test, context=None, status=200, elsewhere=None, large=0, port=0):
    server = Server(("127.0.0.1", port), Handler)
    server.asked, server.status, server.elsewhere, server.large, server.no_ids = [], status, elsewhere, large, False
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    return server


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def certificates(folder):
    """An authority, and a server's and a client's certificate by it."""
    def run(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca", "-days", "2")
    for name, extra in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        (Path(folder) / f"{name}.ext").write_text(extra)
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile",
            f"{name}.ext")


class Client(Scenario):
    def context(self, ask_client=False):
        if not (self.folder / "ca.pem").exists():
            certificates(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        if ask_client:
            context.load_verify_locations(self.folder / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def file(self, url, options):
        (self.folder / "r.avsc").write_text(json.dumps(SCHEMA))
        return self.write("away.yaml", FILE.format(url=url, options=", ".join(f"{name}: '{value}'" for name, value in options.items())))

    def feed_nothing(self, url, expect=0, **options):
        """Runs a pipeline to the end of an empty topic: its start asks the registry."""
        named = {name.replace("_", "."): value for name, value in options.items()}
        return weir("run", self.file(url, named), "--data", self.folder / "d", "--until-end", "--listen", "127.0.0.1:0", expect=expect)

    def test_https(self):
        server = start(self, self.context())
        self.feed_nothing(server.url, ssl_ca_location=self.folder / "ca.pem")
        self.assertIn(("GET", "/schemas/types"), server.asked)
        asked = len(server.asked)
        self.assertRegex(self.feed_nothing(server.url, expect=78).err, "(?i)certificate")  # by an authority that nobody trusts
        self.assertEqual(len(server.asked), asked)

    def test_client_certificates(self):
        server = start(self, self.context(ask_client=True))
        mine = {"ssl_certificate_location": self.folder / "client.pem", "ssl_key_location": self.folder / "client.key"}
        self.feed_nothing(server.url, ssl_ca_location=self.folder / "ca.pem", **mine)
        self.assertTrue(server.asked)
        asked = len(server.asked)
        self.feed_nothing(server.url, expect=(69, 78), ssl_ca_location=self.folder / "ca.pem")
        self.assertEqual(len(server.asked), asked)

    def test_redirects(self):
        server = start(self)
        for status in (301, 302, 307, 308):
            there = start(self, status=status, elsewhere=server.url)
            self.assertIn("s-value", weir("schema", "list", "--registry", there.url).out)
            (self.folder / "r.avsc").write_text(json.dumps(SCHEMA))
            self.assertIn("id 7", weir("schema", "register", "s-value", self.folder / "r.avsc", "--registry", there.url).out)
            self.assertIn(("POST", "/subjects/s-value/versions"), server.asked)  # a POST stays one
            server.asked.clear()
        loop = start(self, status=302, elsewhere="x")
        loop.elsewhere = loop.url
        self.assertIn("redirect", weir("schema", "list", "--registry", loop.url, expect=78).err)
        self.assertLess(len(loop.asked), 20)
        other = start(self, status=302, elsewhere="file:///etc/passwd?")
        self.assertNotIn("root:", str(weir("schema", "list", "--registry", other.url, expect=78)))

    def test_answers_have_a_bound(self):
        server = start(self, large=40 << 20)
        done = weir("schema", "show", "5", "--registry", server.url, expect=69)
        self.assertIn("larger than", done.err)

    def test_addresses_take_over(self):
        good, bad = start(self), start(self, status=503)
        gone = closed_port()
        for urls in (f"http://127.0.0.1:{gone},{good.url}", f"{bad.url},127.0.0.1:{good.server_port}", f"http://127.0.0.1:{gone},{bad.url},{good.url}", good.url):
            good.asked.clear()
            self.assertIn("s-value", weir("schema", "list", "--registry", urls).out)
            self.assertTrue(good.asked)
        self.assertIn("HTTP 503", weir("schema", "list", "--registry", bad.url, expect=69).err)

    def test_letters_say_that_the_registry_was_away(self):
        """on_unavailable: dead_letter goes on without it; an id that nobody could be asked about is not one that nobody knows."""
        server = start(self)
        file = self.file(server.url, {"on_unavailable": "dead_letter"})
        feed = file.read_text() + "feed: {simulate: {rate: 100 per second, fields: {id: {text: 'a'}, at: now}}}\n"
        produced = self.write("feed.yaml", feed)
        weir("produce", produced, "--data", self.folder / "d", "--limit", 3)
        server.no_ids = True
        weir("run", file, "--data", self.folder / "d", "--until-end", "--close", "--no-feed", "--listen", "127.0.0.1:0")
        dead = letters(file, self.folder / "d")
        self.assertEqual([letter["reason"] for letter in dead], ["unknown_schema"] * 3)
        for letter in dead:
            self.assertIn("HTTP 503", letter["text"])
            self.assertNotIn("has no schema", letter["text"])


if __name__ == "__main__":
    unittest.main()
