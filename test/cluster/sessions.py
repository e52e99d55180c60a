# SPDX-License-Identifier: Apache-2.0
"""A CQL session of our own (session_driver.c) for tests: a line each way."""
import os
import subprocess
from pathlib import Path

import cluster

DRIVER = Path(os.environ.get("WEIR_BUILD", cluster.ROOT / "build")) / "session_driver"


class Refused(Exception):
    pass


class Session:
    def __init__(self, hosts=None, version=5, lz4=True, port=None, security=(), **environment):
        names = ",".join(hosts or cluster.hosts())
        self.process = subprocess.Popen([DRIVER, names, str(version), str(int(lz4)), *security], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "CQL_PORT": str(port or cluster.cql_port()), **environment})
        try:
            self.version = int(self.line().split()[1])
        except Refused:
            self.close()
            raise

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the driver ended ({self.process.wait()})")
        if line.startswith("error"):
            raise Refused(line[6:].strip())
        return line.strip()

    def send(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def ask(self, *words):
        self.send(*words)
        return self.line()

    def rows(self, page_rows, text):
        """All rows as lists of bytes or None, and how many pages they came in."""
        self.send("pages", page_rows, text)
        rows = []
        while not (line := self.line()).startswith(". "):
            rows.append([None if cell == "null" else bytes.fromhex(cell) for cell in line.split(" ")])
        return rows, int(line.split()[1])

    def execute(self, *values):
        """Bound values as bytes or None."""
        bound = b"".join((-1).to_bytes(4, "big", signed=True) if v is None else len(v).to_bytes(4, "big") + v for v in values)
        assert self.ask("execute", bound.hex()) == "ok"

    def load(self, keyspace, rows=20):
        assert self.ask("load", keyspace, rows) == "going"

    def loaded(self):
        """Ends load(): {(partition, n)} of acknowledged rows, and how many batches failed."""
        self.send("enough")
        rows = set()
        while not (line := self.line()).startswith(". "):
            partition, first, count = map(int, line.split())
            rows |= {(partition, first + i) for i in range(count)}
        return rows, int(line.split()[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        return self.process.returncode
