# SPDX-License-Identifier: Apache-2.0
"""Events of both shipped pipelines as a fleet of real producers would send them: out of order, some far too late, some from the future, some not events at
all; sent by the Confluent client, which is not ours."""
import io
import json
import random
import struct
import threading
import time

import fastavro
import httpx
from confluent_kafka import Producer

from cluster import ROOT

HOUR = 3600_000
DAY = 24 * HOUR
V1 = json.loads((ROOT / "schemas/sensor-event.avsc").read_text())
V2 = {**V1, "fields": [*V1["fields"][1:], {"name": "battery_level", "type": ["null", "float"], "default": None}, V1["fields"][0]]}
CITIES = ("Roma", "Milano", "Napoli", "Torino", None)
JSON_JUNK = (b"", b"no json", b"{}", b"[1]", b'{"group":"g","id":"x","type":"THERM","timestamp":"soon","value":1}', b'{"group":"g","id":"x"}')
UNKNOWN_ID = 99_999_999


def register(url, topic):
    """Both schemas under the topic's subject; gives them by id."""
    schemas = {}
    for schema in (V1, V2):
        answer = httpx.post(f"{url}/subjects/{topic}-value/versions", json={"schema": json.dumps(schema)}, timeout=30)
        answer.raise_for_status()
        schemas[answer.json()["id"]] = fastavro.parse_schema(json.loads(json.dumps(schema)))
    return schemas


class Clock:
    """Event times that go on by `step_ms` an event on the whole, begin 60 days ago, and are not in order."""

    def __init__(self, rnd, step_ms, future=True):
        self.rnd, self.step_ms, self.future, self.count = rnd, step_ms, future, 0
        self.start_ms = int(time.time() * 1000) // DAY * DAY - 60 * DAY

    def next(self):
        self.count += 1
        event_ms, luck = self.start_ms + self.count * self.step_ms, self.rnd.random()
        if self.future and luck < 0.003:
            return int(time.time() * 1000) + 3 * DAY  # future
        if luck < 0.01:
            return event_ms - self.rnd.randrange(26 * HOUR)  # late for an hour, perhaps for the day too
        return event_ms - self.rnd.randrange(90_000)


class Iot:
    """Avro of these schemas (by id), one in a hundred junk."""

    def __init__(self, schemas, seed, devices=40, step_ms=2500, junk=0.01):
        self.rnd = random.Random(seed)
        self.junk_share = junk
        self.schemas = schemas
        self.devices = [f"00000000-0000-4000-8000-{n:012d}" for n in range(devices)]
        self.clock = Clock(self.rnd, step_ms)

    def junk(self):
        known = struct.pack(">I", self.rnd.choice(list(self.schemas)))
        return self.rnd.choice((b"", b"\0\0\0", b"\1" + known + b"abc", b"\0" + known + b"\xff" * 30, b"\0" + struct.pack(">I", UNKNOWN_ID) + b"x"))

    def next(self):
        n = self.rnd.randrange(len(self.devices))
        if self.rnd.random() < self.junk_share:
            return self.devices[n], self.junk()
        event = {"device_id": self.devices[n], "device_name": f"sensor-{n}" if n % 8 else None, "timestamp": self.clock.next(),
                 "temperature": self.rnd.uniform(15, 35), "humidity": self.rnd.uniform(30, 90), "location": CITIES[n % len(CITIES)]}
        schema_id = self.rnd.choice(list(self.schemas))
        body = io.BytesIO()
        fastavro.schemaless_writer(body, self.schemas[schema_id], event)
        return self.devices[n], b"\0" + struct.pack(">I", schema_id) + body.getvalue()


class Metrics:
    """JSON, one in a hundred junk; a group's devices lie in several partitions."""

    def __init__(self, seed, devices=40, groups=5, step_ms=2500, future=True):
        self.rnd = random.Random(seed)
        self.devices, self.groups = devices, groups
        self.clock = Clock(self.rnd, step_ms, future)

    def event(self):
        n = self.rnd.randrange(self.devices)
        return {"group": f"group-{n % self.groups}", "id": f"device-{n}", "type": ("THERM", "HEARTRATE", "FUEL")[n % 3],
                "timestamp": self.clock.next(), "value": round(self.rnd.uniform(10, 100), 2)}

    def next(self):
        event = self.event()
        junk = self.rnd.random() < 0.01
        return event["id"], self.rnd.choice(JSON_JUNK) if junk else json.dumps(event).encode()


class Sender:
    """A producer thread: events of `source` into `topic`, at a rate, until stopped or `limit` are sent. Every one arrives."""

    def __init__(self, bootstrap, topic, source, per_second, limit=None, **config):
        self.producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True, "linger.ms": 20,
                                  "message.timeout.ms": 0, "topic.metadata.propagation.max.ms": 600_000,
                                  "topic.metadata.refresh.interval.ms": 2000,  # a broker that has just come back may not know the topic yet
                                  "log_level": 0, **config})
        self.topic, self.source, self.per_second, self.limit = topic, source, per_second, limit
        self.sent = 0
        self.failed = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _delivered(self, error, _):
        if error:
            self.failed.append(str(error))

    def _run(self):
        begun = time.monotonic()
        while not self._stopped.wait(0.02) and self.sent != self.limit:
            due = int((time.monotonic() - begun) * self.per_second)
            for _ in range(self.sent, min(due, self.limit or due)):
                key, value = self.source.next()
                self.producer.produce(self.topic, value, key, on_delivery=self._delivered)
                self.sent += 1
            self.producer.poll(0)

    def wait(self):
        """Until `limit` are sent and acknowledged; gives how many."""
        self._thread.join()
        assert self.producer.flush(120) == 0 and not self.failed, self.failed[:3]
        return self.sent

    def stop(self):
        self._stopped.set()
        return self.wait()

    def abandon(self):
        """For a test that has failed: nothing is waited for."""
        self._stopped.set()
        self._thread.join()
        self.producer.purge()


def fill(bootstrap, topic, source, count):
    return Sender(bootstrap, topic, source, per_second=1 << 20, limit=count).wait()
