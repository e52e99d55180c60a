#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra
"""Tokens of random partition keys, of one column and of several, as the servers compute them and as weir does (CQL_SEED in the environment)."""
import os
import random
import subprocess

from cassandra.concurrent import execute_concurrent_with_args

import cluster

KEYS = 100_000
IN_ONE = 100  # keys in one statement: SELECT token(?), token(?), …
DRIVER = os.path.join(os.environ.get("WEIR_BUILD", "build"), "cql_driver")


def ours(keys):
    """`keys` are lists of components as bytes."""
    questions = "".join("token " + " ".join(part.hex() or "-" for part in key) + "\n" for key in keys)
    done = subprocess.run([DRIVER], input=questions, capture_output=True, text=True, check=True, timeout=120)
    return [int(line) for line in done.stdout.split()]


class Tokens(cluster.Case):
    def setUp(self):
        super().setUp()
        self.seed = os.environ.get("CQL_SEED", str(random.SystemRandom().randrange(1 << 32)))
        print(f"CQL_SEED={self.seed}", flush=True)
        self.random = random.Random(f"{self.seed}/{self.id()}")
        self.session = cluster.connect()
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session))

    def theirs(self, columns, keys):
        """By the servers, of keys of `columns`; a token is computed of any values as long as the table has a row."""
        names = [f"c{i}" for i in range(len(columns))]
        table = f"{self.space}.t{len(columns)}"
        self.session.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {t}' for n, t in zip(names, columns))}, PRIMARY KEY (({', '.join(names)})))")
        insert = self.session.prepare(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})")
        self.session.execute(insert, keys[0])
        one = "token(" + ", ".join("?" * len(columns)) + ")"
        select = self.session.prepare(f"SELECT {', '.join([one] * IN_ONE)} FROM {table} LIMIT 1")
        arguments = [[v for key in keys[i:i + IN_ONE] for v in key] for i in range(0, len(keys), IN_ONE)]
        answers = execute_concurrent_with_args(self.session, select, arguments, concurrency=8)
        return [token for answer in answers for token in answer.result_or_exc.one()]

    def compare(self, columns, keys, as_bytes):
        for key, here, there in zip(keys, ours(map(as_bytes, keys)), self.theirs(columns, keys), strict=True):
            self.assertEqual(here, there, f"{key}, CQL_SEED={self.seed}")

    def test_of_one_column(self):
        keys = [[self.random.randbytes(self.random.choice((1, 7, 8, 9, 15, 16, 17, 31, 32, 36, 1 + i % 100)))] for i in range(KEYS)]
        self.compare(["blob"], keys, lambda key: key)

    def test_of_several_columns(self):
        keys = [[self.random.choice(["g1", "", "kremówki", f"station-{i}"]), self.random.getrandbits(62), self.random.randbytes(i % 20)] for i in range(KEYS // 10)]
        self.compare(["text", "bigint", "blob"], keys, lambda key: [key[0].encode(), key[1].to_bytes(8, "big"), key[2]])


if __name__ == "__main__":
    cluster.main()
