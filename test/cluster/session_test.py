#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra
"""The CQL session against a real ring and the Python driver: values both ways, paging, placement, in each version with and without compression."""
import datetime
import random
import uuid

from cassandra.cqltypes import (BooleanType, DoubleType, FloatType, Int32Type, LongType, TimestampType, UTF8Type, UUIDType)
from cassandra.metadata import Murmur3Token

import cluster
from sessions import Refused, Session

TYPES = {"boolean": BooleanType, "int": Int32Type, "bigint": LongType, "float": FloatType, "double": DoubleType, "text": UTF8Type,
         "timestamp": TimestampType, "uuid": UUIDType}
NAMES = ", ".join(f"c_{name}" for name in TYPES)


def value(name, random):
    """A random value of the type, at times null."""
    if random.random() < 0.1:
        return None
    return {"boolean": lambda: random.random() < 0.5,
            "int": lambda: random.randint(-2**31, 2**31 - 1),
            "bigint": lambda: random.choice([-2**63, 2**63 - 1, 0, random.randint(-2**63, 2**63 - 1)]),
            "float": lambda: random.choice([0.5, -1.25, float("inf"), 2.0**40]),
            "double": lambda: random.choice([random.uniform(-1e300, 1e300), -0.0, float("inf")]),
            "text": lambda: "".join(random.choice("aß水😀 '\"\0\n") for _ in range(random.choice([0, 1, 20, 5000]))),
            "timestamp": lambda: datetime.datetime.fromtimestamp(random.randint(-10**9, 4 * 10**9), datetime.timezone.utc).replace(tzinfo=None),
            "uuid": lambda: uuid.UUID(int=random.getrandbits(128))}[name]()


class Values(cluster.Case):
    @classmethod
    def setUpClass(cls):
        cls.python = cluster.connect()
        cls.addClassCleanup(cls.python.cluster.shutdown)
        cls.space = cls.enterClassContext(cluster.keyspace(cls.python, "session"))
        columns = ", ".join(f"c_{name} {name}" for name in TYPES)
        cls.python.execute(f"CREATE TABLE {cls.space}.t (k int PRIMARY KEY, {columns})")

    def session(self, **how):
        session = Session(**how)
        self.addCleanup(lambda: self.assertEqual(session.close(), 0))
        return session

    def test_values_both_ways(self):
        insert = f"INSERT INTO {self.space}.t (k, {NAMES}) VALUES ({', '.join('?' * (len(TYPES) + 1))})"
        for version in (4, 5):
            for lz4 in (False, True):
                with self.subTest(version=version, lz4=lz4):
                    self.both_ways(self.session(version=version, lz4=lz4), insert, version, random.Random(version * 2 + lz4))

    def both_ways(self, session, insert, version, dice):
        self.assertEqual(session.version, version)
        self.python.execute(f"TRUNCATE {self.space}.t", timeout=60)
        rows = {k: [value(name, dice) for name in TYPES] for k in range(60)}
        self.assertEqual(session.ask("prepare", insert), str(len(TYPES) + 1))
        statement = self.python.prepare(insert)
        for k, row in rows.items():
            if k % 2:
                self.python.execute(statement, [k, *row])
            else:
                session.execute(Int32Type.serialize(k, 4), *(None if v is None else t.serialize(v, 4) for v, t in zip(row, TYPES.values())))
        theirs = {row[0]: list(row[1:]) for row in self.python.execute(f"SELECT k, {NAMES} FROM {self.space}.t")}
        self.same(theirs, rows)
        found, pages = session.rows(7, f"SELECT k, {NAMES} FROM {self.space}.t")
        ours = {Int32Type.deserialize(row[0], 4): [None if cell is None else t.deserialize(cell, 4) for cell, t in zip(row[1:], TYPES.values())]
                for row in found}
        self.same(ours, rows)
        self.assertEqual(len(found), 60)
        self.assertGreaterEqual(pages, 9)

    def same(self, found, rows):
        self.assertEqual(found.keys(), rows.keys())
        for k, row in rows.items():
            self.assertEqual(found[k], row)

    def test_placement_is_the_drivers(self):
        session = self.session()
        for strategy in ("{'class': 'SimpleStrategy', 'replication_factor': 2}", f"{{'class': 'NetworkTopologyStrategy', '{cluster.LOCAL_DC}': 2}}"):
            space = cluster.fresh("session")
            self.python.execute(f"CREATE KEYSPACE {space} WITH replication = {strategy}")
            self.addCleanup(self.python.execute, f"DROP KEYSPACE {space}", timeout=60)
            cluster.eventually(lambda: session.ask("replicas", space, 0))
            dice = random.Random(5)
            for _ in range(500):
                token = dice.randint(-2**63 + 1, 2**63 - 1)
                theirs = [replica.address for replica in self.python.cluster.metadata.token_map.get_replicas(space, Murmur3Token(token))]
                self.assertEqual(session.ask("replicas", space, token).split(), theirs)

    def test_the_ring_as_it_is(self):
        session = self.session()
        cluster.eventually(lambda: session.ask("nodes").count(":1:") == len(cluster.hosts()))
        nodes = [node.split(":") for node in session.ask("nodes").split()]
        self.assertEqual({node[0] for node in nodes}, set(cluster.hosts()))
        self.assertEqual({node[2] for node in nodes}, {"16"})
        self.assertAlmostEqual(sum(float(node[3]) for node in nodes), 1, places=2)

    def test_what_the_server_refuses(self):
        session = self.session()
        with self.assertRaisesRegex(Refused, "syntax error"):
            session.rows(10, "SELEKT 1")
        with self.assertRaisesRegex(Refused, "(?i)no_such_table"):
            session.ask("prepare", f"SELECT * FROM {self.space}.no_such_table")


class Opening(cluster.Case):
    def test_nobody_there(self):
        with self.assertRaisesRegex(Refused, "(?s)^69 .*127.0.0.1:1: Connection refused"):
            Session(hosts=["127.0.0.1"], port=1, OPEN_TIMEOUT_MS="2000")

    def test_no_such_name(self):
        with self.assertRaisesRegex(Refused, "nowhere.invalid"):
            Session(hosts=["nowhere.invalid"], OPEN_TIMEOUT_MS="2000")


if __name__ == "__main__":
    cluster.main()
