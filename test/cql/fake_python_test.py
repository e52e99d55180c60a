# SPDX-License-Identifier: Apache-2.0
"""The fake ring under a client that is not ours: the Python driver finds its nodes, prepares, writes, pages and survives what it is told to survive."""
import os
import subprocess
import sys
from pathlib import Path

from cassandra import ConsistencyLevel, InvalidRequest, Unavailable, WriteTimeout
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, TokenAwarePolicy
from cassandra.query import BatchStatement, BatchType

SERVER = Path(os.environ.get("WEIR_BUILD", "build")) / "fake_server"
INSERT = "INSERT INTO ks.t (k, c, v) VALUES (?, ?, ?)"


class Ring:
    def __init__(self, *options):
        self.process = subprocess.Popen([SERVER, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        return int(answer) if answer.isdigit() else answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


def connect(ring, version, compression=True, auth=None):
    profile = ExecutionProfile(load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy("dc1"), shuffle_replicas=False),
                               retry_policy=FallthroughRetryPolicy(), request_timeout=20, consistency_level=ConsistencyLevel.QUORUM)
    cluster = Cluster(["127.0.1.1"], port=ring.port, protocol_version=version, compression="lz4" if compression else False,
                      execution_profiles={EXEC_PROFILE_DEFAULT: profile}, auth_provider=auth)
    return cluster, cluster.connect()


def look_around(cluster, version):
    hosts = cluster.metadata.all_hosts()
    assert sorted(h.address for h in hosts) == ["127.0.1.1", "127.0.1.2", "127.0.1.3"], hosts
    assert {h.rack for h in hosts} == {"rack1", "rack2", "rack3"}
    assert len({h.host_id for h in hosts}) == 3
    assert cluster.protocol_version == version
    assert len(cluster.metadata.token_map.ring) == 24
    assert len(cluster.metadata.get_replicas("ks", b"test")) == 3


def write_and_read(ring, session):
    statement = session.prepare(INSERT)
    for i in range(100):
        session.execute(statement, (f"key{i}", i, f"value{i}"))
    batch = BatchStatement(BatchType.UNLOGGED)
    for i in range(50):
        batch.add(statement, ("key7", 1000 + i, "x" * 5000))
    session.execute(batch)
    assert ring.ask("rows") == 150
    assert ring.ask("doubled") == 0
    assert ring.ask("misrouted") == 0
    assert ring.ask("garbage") == 0
    select = session.prepare("SELECT k, c, v FROM ks.t WHERE k = ?")
    assert [tuple(row) for row in session.execute(select, ("key42",))] == [("key42", 42, "value42")]
    assert len(list(session.execute(select, ("key7",)))) == 51
    every = session.prepare("SELECT k, c FROM ks.t")
    every.fetch_size = 7
    assert len(list(session.execute(every))) == 150


def misbehave(ring, session):
    statement = session.prepare(INSERT)
    for code, kind in ((0x2200, InvalidRequest), (0x1000, Unavailable), (0x1100, WriteTimeout)):
        assert ring.ask(f"error {code:x} 1") == "ok"
        try:
            session.execute(statement, ("key1", 1, "value"))
            raise AssertionError(f"{code:x} was no error")
        except kind:
            pass
        batch = BatchStatement(BatchType.UNLOGGED)
        batch.add(statement, ("key1", 1, "value"))
        try:
            session.execute(batch)
            raise AssertionError(f"{code:x} was no error of a batch")
        except kind:
            pass
    for node in range(3):
        ring.ask(f"forget {node}")
    for i in range(6):
        session.execute(statement, (f"key{i}", i, "prepared again"))
    ring.ask("event STATUS_CHANGE UP 1")


def main():
    for version, name in ((5, "v5"), (4, "v4")):
        for compression in ("lz4", "plain"):
            with Ring(name, compression) as ring:
                cluster, session = connect(ring, version, compression == "lz4")
                look_around(cluster, version)
                write_and_read(ring, session)
                misbehave(ring, session)
                cluster.shutdown()
                print(name, compression, "good")
    with Ring("v4", "old") as ring:
        cluster, session = connect(ring, 4)
        look_around(cluster, 4)
        cluster.shutdown()
        print("without peers_v2 good")
    with Ring("login") as ring:
        cluster, session = connect(ring, 5, auth=PlainTextAuthProvider("cassandra", "secret"))
        cluster.shutdown()
        try:
            connect(ring, 5, auth=PlainTextAuthProvider("cassandra", "wrong"))
            raise AssertionError("the wrong password was taken")
        except NoHostAvailable:
            print("login good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
