#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka
"""A wire that breaks between weir and its engines: slow, silent, silent one way, reset, refusing. weir comes through each by itself; in the end every row
is there and right."""
import os
import time

import cluster
import expected
import runs
import streams
from cluster import eventually

PARTITIONS = 3
RSS_MB_MAX = 200
CQL_HOST = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"  # clients find a ring's nodes on one port: the proxy needs an address of its own
CQL_PORT = 9042


class Wire(cluster.Case):
    def setUp(self):
        super().setUp()
        self.to_kafka = self.enterContext(cluster.Proxy("127.0.0.1", 1))
        self.to_cassandra = self.enterContext(cluster.Proxy("127.0.0.1", 1, listen=CQL_HOST, listen_port=CQL_PORT))
        yaml = [f"broadcast_rpc_address: {CQL_HOST}"]
        ring, _ = self.enterContext(cluster.own("cassandra", cluster.behind(self.to_kafka), nodes=1, yaml=yaml))
        self.to_cassandra.target = (ring.settings.address(1), CQL_PORT)
        self.bootstrap = f"{self.to_kafka.address}:{self.to_kafka.port}"
        self.tell("engines are up")
        self.session = cluster.connect(CQL_HOST, port=CQL_PORT)
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session, "wire", copies=1))
        self.topic = self.enterContext(cluster.topic("wire", partitions=PARTITIONS, bootstrap=self.bootstrap))
        self.name = cluster.fresh("wire")
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, runs.store_url(self.space, [CQL_HOST], CQL_PORT),
                                  log=f"kafka://{self.bootstrap}")
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        runs.await_ready(self, self.run_)
        self.sender = streams.Sender(self.bootstrap, self.topic, streams.Metrics(21), 150)
        self.addCleanup(self.sender.abandon)
        self.moves_on()
        self.tell("weir runs")

    def moves_on(self):
        expected.await_committed(self.bootstrap, self.name, self.topic, PARTITIONS)
        runs.alive(self, self.run_)

    def for_a_while(self, seconds, deed, every):
        """The deed, again and again: only time makes a wire's trouble last."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            deed()
            again = min(end, time.monotonic() + every)
            eventually(lambda again=again: time.monotonic() >= again, seconds + 5)
        self.assertLess(self.run_.rss_mb, RSS_MB_MAX)

    def sicken(self, proxy, engine, seconds, long_seconds):
        def slow():
            proxy.latency_ms = 250

        def refuse():
            proxy.refuse()
            proxy.reset()

        for name, deed, lasts, every in (("slow", slow, seconds, seconds), ("silent", proxy.silence, long_seconds, long_seconds),
                                         ("answers are lost", lambda: proxy.silence(up=False), seconds, seconds),
                                         ("requests are lost", lambda: proxy.silence(down=False), seconds, seconds), ("reset", proxy.reset, seconds, 1),
                                         ("refusing", refuse, seconds, seconds)):
            with self.subTest(engine=engine, trouble=name):
                self.for_a_while(lasts, deed, every)
                proxy.heal()
                self.moves_on()
                self.tell(f"{engine}, {name}")

    def test_kafka_and_cassandra(self):
        self.sicken(self.to_cassandra, "Cassandra", seconds=2, long_seconds=4)
        self.sicken(self.to_kafka, "Kafka", seconds=3, long_seconds=12)  # beyond a group's session and a transaction
        sent = self.sender.stop()
        self.moves_on()
        self.tell("all is read")
        answer = expected.metrics(expected.read(self.bootstrap, self.topic))
        self.assertEqual(answer.records, sent)
        expected.await_tables(self.session, self.space, answer)
        self.assertEqual(expected.wrong_letters(expected.letters(self.bootstrap, self.name), answer.letters), "")
        self.assertEqual(self.run_.stop(), 0, self.run_.log[-2000:])
        self.tell("all is right")


if __name__ == "__main__":
    cluster.main()
