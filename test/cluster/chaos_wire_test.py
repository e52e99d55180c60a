#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka
"""A wire that breaks between weir and its engines: slow, silent, silent one way, reset, refusing. weir comes through each by itself; in the end every row
is there and right."""
import time

import cluster
import expected
import runs
import streams
from cluster import eventually

PARTITIONS = 3
CASSANDRA_SICK_SECONDS = 6
KAFKA_SICK_SECONDS = 9  # beyond a group's session
CQL_HOST = "127.77.0.1"


class Wire(cluster.Case):
    def setUp(self):
        super().setUp()
        self.to_kafka = self.enterContext(cluster.Proxy("127.0.0.1", 1))
        self.to_cassandra = self.enterContext(cluster.Proxy("127.0.0.1", 1, listen=CQL_HOST, listen_port=9042))
        yaml = [f"broadcast_rpc_address: {CQL_HOST}"]
        ring, broker = self.enterContext(cluster.own("cassandra", cluster.behind(self.to_kafka), nodes=1, yaml=yaml))
        self.to_cassandra.target = (ring.settings.address(1), 9042)
        self.bootstrap = f"{self.to_kafka.address}:{self.to_kafka.port}"
        self.session = cluster.connect(CQL_HOST, port=9042)
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session, "wire", copies=1))
        self.topic = self.enterContext(cluster.topic("wire", partitions=PARTITIONS, bootstrap=self.bootstrap))
        self.name = cluster.fresh("wire")
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, runs.store_url(self.space, [CQL_HOST], 9042),
                                  log=f"kafka://{self.bootstrap}")
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        runs.await_ready(self, self.run_)
        self.sender = streams.Sender(self.bootstrap, self.topic, streams.Metrics(21), 150)
        self.addCleanup(self.sender.abandon)

    def moves_on(self, seconds=90):
        ends = expected.ends(self.bootstrap, self.topic, PARTITIONS)
        eventually(lambda: all(done >= end for done, end in zip(expected.committed(self.bootstrap, self.name, self.topic, PARTITIONS), ends)), seconds, 0.5,
                   "commits past what is there now")
        runs.alive(self, self.run_)

    def for_a_while(self, seconds, deed, every):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            deed()
            wait = time.monotonic() + min(every, left)
            eventually(lambda wait=wait: time.monotonic() >= wait, seconds * 2)
        self.assertLess(self.run_.rss_mb, 200)

    def sicken(self, proxy, seconds):
        def slow():
            proxy.latency_ms = 250

        def refuse():
            proxy.refuse()
            proxy.reset()

        for name, deed, every in (("slow", slow, seconds), ("silent", proxy.silence, seconds),
                                  ("answers are lost", lambda: proxy.silence(up=False), seconds),
                                  ("requests are lost", lambda: proxy.silence(down=False), seconds), ("reset", proxy.reset, 1),
                                  ("refusing", refuse, seconds)):
            with self.subTest(name):
                begun = time.monotonic()
                self.for_a_while(seconds, deed, every)
                proxy.heal()
                self.moves_on()
                print(f"#   {name}: {time.monotonic() - begun:.1f} s", flush=True)

    def check(self):
        sent = self.sender.stop()
        self.moves_on()
        answer = expected.metrics(expected.read(self.bootstrap, self.topic))
        self.assertEqual(answer.records, sent)
        expected.await_tables(self.session, self.space, answer)
        self.assertEqual(expected.wrong_letters(expected.letters(self.bootstrap, self.name), answer.letters), "")
        self.assertEqual(self.run_.stop(), 0, self.run_.log[-2000:])

    def test_kafka_and_cassandra(self):
        self.moves_on()
        self.sicken(self.to_cassandra, CASSANDRA_SICK_SECONDS)
        self.sicken(self.to_kafka, KAFKA_SICK_SECONDS)
        self.check()


if __name__ == "__main__":
    cluster.main()
