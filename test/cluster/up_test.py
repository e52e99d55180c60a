#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka registry
"""The engines themselves, by other people's clients: what all tests beside this one stand on."""
import time

import httpx
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

import cluster

EVENT = '{"type":"record","name":"Event","fields":[{"name":"id","type":"string"},{"name":"t","type":"long"}]}'
EVENT_WITH_MORE = EVENT.replace("]}", ',{"name":"battery","type":["null","float"],"default":null}]}')
EVENT_WITHOUT_DEFAULT = EVENT.replace("]}", ',{"name":"must","type":"string"}]}')


class Ring(cluster.Case):
    def setUp(self):
        super().setUp()
        self.session = cluster.connect()
        self.addCleanup(self.session.cluster.shutdown)

    def test_every_node_sees_three_up(self):
        ring = cluster.ring()
        for node in ring.nodes:
            self.assertEqual(ring.seen_up(node), set(cluster.hosts()))

    def test_vnodes_are_interleaved(self):
        owner = {}
        for host in cluster.hosts():
            session = cluster.connect(host)
            self.addCleanup(session.cluster.shutdown)
            row = session.execute("SELECT tokens FROM system.local").one()
            self.assertEqual(len(row.tokens), 16)
            owner.update((int(token), host) for token in row.tokens)
        around = [owner[token] for token in sorted(owner)]
        self.assertEqual(around, around[:3] * 16)

    def test_what_a_quorum_wrote_is_read_and_flushed(self):
        with cluster.keyspace(self.session) as space:
            self.session.execute(f"CREATE TABLE {space}.t (k text, c int, v double, PRIMARY KEY (k, c))")
            insert = self.session.prepare(f"INSERT INTO {space}.t (k, c, v) VALUES (?, ?, ?)")
            for number in range(100):
                self.session.execute(insert, (str(number % 7), number, number / 2))
            rows = self.session.execute(f"SELECT c, v FROM {space}.t")
            self.assertEqual(sorted((row.c, row.v) for row in rows), [(number, number / 2) for number in range(100)])
            self.assertEqual(cluster.ring().flush(space), {})
            for node in cluster.ring().nodes.values():
                self.assertTrue(list(node.data.glob(f"data/{space}/t-*/*-Data.db")), node.name)


class Kafka(cluster.Case):
    def test_what_was_produced_is_consumed(self):
        with cluster.topic(partitions=3) as topic:
            producer = Producer({"bootstrap.servers": cluster.kafka(), "enable.idempotence": True, "acks": "all"})
            for number in range(1000):
                producer.produce(topic, str(number), key=str(number % 10))
            self.assertEqual(producer.flush(30), 0)
            self.assertEqual(sorted(self.consume(topic, 1000)), sorted(map(str, range(1000))))

    def consume(self, topic, count):
        consumer = Consumer({"bootstrap.servers": cluster.kafka(), "group.id": topic, "auto.offset.reset": "earliest"})
        self.addCleanup(consumer.close)
        consumer.subscribe([topic])
        values, deadline = [], time.monotonic() + 30
        while len(values) < count and time.monotonic() < deadline:
            values += [message.value().decode() for message in consumer.consume(count, 1) if not message.error()]
        return values


class Registry(cluster.Case):
    def setUp(self):
        super().setUp()
        self.client = SchemaRegistryClient({"url": cluster.registry()})
        self.subject = cluster.fresh("up") + "-value"

    def test_a_schema_has_one_id(self):
        number = self.client.register_schema(self.subject, Schema(EVENT, "AVRO"))
        self.assertEqual(self.client.register_schema(self.subject, Schema(EVENT, "AVRO")), number)
        self.assertEqual(httpx.get(f"{cluster.registry()}/schemas/ids/{number}").json()["schema"], EVENT)

    def test_compatibility_is_backward(self):
        self.client.register_schema(self.subject, Schema(EVENT, "AVRO"))
        self.assertFalse(self.client.test_compatibility(self.subject, Schema(EVENT_WITHOUT_DEFAULT, "AVRO")))
        self.assertTrue(self.client.test_compatibility(self.subject, Schema(EVENT_WITH_MORE, "AVRO")))


if __name__ == "__main__":
    cluster.main()
