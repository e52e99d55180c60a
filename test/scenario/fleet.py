# SPDX-License-Identifier: Apache-2.0
"""A fleet of sensors in a file, and a pipeline with every kind of query over it: what scenarios about crashes and readers run."""
import gzip
import json
import subprocess

HOUR_MS = 3_600_000
MEAN_STEP_MS = 200  # between events
TABLES = ("readings", "hourly", "daily", "devices")

SCHEMA = {"type": "record", "name": "Reading", "namespace": "org.fleet", "fields": [
    {"name": "device", "type": "string"}, {"name": "time", "type": "long"},
    {"name": "value", "type": ["null", "double"], "default": None}, {"name": "place", "type": ["null", "string"], "default": None}]}

EVENTS = {"avro": "{format: avro, schema: reading.avsc, key: device, time: time}",
          "json": "{format: json, fields: {device: string, time: long, value: optional double, place: optional string}, key: device, time: time}"}

PIPELINE = """pipeline: fleet
topic: {{name: readings, partitions: {partitions}}}
event: {event}
feed: {feed}
queries:
  - table: readings
    columns: {{device: text, time: bigint, value: double, place: text}}
    key: [[device], time desc]
  - table: hourly
    window: tumbling 1 hour
    group_by: [device]
    lateness: 20 minutes
    emit: final
    columns:
      device: text
      hour: bigint = epoch_s(window_start)
      n: bigint = count()
      total: double = sum(value)
      mean: double = avg(value)
      spread: double = stddev(value)
      places: int = distinct(place)
    key: [[device], hour desc]
  - table: daily
    window: tumbling 1 day
    group_by: [device]
    lateness: 1 day
    emit: update
    every: 30 ms
    where: value > -5
    columns: {{device: text, day: bigint = epoch_s(window_start), low: double = min(value), high: double = max(value), n: int = count(value)}}
    key: [[device], day desc]
  - table: devices
    group_by: [device]
    every: 20 ms
    columns: {{device: text, since: timestamp = min(time), seen: timestamp = max(time), place: text = last(place), first_place: text = first(place), n: bigint = count()}}
    key: [device]
"""


def rows(rnd, count, devices=40):
    """CSV lines, header first: times that go on and jump back, values with nulls and NaN, a few rows that are none."""
    yield "device,time,value,place"
    now, places = 1_600_000_000_000, ["Roma", "Milano", "", "Bari"]
    for i in range(count):
        now += rnd.randrange(2 * MEAN_STEP_MS)
        time = now - (rnd.randrange(3 * HOUR_MS) if rnd.random() < 0.02 else rnd.randrange(30_000))
        value = "" if i % 97 == 0 else "NaN" if i % 501 == 0 else f"{rnd.gauss(20, 10):.3f}"
        if i % 2503 == 7:
            yield f"sensor-{i % devices},not a time,1,Roma"
        elif i % 3001 == 8:
            yield f"sensor-{i % devices},{time}"
        yield f"sensor-{rnd.randrange(devices)},{time},{value},{places[i // 1000 % 4]}"


def pack(text, path):
    """Writes the text as the path's ending says: plain, gzip (in two members) or zstd."""
    data = text.encode()
    if path.suffix == ".gz":
        half = len(data) // 2
        path.write_bytes(gzip.compress(data[:half], 1) + gzip.compress(data[half:], 1))
    elif path.suffix == ".zst":
        subprocess.run(["zstd", "-q", "-1", "-f", "-o", path, "-"], input=data, check=True)
    else:
        path.write_bytes(data)
    return path


def pipeline(folder, feed, event="json", partitions=3, name="fleet.yaml"):
    (folder / "reading.avsc").write_text(json.dumps(SCHEMA))
    spec = folder / name
    spec.write_text(PIPELINE.format(partitions=partitions, event=EVENTS[event], feed=feed))
    return spec


def of_file(folder, rnd, count, event="json", partitions=3, ending=".csv", pace="max"):
    path = pack("\n".join(rows(rnd, count)) + "\n", folder / f"readings.csv{ending.removeprefix('.csv')}")
    return pipeline(folder, f"{{file: {{path: {path.name}, format: csv, pace: {pace}}}}}", event, partitions)


def simulated(folder, event="json", partitions=3, rate=200_000, seed=1):
    fields = "device: {uuid: 50}, time: {clock: 3600x}, value: {uniform: [-10, 40], digits: 2}, place: {one_of: [Roma, Milano, Bari]}"
    return pipeline(folder, f"{{simulate: {{rate: {rate} per second, seed: {seed}, fields: {{{fields}}}}}}}", event, partitions)
