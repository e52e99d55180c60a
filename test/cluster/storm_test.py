#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka registry
"""Three processes run both shipped pipelines on real engines while one of them joins, leaves, is killed or is frozen beyond its session every two seconds.
In the end every table and every dead letter is what an independent computation over the topics says."""
import json
import os
import random
import signal
import time

import cluster
import expected
import runs
import streams

SECONDS = float(os.environ.get("STORM_SECONDS", 70))
SEED = int(os.environ.get("STORM_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 30)
EVERY_SECONDS = 2
FROZEN_SECONDS = 9  # the session ends after 6, a transaction after 10
RATE = int(os.environ.get("STORM_RATE", 150))
PARTITIONS = 6
SLOTS = 3


class Storm(cluster.Case):
    def setUp(self):
        super().setUp()
        self.rnd = random.Random(SEED)
        print(f"# STORM_SEED={SEED}", flush=True)
        self.session = cluster.connect()
        self.addCleanup(self.session.cluster.shutdown)
        self.space = self.enterContext(cluster.keyspace(self.session, "storm"))
        self.topics, self.files, self.names = {}, {}, {}
        for shipped in ("iot-analytics", "metrics"):
            name = cluster.fresh(f"storm-{shipped}")
            self.topics[shipped] = self.enterContext(cluster.topic(name, partitions=PARTITIONS))
            self.names[shipped] = name
            self.files[shipped] = runs.pipeline(shipped, self.folder / f"{shipped}.yaml", name, self.topics[shipped], PARTITIONS,
                                                runs.store_url(self.space), registry=cluster.registry())
            self.addCleanup(cluster.drop_topics, name)
        self.schemas = streams.register(cluster.registry(), self.topics["iot-analytics"])
        self.slots = {slot: None for slot in range(SLOTS)}
        self.frozen = {}  # slot: when it is thawed
        self.lives = 0

    # ---- trouble

    def start(self, slot):
        self.lives += 1
        data = self.folder / (f"data-{slot}" if self.rnd.random() < 0.7 else f"data-{slot}-{self.lives}")  # a new home now and then
        self.slots[slot] = runs.Run(self, *self.files.values(), data=data)

    def leave(self, slot):
        run, self.slots[slot] = self.slots[slot], None
        served = run.url
        code = run.stop()
        self.assertTrue(code == 0 or (not served and code == -signal.SIGTERM), f"{code}: {run.log[-3000:]}")  # before it runs a stop is just an end

    def kill(self, slot):
        run, self.slots[slot] = self.slots[slot], None
        run.kill()

    def freeze(self, slot):
        self.slots[slot].freeze()
        self.frozen[slot] = time.monotonic() + FROZEN_SECONDS

    def thaw(self, now):
        for slot in [slot for slot, until in self.frozen.items() if until <= now]:
            del self.frozen[slot]
            self.slots[slot].thaw()

    def trouble(self):
        awake = [slot for slot, run in self.slots.items() if run and slot not in self.frozen]
        empty = [slot for slot, run in self.slots.items() if not run]
        for slot in awake:
            runs.alive(self, self.slots[slot])
        deeds = [(self.start, slot) for slot in empty] * 2
        if len(awake) > 1:
            deeds += [(deed, self.rnd.choice(awake)) for deed in (self.leave, self.kill, self.freeze)]
        if deeds:
            deed, slot = self.rnd.choice(deeds)
            self.tell(f"{deed.__name__} {slot}")
            deed(slot)

    def storm(self):
        self.begun = time.monotonic()
        next_trouble = self.begun + 2 * EVERY_SECONDS

        def over():
            nonlocal next_trouble
            now = time.monotonic()
            self.thaw(now)
            if now >= next_trouble:
                next_trouble = now + EVERY_SECONDS
                self.trouble()
            return now - self.begun > SECONDS

        cluster.eventually(over, SECONDS + 120)
        self.thaw(time.monotonic() + 3600)

    # ---- and what came of it

    def wrong(self, answers):
        return {table: said for answer in answers.values() for table, said in expected.wrong_tables(self.session, self.space, answer).items()}

    def drain(self, answers):
        """Until the tables are right, or for as long as it may take."""
        for slot, run in self.slots.items():
            if not run:
                self.start(slot)
        for answer in answers.values():
            expected.await_tables(self.session, self.space, answer, 150)

    def check_summary(self, shipped, answer):
        done = runs.weir("run", self.files[shipped], "--no-feed", "--data", self.folder / "last", "--until-end", "--close", "--format", "json",
                         "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        said = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(said["records"], answer.records)
        self.assertEqual({reason: count for reason, count in said["dead"].items() if count}, answer.dead())
        for table in answer.tables.keys() & {"sensor_events", "metric_event_by_id", "metric_event_by_group"}:
            self.assertEqual(said["rows"][table], answer.records - sum(count for reason, count in answer.dead().items() if reason != "late"))

    def test_nothing_is_lost_or_counted_twice(self):
        for slot in self.slots:
            self.start(slot)
        senders = [streams.Sender(cluster.kafka(), self.topics["iot-analytics"], streams.Iot(self.schemas, SEED), RATE),
                   streams.Sender(cluster.kafka(), self.topics["metrics"], streams.Metrics(SEED), RATE)]
        self.storm()
        sent = sum(sender.stop() for sender in senders)
        answers = {"iot-analytics": expected.iot(expected.read(cluster.kafka(), self.topics["iot-analytics"]), self.schemas),
                   "metrics": expected.metrics(expected.read(cluster.kafka(), self.topics["metrics"]))}
        self.assertEqual(sum(answer.records for answer in answers.values()), sent)
        self.drain(answers)
        for slot in self.slots:
            self.leave(slot)
        for shipped, answer in answers.items():
            self.check_summary(shipped, answer)
            self.assertEqual(expected.wrong_letters(expected.letters(cluster.kafka(), self.names[shipped]), answer.letters), "", shipped)
        self.assertEqual(self.wrong(answers), {})
        self.assertGreater(min(answers["metrics"].dead().values()), 0)


if __name__ == "__main__":
    cluster.main()
