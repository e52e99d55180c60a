# SPDX-License-Identifier: Apache-2.0
"""What tables and dead letters must hold, computed in Python from what is really in a topic: partition by partition, event by event, in the order of offsets.

Watermark: the highest event time of the partition's earlier events, less a query's lateness. An event of a window that ends at or before it is late."""
import collections
import csv
import datetime
import io
import json
import math
import statistics
import struct
import time
import uuid

import fastavro
from cassandra import DriverException
from cassandra.cluster import NoHostAvailable
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

import cluster
from streams import DAY, HOUR

MINUTE = 60_000
FIELDS = {"group": str, "id": str, "type": str, "timestamp": int, "value": (int, float)}


def read(bootstrap, topic, seconds=60):
    """All committed messages of a topic, by partition in the order of their offsets."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": cluster.fresh("reader"), "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True, "log_level": 0})
    try:
        metadata = consumer.list_topics(topic, 20).topics[topic]
        if metadata.error:
            return {}
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in metadata.partitions])
        messages, ended = collections.defaultdict(list), set()

        def all_read():
            for message in consumer.consume(5000, 0.5):
                if not message.error():
                    messages[message.partition()].append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            return len(ended) == len(metadata.partitions)

        cluster.eventually(all_read, seconds, 0, f"the end of {topic}")
        return messages
    finally:
        consumer.close()


def ends(bootstrap, topic, partitions):
    """Where each partition of a topic ends now; brokers that have just gone or come back are given time to know it. Each look has a client of its own, since
    one keeps asking the leader it has once heard of."""

    def answered():
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": cluster.fresh("reader"), "log_level": 0})
        try:
            return [consumer.get_watermark_offsets(TopicPartition(topic, partition), 5)[1] for partition in range(partitions)]
        except KafkaException:
            return None
        finally:
            consumer.close()

    return cluster.eventually(answered, 60, 0.2, f"the ends of {topic}")


def committed(bootstrap, group, topic, partitions):
    """Offsets a group has committed; negative where none is, or where the brokers cannot say."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
    try:
        return [one.offset for one in consumer.committed([TopicPartition(topic, partition) for partition in range(partitions)], 20)]
    except KafkaException:
        return [-1] * partitions
    finally:
        consumer.close()


def await_committed(bootstrap, group, topic, partitions, seconds=90):
    """Until a group has committed past what is in the topic now."""
    there = ends(bootstrap, topic, partitions)
    cluster.eventually(lambda: all(done >= end for done, end in zip(committed(bootstrap, group, topic, partitions), there)), seconds, 0.5,
                       "commits past what is there now")


class Placed:
    """An event that never was in Kafka, where weir's producer would have put it."""

    def __init__(self, event, partition, offset):
        self.event, self.place = event, (partition, offset)

    def value(self):
        return json.dumps(self.event).encode()

    def key(self):
        return self.event["id"].encode()

    def partition(self):
        return self.place[0]

    def offset(self):
        return self.place[1]

    def timestamp(self):
        return 1, round(time.time() * 1000)


def placed(events, partitions):
    """Messages by partition, as read() gives them, of events that are appended in this order."""
    messages = collections.defaultdict(list)
    for event in events:
        partition = murmur2(event["id"].encode()) % partitions
        messages[partition].append(Placed(event, partition, len(messages[partition])))
    return messages


def murmur2(key):
    """Kafka's hash of a key, without its sign (org.apache.kafka.common.utils.Utils)."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    hashed = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for (word,) in struct.iter_unpack("<I", key[:whole]):
        word = word * mixer & mask
        word = (word ^ word >> 24) * mixer & mask
        hashed = (hashed * mixer & mask) ^ word
    if len(key) > whole:
        hashed = (hashed ^ int.from_bytes(key[whole:], "little")) * mixer & mask
    hashed = (hashed ^ hashed >> 13) * mixer & mask
    return (hashed ^ hashed >> 15) & 0x7FFFFFFF


class Junk(Exception):
    """Why a message is a dead letter; its schema id, where that is the reason."""


def decode_avro(schemas, value):
    if value is None or len(value) < 5 or value[0] != 0:
        raise Junk("malformed", None)
    schema_id = struct.unpack(">I", value[1:5])[0]
    if schema_id not in schemas:
        raise Junk("unknown_schema", schema_id)
    try:
        body = io.BytesIO(value[5:])
        event = fastavro.schemaless_reader(body, schemas[schema_id], None)
    except Exception:
        raise Junk("malformed", None) from None
    if body.read(1):
        raise Junk("malformed", None)
    return event


def decode_json(value):
    try:
        event = json.loads(value)
        if all(isinstance(event[name], kind) for name, kind in FIELDS.items()):
            return event
    except (ValueError, TypeError, KeyError):
        pass
    raise Junk("malformed", None)


class Answer:
    def __init__(self):
        self.records = 0
        self.letters = collections.Counter()  # (reason, partition, offset, query, schema id, key, value)
        self.tables = collections.defaultdict(dict)  # name: {key: row}
        self.windows = collections.defaultdict(list)  # (table, key): values

    def bury(self, message, reason, query=None, schema_id=None):
        self.letters[(reason, message.partition(), message.offset(), query, schema_id, message.key(), message.value() or b"")] += 1

    def dead(self):
        return dict(collections.Counter(letter[0] for letter in self.letters.elements()))


def walk(messages, decode, max_ahead_ms=DAY):
    """Yields the answer to fill, each event, its message and the partition's highest event time before it."""
    answer = Answer()
    for partition in sorted(messages):
        high = -math.inf
        for message in messages[partition]:
            answer.records += 1
            try:
                event = decode(message.value())
            except Junk as junk:
                answer.bury(message, junk.args[0], schema_id=junk.args[1])
                continue
            if event["timestamp"] > message.timestamp()[1] + max_ahead_ms:
                answer.bury(message, "future")
                continue
            yield answer, event, message, high
            high = max(high, event["timestamp"])
    yield answer, None, None, None


def iot(messages, schemas):
    """pipelines/iot-analytics.yaml"""
    for answer, event, message, high in walk(messages, lambda value: decode_avro(schemas, value)):
        if event is None:
            break
        device, event_ms = uuid.UUID(event["device_id"]), event["timestamp"]
        answer.tables["sensor_events"][device, event_ms] = {name: event[name] for name in ("temperature", "humidity", "location")}
        end_ms = event_ms // HOUR * HOUR + HOUR
        if high - MINUTE >= end_ms:
            answer.bury(message, "late", "hourly_aggregates")
        else:
            answer.windows["hourly_aggregates", (device, end_ms // 1000 - 3600)].append(event["temperature"])
        row = answer.tables["devices"].setdefault((device,), {"device_name": None, "location": None, "created_at": event_ms, "last_updated": event_ms})
        row.update(device_name=event["device_name"] or row["device_name"], location=event["location"] or row["location"],
                   created_at=min(row["created_at"], event_ms), last_updated=max(row["last_updated"], event_ms))
    for (table, key), values in answer.windows.items():
        answer.tables[table][key] = {"event_count": len(values), "min_temperature": min(values), "max_temperature": max(values),
                                     "avg_temperature": Near(math.fsum(values) / len(values), 1e-6)}
    return answer


CALENDAR = {  # table's name: lateness, start and end of the window a time lies in
    "hourly": (MINUTE, lambda at: at.replace(minute=0, second=0, microsecond=0), lambda start: start + datetime.timedelta(hours=1)),
    "daily": (5 * MINUTE, lambda at: at.replace(hour=0, minute=0, second=0, microsecond=0), lambda start: start + datetime.timedelta(days=1)),
    "monthly": (2 * DAY, lambda at: at.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
                lambda start: (start + datetime.timedelta(days=32)).replace(day=1)),
}


def metrics(messages):
    """pipelines/metrics.yaml"""
    for answer, event, message, high in walk(messages, decode_json):
        if event is None:
            break
        device, group, event_ms, value = event["id"], event["group"], event["timestamp"], float(event["value"])
        rest = {"value": value, "type": event["type"]}
        answer.tables["metric_event_by_id"][device, event_ms] = {**rest, "group": group}
        answer.tables["metric_event_by_group"][group, event_ms, device] = rest
        at = datetime.datetime.fromtimestamp(event_ms / 1000, datetime.timezone.utc)
        for name, (lateness_ms, start_of, end_of) in CALENDAR.items():
            start = start_of(at)
            closed = high - lateness_ms >= end_of(start).timestamp() * 1000
            for by, key in (("id", device), ("group", group)):
                table = f"{name}_metric_event_by_{by}"
                if closed:
                    answer.bury(message, "late", table)
                else:
                    answer.windows[table, (key, start.year, start.month, start.day, start.hour)].append(value)
    for (table, key), values in answer.windows.items():
        middle = statistics.median_low(values), statistics.median_high(values)
        answer.tables[table][key] = {"avg": Near(math.fsum(values) / len(values), 1e-12), "min": min(values), "max": max(values),
                                     "median": Between(middle[0] * 0.99, middle[1] * 1.01)}
    return answer


class Near:
    def __init__(self, value, relative):
        self.value, self.relative = value, relative

    def __eq__(self, other):
        return other is not None and math.isclose(self.value, other, rel_tol=self.relative)

    def __repr__(self):
        return f"about {self.value!r}"


class Between:
    def __init__(self, low, high):
        self.low, self.high = low, high

    def __eq__(self, other):
        return other is not None and self.low <= other <= self.high

    def __repr__(self):
        return f"{self.low!r} to {self.high!r}"


# ---- what is there

KEYS = {"sensor_events": ("device_id", "timestamp"), "hourly_aggregates": ("device_id", "hour_bucket"), "devices": ("device_id",),
        "metric_event_by_id": ("id", "timestamp"), "metric_event_by_group": ("group", "timestamp", "id"),
        **{f"{name}_metric_event_by_{by}": (by, "year", "month", "day", "hour") for name in CALENDAR for by in ("id", "group")}}


def plain(value):
    """Timestamps as epoch ms, like events have them."""
    if isinstance(value, datetime.datetime):
        return round(value.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    return value


def rows(session, space, table):
    """A table's rows by primary key."""
    found = {}
    for row in session.execute(f"SELECT * FROM {space}.{table}", timeout=60):
        row = {name.rstrip("_"): plain(value) for name, value in row._asdict().items()}
        found[tuple(row.pop(name) for name in KEYS[table])] = row
    return found


def csv_rows(text, table):
    """The same of what `weir query --format csv` prints."""
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        row = {name: typed(name, value) for name, value in row.items()}
        found[tuple(row.pop(name) for name in KEYS[table])] = row
    return found


TEXT = ("id", "group", "type", "device_name", "location")
DOUBLES = ("value", "avg", "min", "max", "median")
FLOATS = ("temperature", "humidity", "avg_temperature", "min_temperature", "max_temperature")


def typed(name, text):
    if text == "":
        return None
    if name == "device_id":
        return uuid.UUID(text)
    if name in ("created_at", "last_updated") and not text.isdigit():
        return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)
    if name in FLOATS:
        return struct.unpack("f", struct.pack("f", float(text)))[0]
    return text if name in TEXT else float(text) if name in DOUBLES else int(text)


def differences(wanted, found, limit=5):
    """What is missing, too much or other, as text; empty when all is right."""
    said = []
    for word, keys in (("missing", wanted.keys() - found.keys()), ("too much", found.keys() - wanted.keys()),
                       ("other", {key for key in wanted.keys() & found.keys() if wanted[key] != found[key]})):
        if keys:
            some = [(key, wanted.get(key), found.get(key)) for key in sorted(keys, key=str)[:limit]]
            said.append(f"{len(keys)} of {len(wanted)} {word}, such as (key, wanted, found) {some}")
    return "; ".join(said)


def wrong_tables(session, space, answer):
    """Every table of the answer that is not as it should be: {name: differences}."""
    compared = {table: differences(wanted, rows(session, space, table)) for table, wanted in answer.tables.items()}
    return {table: said for table, said in compared.items() if said}


def await_tables(session, space, answer, seconds=90):
    """Until every table of the answer is as it should be; fails with what is wrong when it takes longer."""
    wrong = {}

    def right():
        wrong.clear()
        try:
            wrong.update(wrong_tables(session, space, answer))
        except (DriverException, NoHostAvailable) as error:  # a ring that has just come back
            wrong["?"] = str(error)
        return not wrong

    try:
        cluster.eventually(right, seconds, 1)
    except AssertionError:
        raise AssertionError(f"tables are wrong: {json.dumps(wrong, indent=1)}") from None


def letters(bootstrap, pipeline):
    """The dead letters of a pipeline, each as often as it is there, in the answer's form."""
    found = collections.Counter()
    for messages in read(bootstrap, f"{pipeline}-dead-letters").values():
        for message in messages:
            header = {name: value.decode() for name, value in message.headers()}
            assert header["weir.error"] and header["weir.topic"] and header["weir.timestamp"], header
            schema_id = int(header["weir.schema.id"]) if header["weir.reason"] == "unknown_schema" else None
            found[(header["weir.reason"], int(header["weir.partition"]), int(header["weir.offset"]), header.get("weir.query"), schema_id, message.key(),
                   message.value() or b"")] += 1
    return found


def wrong_letters(found, wanted, limit=5):
    missing, much = wanted - found, found - wanted
    return f"missing {len(missing)} of {len(wanted)}: {list(missing)[:limit]}; too much {len(much)}: {list(much.items())[:limit]}" if missing or much else ""
