#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka
"""weir over a ring of which two nodes of three are gone, one frozen, one killed, under load: it waits, small and saying why, and goes on by itself. And one
of which all are frozen while weir is killed and started anew. In the end every row is there and right."""
import cluster
import expected
import runs
import streams
from cluster import eventually

PARTITIONS = 3
RSS_MB_MAX = 200


class RingTrouble(cluster.Case):
    def setUp(self):
        super().setUp()
        self.ring = cluster.ring()
        self.session = cluster.connect()
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session, "ringrun"))
        self.addCleanup(self.ring.heal)  # before the keyspace is dropped: a node that is away would not hear of it
        self.name = cluster.fresh("ringrun")
        self.topic = self.enterContext(cluster.topic(self.name, partitions=PARTITIONS))
        self.addCleanup(cluster.drop_topics, self.name)
        text = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, runs.store_url(self.space))
        text.write_text(text.read_text().replace("    key: [[", "    consistency: QUORUM\n    key: [["))
        self.file = text
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        runs.await_ready(self, self.run_)

    def sender(self, rate=400, seed=1):
        sender = streams.Sender(cluster.kafka(), self.topic, streams.Metrics(seed), rate)
        self.addCleanup(sender.abandon)
        return sender

    def committed(self):
        return expected.committed(cluster.kafka(), self.name, self.topic, PARTITIONS)

    def moves_on(self, seconds=30):
        """Until offsets have been committed past what is in the topic now."""
        expected.await_committed(cluster.kafka(), self.name, self.topic, PARTITIONS, seconds)
        runs.alive(self, self.run_)

    def check(self, sender):
        sender.stop()
        self.moves_on(90)
        answer = expected.metrics(expected.read(cluster.kafka(), self.topic))
        self.assertEqual(answer.records, sender.sent)
        expected.await_tables(self.session, self.space, answer)
        self.assertEqual(expected.wrong_letters(expected.letters(cluster.kafka(), self.name), answer.letters), "")
        self.assertNotIn("refused", answer.dead())
        self.assertEqual(self.run_.stop(), 0, self.run_.log[-2000:])

    def test_two_of_three_down(self):
        sender = self.sender(rate=800)
        self.moves_on()
        self.ring.stop(2)
        self.ring.kill9(3)
        text = runs.await_ready(self, self.run_, 503)
        self.assertRegex(text, r"(?i)cassandra|quorum|row|127\.0\.0")
        before, sent = self.committed(), sender.sent
        eventually(lambda: sender.sent > sent + 8000, 60, 0.2)
        self.assertEqual(self.run_.ready()[0], 503)
        self.assertEqual(self.committed(), before)
        self.assertLess(self.run_.rss_mb, RSS_MB_MAX)
        self.assertLess(self.run_.cpu_share(3), 0.7)
        self.ring.cont(2)
        runs.await_ready(self, self.run_, seconds=90)
        sender.stop()
        self.moves_on(60)
        self.ring.restart(3)
        self.ring.wait_up()
        self.check(sender)

    def test_all_frozen_and_weir_killed_meanwhile(self):
        sender = self.sender()
        self.moves_on()
        for node in (1, 2, 3):
            self.ring.stop(node)
        runs.await_ready(self, self.run_, 503)
        self.run_.kill()
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        for node in (1, 2, 3):
            self.ring.cont(node)
        runs.await_ready(self, self.run_, seconds=90)
        self.check(sender)


if __name__ == "__main__":
    cluster.main()
