#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""The Kafka client against a real broker, with the Python Confluent client on the other side. Works on topics of its own names."""
import collections
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

KAFKA = os.environ.get("KAFKA", "127.0.0.1:9092")
DRIVER = os.environ.get("KAFKA_DRIVER") or str(Path(os.environ.get("WEIR_BUILD", "build")) / "kafka_driver")
SEED = int(os.environ.get("WEIR_FUZZ_SEED", "1"))


def run(*args, stdin=None, timeout=60):
    done = subprocess.run([DRIVER, args[0], KAFKA, *map(str, args[1:])], input=stdin, capture_output=True, timeout=timeout)
    return done.returncode, done.stdout.decode().splitlines()


def murmur2(data):
    """org.apache.kafka.common.utils.Utils.murmur2 and toPositive, from their description."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        h = (h * m ^ (k ^ k >> 24) * m) & mask
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def eventually(check, seconds=60):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError("not within the time")
        select_nothing(0.05)


def select_nothing(seconds):
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(["true"], timeout=seconds, check=False)


class Case(unittest.TestCase):
    def setUp(self):
        self.admin = AdminClient({"bootstrap.servers": KAFKA})
        self.topics = []

    def tearDown(self):
        for future in (self.admin.delete_topics(self.topics, operation_timeout=30) if self.topics else {}).values():
            with contextlib.suppress(Exception):
                future.result()

    def has_leaders(self, name, partitions):
        topic = self.admin.list_topics(timeout=10).topics.get(name)
        return topic is not None and len(topic.partitions) == partitions and all(p.leader >= 0 for p in topic.partitions.values())

    def topic(self, partitions=3, **config):
        name = f"kafka-{uuid.uuid4().hex[:12]}"
        for future in self.admin.create_topics([NewTopic(name, partitions, 1, config=config)], operation_timeout=30).values():
            future.result()
        self.topics.append(name)
        eventually(lambda: self.has_leaders(name, partitions))
        return name

    def read_all(self, topic, isolation="read_committed"):
        consumer = Consumer({"bootstrap.servers": KAFKA, "group.id": f"kafka-{uuid.uuid4().hex}", "enable.auto.commit": False,
                             "enable.partition.eof": True, "auto.offset.reset": "earliest", "isolation.level": isolation})
        parts = [TopicPartition(topic, p, 0) for p in consumer.list_topics(topic, 10).topics[topic].partitions]
        consumer.assign(parts)
        messages, ended = [], set()
        while len(ended) < len(parts):
            for message in consumer.consume(1000, 1):
                if message.error():
                    ended.add(message.partition())
                else:
                    ended.discard(message.partition())
                    messages.append(message)
        consumer.close()
        return messages


class Topics(Case):
    def test_a_topic_is_made_altered_emptied_and_deleted(self):
        name = f"kafka-{uuid.uuid4().hex[:12]}"
        self.assertEqual(run("topic", "create", name, 3, 60000, 0), (0, ["created"]))
        self.topics.append(name)
        self.assertEqual(run("topic", "create", name, 3, 90000, 0), (0, ["exists"]))
        self.assertEqual(run("topic", "describe", name), (0, [f"{name} 3 1 90000 0"]))
        self.assertEqual(run("topic", "create", name, 3, 0, 0), (0, ["exists"]))
        self.assertEqual(run("topic", "describe", name), (0, [f"{name} 3 1 0 0"]))
        code, (text,) = run("topic", "create", name, 4, 0, 0)
        self.assertEqual((code, text.split()[1]), (1, "78"))
        self.assertIn(f"{name} 3 1 0 0", run("topic", "list", "-")[1])
        run("produce", name, stdin=b"1700000000000\ta\tb\n" * 10)
        self.assertEqual(run("topic", "empty", name), (0, []))
        self.assertEqual(len(self.read_all(name)), 0)
        self.assertEqual(run("topic", "delete", name), (0, []))
        code, (text,) = run("topic", "describe", name)
        self.assertEqual((code, text.split()[1]), (1, "65"))

    def test_a_compacted_topic_is_emptied_too(self):
        name = f"kafka-{uuid.uuid4().hex[:12]}"
        self.topics.append(name)
        run("topic", "create", name, 2, 0, 1)
        run("produce", name, stdin=b"1700000000000\ta\tb\n")
        self.assertEqual(run("topic", "empty", name), (0, []))
        self.assertEqual(run("topic", "describe", name), (0, [f"{name} 2 1 0 1"]))
        self.assertEqual(len(self.read_all(name)), 0)

    def test_the_nearest_name_is_told(self):
        name = self.topic()
        code, (text,) = run("scan", name[:-1], 0, "start")
        self.assertEqual(code, 1)
        self.assertIn(f"did you mean '{name}'?", text)


class Records(Case):
    def test_what_is_produced_lies_where_java_would_put_it(self):
        topic = self.topic(5)
        keys = [f"key-{i}-{'x' * (i % 9)}" for i in range(2000)]
        lines = "".join(f"{1700000000000 + i}\t{k}\tvalue {i}\n" for i, k in enumerate(keys))
        self.assertEqual(run("produce", topic, "compression.type=zstd", stdin=lines.encode()), (0, []))
        got = self.read_all(topic)
        self.assertEqual(len(got), 2000)
        for m in got:
            self.assertEqual(m.partition(), murmur2(m.key()) % 5)
            self.assertEqual(m.timestamp()[1] - 1700000000000, int(m.value().split()[1]))

    def test_every_codec_is_read(self):
        topic = self.topic(1)
        want = []
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            producer = Producer({"bootstrap.servers": KAFKA, "compression.type": codec, "linger.ms": 20})
            for i in range(500):
                producer.produce(topic, value=f"{codec} {i}", key=str(i), timestamp=1700000000000 + i, headers=[("h", codec), ("n", None)])
                want.append(f"{len(want)}\t{1700000000000 + i}\t{i}\t{codec} {i}")
            producer.flush()
        code, lines = run("read", topic, 0, "start")
        self.assertEqual((code, lines[:-2], lines[-2:]), (0, want, ["lost 0", "next 2500"]))
        code, lines = run("scan", topic, 0, 100)
        self.assertEqual(lines[0], want[100] + "\th=none\tn=")
        self.assertEqual((len(lines), lines[-1]), (2401, "next 2500"))

    def test_aborted_transactions_are_not_read_and_ends_are_found(self):
        topic = self.topic(1)
        producer = Producer({"bootstrap.servers": KAFKA, "transactional.id": topic})
        producer.init_transactions()
        want = []
        for i in range(20):
            producer.begin_transaction()
            for j in range(10):
                producer.produce(topic, value=f"{i}.{j}", key="k", timestamp=1)
            if i % 3 == 0:
                producer.flush()
                producer.abort_transaction()
            else:
                want += [f"{i}.{j}" for j in range(10)]
                producer.commit_transaction()
        producer.begin_transaction()
        producer.produce(topic, value="open", key="k", timestamp=1)
        producer.flush()  # beyond the last stable offset
        code, lines = run("read", topic, 0, "start")
        self.assertEqual([line.split("\t")[3] for line in lines if "\t" in line], want)
        self.assertEqual(lines[-1], "next 220")
        scan = subprocess.Popen([DRIVER, "scan", KAFKA, topic, "0", "start"], stdout=subprocess.PIPE)  # waits for the open one's fate
        with self.assertRaises(subprocess.TimeoutExpired):
            scan.wait(2)
        producer.abort_transaction()
        lines = scan.communicate(timeout=60)[0].decode().splitlines()
        self.assertEqual([line.split("\t")[3] for line in lines if "\t" in line], want)
        self.assertEqual(lines[-1], "next 221")

    def test_what_retention_took_is_counted(self):
        topic = self.topic(1)
        run("produce", topic, stdin=b"1700000000000\tk\tv\n" * 100)
        for future in self.admin.delete_records([TopicPartition(topic, 0, 60)]).values():
            future.result()
        code, lines = run("read", topic, 0, 10)
        self.assertEqual((code, lines[0].split("\t")[0], lines[-2:]), (0, "60", ["lost 50", "next 100"]))

    def test_an_empty_partition_has_an_end(self):
        topic = self.topic(1)
        self.assertEqual(run("scan", topic, 0, "start"), (0, ["next 0"]))
        self.assertEqual(run("read", topic, 0, "start"), (0, ["lost 0", "next 0"]))

    def test_a_partition_that_was_cut_is_an_error(self):
        topic = self.topic(1)
        run("produce", topic, stdin=b"1700000000000\tk\tv\n")
        code, lines = run("read", topic, 0, 50)
        self.assertEqual(code, 1)
        self.assertIn("ends at offset 1, before offset 50", lines[-1])


class Members(Case):
    """Members copy records in transactions with their offsets; whatever happens to them, the copy must be exact."""

    def start(self, i):
        out = open(self.folder / f"{i}-{len(self.logs)}.log", "wb")
        self.logs.append(out.name)
        out_topic, group = self.copy, self.group
        process = subprocess.Popen([DRIVER, "member", KAFKA, self.source, group, f"{group}-{i}", out_topic, "session.timeout.ms=6000",
                                 "transaction.timeout.ms=6000"], stdout=out)
        out.close()
        return process

    def events(self):
        return [line.split() for name in self.logs for line in Path(name).read_text().splitlines()]

    def setUp(self):
        super().setUp()
        self.source, self.copy, self.logs = self.topic(6), self.topic(6), []
        self.group = f"kafka-{uuid.uuid4().hex[:12]}"
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.producer = Producer({"bootstrap.servers": KAFKA, "linger.ms": 5})
        self.sent = 0

    def stop(self, *members):
        for member in members:
            member.terminate()
        for member in members:
            self.assertEqual(member.wait(30), 0, [e for e in self.events() if e[0] == "error"])

    def produce(self, count):
        for _ in range(count):
            self.producer.produce(self.source, value=str(self.sent), key=str(self.sent % 97))
            self.sent += 1
        self.producer.flush()

    def copied(self):
        return [(m.partition(), int(m.value())) for m in self.read_all(self.copy)]

    def check_exact(self):
        eventually(lambda: len(self.copied()) >= self.sent, 120)
        copied = self.copied()
        self.assertEqual(collections.Counter(n for _, n in copied), collections.Counter(range(self.sent)))
        for p in range(6):
            numbers = [n for q, n in copied if q == p]
            self.assertEqual(numbers, sorted(numbers))
        self.assertFalse([e for e in self.events() if e[0] == "error"])

    def test_three_members_killed_frozen_and_joining(self):
        rnd = random.Random(SEED)
        members = {i: self.start(i) for i in range(3)}
        try:
            self.produce(3000)
            eventually(lambda: len({e[1] for e in self.events() if e[0] == "done"}) == 6)
            for round_ in range(4):
                i = rnd.randrange(3)
                if round_ % 2:
                    os.kill(members[i].pid, signal.SIGSTOP)
                    before = len([e for e in self.events() if e[0] == "assigned"])
                    self.produce(2000)
                    eventually(lambda: len([e for e in self.events() if e[0] == "assigned"]) >= before + 6)
                    os.kill(members[i].pid, signal.SIGCONT)
                else:
                    members[i].kill()
                    members[i].wait()
                    self.produce(2000)
                    members[i] = self.start(i)
            self.check_exact()
            self.assertTrue([e for e in self.events() if e[0] == "lost"])
        finally:
            self.stop(*members.values())

    def test_members_that_leave_hand_over_at_once(self):
        first = self.start(0)
        self.produce(1000)
        eventually(lambda: len([e for e in self.events() if e[0] == "assigned"]) == 6)
        second = self.start(1)
        eventually(lambda: len([e for e in self.events() if e[0] == "assigned"]) == 12)
        self.stop(first)
        started = time.monotonic()
        eventually(lambda: len([e for e in self.events() if e[0] == "assigned"]) == 18)
        self.assertLess(time.monotonic() - started, 5)
        self.produce(1000)
        self.check_exact()
        self.stop(second)

    def test_a_second_member_of_the_same_name_fences_the_first(self):
        first = self.start(0)
        self.produce(100)
        eventually(lambda: any(e[0] == "done" for e in self.events()))
        second = self.start(0)
        eventually(lambda: self.produce(50) or any(e[0] in ("fenced", "aborted") for e in self.events()))
        first.kill()
        first.wait()
        self.check_exact()
        self.stop(second)


if __name__ == "__main__":
    unittest.main()
