#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka
"""weir killed at every fault point, over and over, with each pair of engines that is not all embedded: tables and dead letters are those of a run that
nothing happened to."""
import contextlib
import json
import os
import signal

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

import cluster
import expected
import runs
import streams

PARTITIONS = 3
EVENTS = 6000
PASSAGES = (1, 2, 5)
SOON = 10  # seconds, with others' transactions open for longer
TASK = ("task.commit.before", "task.commit.built", "task.commit.after")
EMBEDDED = ("txn.commit.before", "txn.commit.after", "store.flush.before", "store.flush.after")
APPEND = ("log.append.before", "log.append.records", "log.append.after", "feed.flush.before", "feed.flush.after")


def comparable(event):
    return event["id"], event["timestamp"], event["group"], event["type"], float(event["value"])


@contextlib.contextmanager
def open_transaction(bootstrap, group, topic):
    """Somebody's that would commit every partition of the topic for the group, and does not end."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{group}-somebody", "transaction.timeout.ms": 60000, "log_level": 0})
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition(topic, partition, 1) for partition in range(PARTITIONS)], consumer.consumer_group_metadata(), 30)
    consumer.close()
    try:
        yield
    finally:
        producer.abort_transaction(30)


def members(bootstrap, group):
    """Those that have been given partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    return [one for one in admin.describe_consumer_groups([group])[group].result(20).members if one.assignment.topic_partitions]


class Faults(cluster.Case):
    def setUp(self):
        super().setUp()
        self.name = cluster.fresh("exactly")
        self.kills = 0

    def on_kafka(self):
        self.topic = self.enterContext(cluster.topic(self.name, partitions=PARTITIONS))
        self.addCleanup(cluster.drop_topics, self.name)

    def on_cassandra(self):
        self.session = cluster.connect()
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session, "exactly"))

    def run_to_end(self, *more, fault=None):
        """Runs until the topic's end; gives the summary, or None where the fault point was met first."""
        env = {**os.environ, **({"WEIR_FAULT": fault} if fault else {})}
        done = runs.weir("run", self.file, "--data", self.folder / "data", "--until-end", "--format", "json", "--listen", "127.0.0.1:0", *more, env=env)
        if done.returncode == -signal.SIGKILL:
            self.kills += 1
            return None
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return json.loads(done.stdout.splitlines()[-1])

    def kill_at(self, points, before_each, *more):
        for point in points:
            for passage in PASSAGES:
                before_each()
                self.run_to_end(*more, fault=f"{point}:{passage}")

    def more_events(self):
        self.sent = getattr(self, "sent", 0) + streams.fill(cluster.kafka(), self.topic, self.source, EVENTS // 20)

    def feed_from_file(self):
        """The file that feeds the pipeline from now on."""
        events, text = self.folder / "events.jsonl", self.file.read_text()
        begin, end = text.index("feed:\n"), text.index("queries:\n")
        self.file.write_text(f"{text[:begin]}feed: {{file: {{path: {events}, format: jsonl, pace: max}}}}\n\n{text[end:]}")
        return events

    def check_topic(self, summary, answer):
        self.assertEqual(answer.records, self.sent)
        self.assertEqual(summary["records"], answer.records)
        self.assertEqual({reason: count for reason, count in summary["dead"].items() if count}, answer.dead())
        self.assertEqual(expected.wrong_letters(expected.letters(cluster.kafka(), self.name), answer.letters), "")

    def test_kafka_and_cassandra(self):
        self.on_kafka()
        self.on_cassandra()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, runs.store_url(self.space))
        self.source = streams.Metrics(7)
        self.kill_at(TASK, self.more_events, "--no-feed")
        self.assertGreater(self.kills, 5)
        summary = self.run_to_end("--no-feed")
        answer = expected.metrics(expected.read(cluster.kafka(), self.topic))
        self.check_topic(summary, answer)
        self.assertEqual(expected.wrong_tables(self.session, self.space, answer), {})

    def test_kafka_and_the_embedded_store(self):
        self.on_kafka()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, "embedded")
        self.source = streams.Metrics(8)
        self.kill_at((*TASK, *EMBEDDED), self.more_events, "--no-feed")
        self.assertGreater(self.kills, 10)
        summary = self.run_to_end("--no-feed")
        answer = expected.metrics(expected.read(cluster.kafka(), self.topic))
        self.check_topic(summary, answer)
        for table, wanted in answer.tables.items():
            self.assertEqual(expected.differences(wanted, self.embedded_rows(table)), "", table)

    def embedded_rows(self, table):
        done = runs.weir("query", self.file, table, "--data", self.folder / "data", "--format", "csv")
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return expected.csv_rows(done.stdout, table)

    def epochs(self):
        """All that the changelog has, partition by partition."""
        found = expected.read(cluster.kafka(), f"{self.name}-changelog")
        return [[message.value() for message in messages if message.key() == b"E"] for messages in found.values()]

    def test_a_first_owner_that_wakes_up_late(self):
        """A process is frozen between loading a partition and beginning its epoch, beyond its session. Another begins it. The first wakes up and would
        begin a later one, whose rows would win over the other's."""
        self.on_kafka()
        self.on_cassandra()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, runs.store_url(self.space))
        self.source = streams.Metrics(11)
        self.more_events()
        late = runs.Run(self, self.file, data=self.folder / "late", env={"WEIR_FAULT": "task.epoch.before:1:stop"})
        cluster.eventually(lambda: late.frozen, 60, 0.1, "the first owner to freeze")
        other = runs.Run(self, self.file, data=self.folder / "other")
        expected.await_committed(cluster.kafka(), self.name, self.topic, PARTITIONS)
        late.thaw()
        cluster.eventually(lambda: "taken the partition back" in late.log, 60, 0.1, "it to be turned away")
        self.more_events()
        expected.await_committed(cluster.kafka(), self.name, self.topic, PARTITIONS)
        answer = expected.metrics(expected.read(cluster.kafka(), self.topic))
        expected.await_tables(self.session, self.space, answer, 60)
        self.assertEqual([len(epochs) for epochs in self.epochs()], [1] * PARTITIONS)
        for run in (late, other):
            self.assertEqual(run.stop(), 0, run.log[-2000:])

    def test_a_stop_while_another_transaction_is_open(self):
        """A partition that comes is not read before the transactions of its earlier owner have ended, and a stop does not wait for that."""
        self.on_kafka()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, "embedded")
        self.source = streams.Metrics(12)
        self.more_events()
        with open_transaction(cluster.kafka(), self.name, self.topic):
            run = runs.Run(self, self.file, data=self.folder / "data")
            cluster.eventually(lambda: members(cluster.kafka(), self.name), 60, 0.2, "the group to give it partitions")
            self.assertEqual(run.stop(SOON), 0, run.log[-2000:])
            self.assertNotIn("reading partition", run.log)
        answer = expected.metrics(expected.read(cluster.kafka(), self.topic))
        self.check_topic(self.run_to_end("--no-feed"), answer)

    def test_embedded_log_and_cassandra(self):
        self.on_cassandra()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.name, PARTITIONS, runs.store_url(self.space), log="embedded")
        source = streams.Metrics(9, future=False)
        lines = [source.event() for _ in range(EVENTS)]
        self.feed_from_file().write_text("".join(json.dumps(line) + "\n" for line in lines))
        points = (*TASK, "txn.commit.before", "txn.commit.after", *(point for point in APPEND if point != "log.append.records"))
        self.kill_at(points, lambda: None)
        self.assertGreater(self.kills, 5)
        summary = self.run_to_end()
        self.assertEqual(summary["records"], EVENTS)
        answer = expected.metrics(expected.placed(lines, PARTITIONS))
        self.assertEqual({reason: count for reason, count in summary["dead"].items() if count}, answer.dead())
        self.assertEqual(expected.wrong_tables(self.session, self.space, answer), {})

    def test_a_feed_into_kafka(self):
        self.on_kafka()
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, "embedded")
        events, lines = self.feed_from_file(), []
        source = streams.Metrics(10, future=False)

        def produce(fault=None):
            env = {**os.environ, **({"WEIR_FAULT": fault} if fault else {})}
            return runs.weir("produce", self.file, "--data", self.folder / "data", env=env)

        for point in APPEND:
            for passage in PASSAGES[:2]:
                more = [source.event() for _ in range(EVENTS // 20)]
                with open(events, "a") as file:
                    file.writelines(json.dumps(line) + "\n" for line in more)
                lines += more
                done = produce(f"{point}:{passage}")
                self.kills += done.returncode == -signal.SIGKILL
                self.assertIn(done.returncode, (0, -signal.SIGKILL), done.stderr[-2000:])
        self.assertGreater(self.kills, 3)
        done = produce()
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        found = [json.loads(message.value()) for messages in expected.read(cluster.kafka(), self.topic).values() for message in messages]
        self.assertEqual(sorted(map(comparable, found)), sorted(map(comparable, lines)))


if __name__ == "__main__":
    cluster.main()
