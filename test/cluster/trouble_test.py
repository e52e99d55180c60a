#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka registry
"""The ways in which tests make trouble for engines, and that engines come back from them."""
import httpx
from cassandra import ConsistencyLevel, OperationTimedOut, Unavailable, WriteTimeout
from cassandra.query import SimpleStatement
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

import cluster
from cluster import eventually


class Ring(cluster.Case):
    def setUp(self):
        super().setUp()
        self.ring = cluster.ring()
        self.session = cluster.connect(cluster.hosts()[0])
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session))
        self.addCleanup(self.ring.heal)  # before the keyspace is dropped: a node that is away would not hear of it
        self.session.execute(f"CREATE TABLE {self.space}.t (k int PRIMARY KEY)")

    def insert(self, key, level=ConsistencyLevel.QUORUM):
        self.session.execute(SimpleStatement(f"INSERT INTO {self.space}.t (k) VALUES ({key})", consistency_level=level, is_idempotent=True))

    def refused(self, key, level):
        try:
            self.insert(key, level)
        except (OperationTimedOut, Unavailable, WriteTimeout):
            return True

    def test_a_killed_node_comes_back_with_what_it_had(self):
        self.insert(1, ConsistencyLevel.ALL)
        self.ring.kill9(3)
        self.assertIsNone(self.ring.nodes[3].pid)
        eventually(lambda: self.refused(2, ConsistencyLevel.ALL))
        self.insert(3)
        self.ring.restart(3)
        self.ring.wait_up()
        session = cluster.connect(cluster.hosts()[2])
        self.addCleanup(session.cluster.shutdown)
        self.assertEqual({row.k for row in session.execute(f"SELECT k FROM {self.space}.t")} & {1, 3}, {1, 3})

    def test_a_stopped_node_goes_on(self):
        pid = self.ring.nodes[2].pid
        self.ring.stop(2)
        self.assertTrue(self.refused(1, ConsistencyLevel.ALL))
        self.insert(2)
        self.ring.cont(2)
        eventually(lambda: not self.refused(3, ConsistencyLevel.ALL), 60)
        self.assertEqual(self.ring.nodes[2].pid, pid)


class Broker(cluster.Case):
    def test_a_killed_broker_keeps_its_topics(self):
        broker = cluster.broker()
        self.addCleanup(broker.heal)
        with cluster.topic() as topic:
            broker.kill9()
            with self.assertRaises(KafkaException):
                AdminClient({"bootstrap.servers": cluster.kafka(), "log_level": 0}).list_topics(timeout=2)
            broker.restart()
            self.assertIn(topic, AdminClient({"bootstrap.servers": cluster.kafka()}).list_topics(timeout=20).topics)


class Registry(cluster.Case):
    def test_it_is_empty_after_a_restart(self):
        registry = cluster.registry_process()
        self.addCleanup(registry.heal)
        subject = cluster.fresh("trouble")
        self.assertEqual(registry.call("POST", f"/subjects/{subject}/versions", {"schema": '"string"'})[0], 200)
        registry.restart()
        self.assertNotIn(subject, httpx.get(f"{cluster.registry()}/subjects").json())
        self.assertEqual(registry.call("GET", "/config")[1], {"compatibilityLevel": "BACKWARD"})


if __name__ == "__main__":
    cluster.main()
