#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""Brokers killed and restarted under `weir run` and `weir produce`: neither ends, neither runs hot while they are away, both go on by themselves, and
nothing is lost or doubled."""
import cluster
import expected
import runs
import streams
from cluster import eventually

PARTITIONS = 3
CPU_SHARE_MAX = 0.5  # of a core, while brokers are away
RSS_MB_MAX = 200
LIMIT = 4000


class Brokers(cluster.Case):
    def begin(self, brokers, copies):
        self.broker, = self.enterContext(cluster.own("kafka", brokers=brokers))
        self.bootstrap = self.broker.settings.bootstrap
        self.topic = self.enterContext(cluster.topic("brokers", partitions=PARTITIONS, copies=copies, bootstrap=self.bootstrap))
        self.fed = self.enterContext(cluster.topic("fed", partitions=PARTITIONS, copies=copies, bootstrap=self.bootstrap))
        self.name = cluster.fresh("brokers")
        self.file = self.pipeline("run", self.name, self.topic, copies)
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        fed = self.pipeline("produce", cluster.fresh("fed"), self.fed, copies)
        self.produce = runs.Run(self, fed, data=self.folder / "fed", verb="produce", more=("--limit", LIMIT))
        runs.await_ready(self, self.run_)
        self.sender = streams.Sender(self.bootstrap, self.topic, streams.Metrics(31), 200)
        self.addCleanup(self.sender.abandon)
        self.moves_on()

    def pipeline(self, file, name, topic, copies):
        return runs.pipeline("metrics", self.folder / f"{file}.yaml", name, topic, PARTITIONS, "embedded", log=f"kafka://{self.bootstrap}", replication=copies)

    def moves_on(self, seconds=90):
        ends = expected.ends(self.bootstrap, self.topic, PARTITIONS)
        eventually(lambda: all(done >= end for done, end in zip(expected.committed(self.bootstrap, self.name, self.topic, PARTITIONS), ends)), seconds, 0.5,
                   "commits past what is there now")
        runs.alive(self, self.run_)

    def check_calm(self):
        """Brokers are away."""
        for run in (self.run_, self.produce):
            if run.running:  # the feed may have given all it had
                self.assertLess(run.cpu_share(3), CPU_SHARE_MAX)
                self.assertLess(run.rss_mb, RSS_MB_MAX)

    def check(self):
        self.assertEqual(self.produce.process.wait(120), 0, self.produce.log[-2000:])
        self.assertEqual(sum(map(len, expected.read(self.bootstrap, self.fed).values())), LIMIT)
        sent = self.sender.stop()
        self.moves_on()
        answer = expected.metrics(expected.read(self.bootstrap, self.topic))
        self.assertEqual(answer.records, sent)
        self.assertEqual(self.run_.stop(), 0, self.run_.log[-2000:])
        for table, wanted in answer.tables.items():
            done = runs.weir("query", self.file, table, "--data", self.folder / "data", "--format", "csv")
            self.assertEqual(expected.differences(wanted, expected.csv_rows(done.stdout, table)), "", table)
        self.assertEqual(expected.wrong_letters(expected.letters(self.bootstrap, self.name), answer.letters), "")

    def test_one_that_is_killed_and_frozen(self):
        self.begin(brokers=1, copies=1)
        for strike, mend in ((self.broker.kill9, self.broker.restart), (self.broker.stop, self.broker.cont), (self.broker.terminate, self.broker.restart)):
            strike()
            text = runs.await_ready(self, self.run_, 503)
            self.assertIn("Kafka", text)
            self.check_calm()
            mend()
            runs.await_ready(self, self.run_, seconds=90)
            self.moves_on()
        self.check()

    def test_three_killed_in_turn(self):
        self.begin(brokers=3, copies=3)
        for broker in (1, 2, 3):
            self.broker.kill9(broker)
            self.moves_on()
            self.broker.restart(broker)
            self.moves_on()
        self.broker.kill9(1)
        self.broker.kill9(2)
        self.check_calm()
        self.broker.up()
        self.moves_on()
        self.check()


if __name__ == "__main__":
    cluster.main()
