#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra
"""Nodes are killed, stopped and restarted under load at QUORUM: no batch fails, each acknowledged row reads back, none under another timestamp."""
import cluster
from sessions import Session


class Trouble(cluster.Case):
    def setUp(self):
        super().setUp()
        self.ring = cluster.ring()
        self.python = cluster.connect()
        self.addCleanup(self.python.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.python, "session"))
        self.addCleanup(self.ring.heal)  # before the keyspace is dropped: a node that is away would not hear of it
        self.python.execute(f"CREATE TABLE {self.space}.load (p int, n int, v text, PRIMARY KEY (p, n))", timeout=60)
        self.session = Session()
        self.addCleanup(self.session.close)
        cluster.eventually(lambda: self.up() == 3)

    def up(self):
        return self.session.ask("nodes").count(":1:")

    def watch(self):
        """A second session, whose own view says when nodes are gone or back while the first is loading."""
        watcher = Session()
        self.addCleanup(watcher.close)
        return lambda: watcher.ask("nodes").count(":1:")

    def check(self):
        acked, failed = self.session.loaded()
        self.assertEqual(failed, 0)
        self.assertGreater(len(acked), 1000)
        found, looked_at = {}, range(0, 97, 4)  # a million rows would take the Python driver a minute
        for p in looked_at:
            for row in self.python.execute(f"SELECT n, v, WRITETIME(v) AS at FROM {self.space}.load WHERE p = {p}", timeout=60):
                found[p, row.n] = row
        self.assertEqual({(p, n) for p, n in acked if p in looked_at} - found.keys(), set())
        for (p, n), row in found.items():
            self.assertEqual(row.v, f"{p}-{n}")
            self.assertEqual(row.at, 1000 + n // 20 * 20)

    def test_kill_and_restart(self):
        """It has forgotten its statements, too, when it comes back."""
        up = self.watch()
        self.session.load(self.space)
        cluster.eventually(lambda: self.statements(2), 60)
        self.forget_statements(2)
        self.ring.kill9(2)
        cluster.eventually(lambda: up() == 2, 60)
        self.ring.restart(2)
        self.ring.wait_up()
        cluster.eventually(lambda: up() == 3, 90)
        cluster.eventually(lambda: self.statements(2), 90, what="the statement, prepared anew on the node that has forgotten it")
        self.check()
        cluster.eventually(lambda: self.up() == 3, 90)

    def statements(self, node):
        """What a node keeps over a restart of the statements that were prepared on it, of this test's."""
        session = cluster.connect(self.ring.settings.address(node))
        try:
            rows = session.execute("SELECT query_string FROM system.prepared_statements")
            return [row.query_string for row in rows if self.space in row.query_string]
        finally:
            session.cluster.shutdown()

    def forget_statements(self, node):
        session = cluster.connect(self.ring.settings.address(node))
        try:
            session.execute("TRUNCATE system.prepared_statements", timeout=60)
        finally:
            session.cluster.shutdown()
        self.assertEqual(self.statements(node), [])

    def test_nodes_forget_their_statements_when_the_table_changes(self):
        self.session.load(self.space)
        cluster.eventually(lambda: all(self.statements(node) for node in (1, 2, 3)), 60)
        for column in ("a", "b", "c"):
            self.python.execute(f"ALTER TABLE {self.space}.load ADD {column} int", timeout=60)
        self.check()
        self.assertGreater(self.reprepared(), 0)  # connections stay: nodes answer UNPREPARED

    def reprepared(self):
        return int(self.session.ask("counters").split()[2])

    def test_stop_and_continue(self):
        up = self.watch()
        self.session.load(self.space)
        self.ring.stop(3)
        cluster.eventually(lambda: up() == 2, 60)
        self.ring.cont(3)
        cluster.eventually(lambda: up() == 3, 90)
        self.check()


if __name__ == "__main__":
    cluster.main()
