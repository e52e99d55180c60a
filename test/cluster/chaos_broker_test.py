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

PARTITIONS = 3
CPU_SHARE_MAX = 0.5  # of a core, while brokers are away
CALM_SECONDS = 3
RSS_MB_MAX = 200


class Alert(cluster.Broker):
    """Brokers that are missed after four seconds, not nine."""

    def properties(self, broker):
        return f"{super().properties(broker)}broker.session.timeout.ms=4000\nbroker.heartbeat.interval.ms=1000\n"


class Brokers(cluster.Case):
    def begin(self, brokers, copies, limit):
        self.limit = limit
        self.broker, = self.enterContext(cluster.own(Alert, brokers=brokers))
        self.tell("brokers are up")
        self.bootstrap = self.broker.settings.bootstrap
        self.topic = self.enterContext(cluster.topic("brokers", partitions=PARTITIONS, copies=copies, bootstrap=self.bootstrap))
        self.fed = self.enterContext(cluster.topic("fed", partitions=PARTITIONS, copies=copies, bootstrap=self.bootstrap))
        self.name = cluster.fresh("brokers")
        self.file = self.pipeline("run", self.name, self.topic, copies)
        self.run_ = runs.Run(self, self.file, data=self.folder / "data")
        fed = self.pipeline("produce", cluster.fresh("fed"), self.fed, copies)
        self.produce = runs.Run(self, fed, data=self.folder / "fed", verb="produce", more=("--limit", limit))
        runs.await_ready(self, self.run_)
        self.sender = streams.Sender(self.bootstrap, self.topic, streams.Metrics(31), 200)
        self.addCleanup(self.sender.abandon)
        self.moves_on()
        self.tell("weir runs")

    def pipeline(self, file, name, topic, copies):
        return runs.pipeline("metrics", self.folder / f"{file}.yaml", name, topic, PARTITIONS, "embedded", log=f"kafka://{self.bootstrap}", replication=copies)

    def moves_on(self):
        try:
            expected.await_committed(self.bootstrap, self.name, self.topic, PARTITIONS)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.run_.ready()}; {self.run_.log[-2000:]}") from None
        runs.alive(self, self.run_)

    def check_calm(self):
        """Brokers are away."""
        busy = [run for run in (self.run_, self.produce) if run.running]  # the feed may have given all it had
        before = [run.cpu_seconds for run in busy]
        self.run_.cpu_share(CALM_SECONDS)
        for run, seconds in zip(busy, before):
            self.assertLess((run.cpu_seconds - seconds) / CALM_SECONDS, CPU_SHARE_MAX)
            self.assertLess(run.rss_mb, RSS_MB_MAX)

    def check(self):
        self.assertEqual(self.produce.process.wait(120), 0, self.produce.log[-2000:])
        self.tell("the feed has ended")
        self.assertEqual(sum(map(len, expected.read(self.bootstrap, self.fed).values())), self.limit)
        sent = self.sender.stop()
        self.moves_on()
        self.tell("all is read")
        answer = expected.metrics(expected.read(self.bootstrap, self.topic))
        self.assertEqual(answer.records, sent)
        self.assertEqual(self.run_.stop(), 0, self.run_.log[-2000:])
        self.tell("weir has stopped")
        for table, wanted in answer.tables.items():
            done = runs.weir("query", self.file, table, "--data", self.folder / "data", "--format", "csv")
            self.assertEqual(expected.differences(wanted, expected.csv_rows(done.stdout, table)), "", table)
        self.assertEqual(expected.wrong_letters(expected.letters(self.bootstrap, self.name), answer.letters), "")
        self.tell("all is right")

    def test_one_that_is_killed_and_frozen(self):
        self.begin(brokers=1, copies=1, limit=2500)
        for strike, mend in ((self.broker.kill9, self.broker.restart), (self.broker.stop, self.broker.cont), (self.broker.terminate, self.broker.restart)):
            strike()
            self.tell(strike.__name__)
            text = runs.await_ready(self, self.run_, 503)
            self.assertIn("Kafka", text)
            self.tell("weir says so")
            self.check_calm()
            mend()
            self.tell(mend.__name__)
            runs.await_ready(self, self.run_, seconds=90)
            self.tell("weir is ready")
            self.moves_on()
            self.tell("and has moved on")
        self.check()

    def test_three_killed_in_turn(self):
        self.begin(brokers=3, copies=3, limit=4000)
        for broker in (1, 2, 3):
            self.broker.kill9(broker)
            self.tell(f"broker {broker} is dead")
            self.moves_on()
            self.tell("weir has moved on without it")
            if broker < 3:
                self.broker.restart(broker)
                cluster.await_in_sync(self.bootstrap, 3)
                self.tell("it is back and in sync")
        self.broker.kill9(1)
        self.tell("another is dead too")
        self.check_calm()
        self.broker.up()
        self.tell("all are back")
        self.moves_on()
        self.tell("weir has moved on")
        self.check()


if __name__ == "__main__":
    cluster.main()
