# SPDX-License-Identifier: Apache-2.0
"""What tests of the HTTP side need: a pipeline of metrics that gets its events by POST, weir serving it, and a client that reads answers whole."""
import http.client
import json
import math
import re
import socket
import statistics
import sys
import urllib.parse
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from harness import Running, Scenario, poll, weir  # noqa: E402,F401

AGGREGATE = """  - table: {table}
    window: calendar {unit}
    group_by: [{by}]
    lateness: 1000 days
    emit: update
    every: 100 ms
    columns: {{{by}: text, year: int = year(window_start), month: int = month(window_start), day: int = day(window_start), hour: int = hour(window_start),
      avg: double = avg(value), min: double = min(value), max: double = max(value), median: double = median(value)}}
    key: [[{by}], year desc, month desc, day desc, hour desc]
"""

RAW = """  - table: metric_event_by_id
    columns: {id: text, timestamp: bigint, value: double, group: text, type: text}
    key: [[id], timestamp desc]
  - table: by_value
    columns: {group: text, value: double, id: text, at: timestamp = timestamp, note: text}
    key: [[group], value asc, id asc]
"""


def pipeline(folder, name="metrics", more=""):
    units = {"hourly": "hour", "daily": "day", "monthly": "month"}
    queries = RAW + "".join(AGGREGATE.format(table=f"{span}_metric_event_by_{by}", unit=unit, by=by) for span, unit in units.items() for by in ("id", "group"))
    file = Path(folder) / f"{name}.yaml"
    file.write_text(f"""pipeline: {name}
topic: {{name: {name}, partitions: 3}}
event: {{format: json, fields: {{group: string, id: string, type: string, timestamp: long, value: double, note: optional string}}, key: id, time: timestamp}}
{more}queries:
{queries}""")
    return file


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.headers.get("Content-Type", "")

    def __str__(self):
        return f"{self.status} {self.type}: {self.body[:500]!r}"


class Server:
    """weir run, listening; ended with the `with` block."""

    def __init__(self, folder, file, *more, data="data"):
        self.folder, self.args = folder, ("run", file, "--data", Path(folder) / data, "--listen", "127.0.0.1:0", "--no-feed", *more)

    def __enter__(self):
        self.running = Running(*self.args, folder=self.folder).__enter__()
        self.url = poll("the address", self.said)
        self.host = urllib.parse.urlsplit(self.url).netloc
        return self

    def said(self):
        if not self.running.alive():
            raise AssertionError(f"weir ended: {self.running.end()}")
        self.running.out.seek(0)
        found = re.search(rb"dashboard (http://\S+)", self.running.out.read())
        return found and found[1].decode()

    def __exit__(self, *failure):
        return self.running.__exit__(*failure)

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, events, topic="metrics", **headers):
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        return self.ask("POST", f"/api/v1/topics/{topic}/records", body, **{"Content_Type": "application/json", **headers})

    def raw(self):
        host, port = self.host.split(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def records(self):
        return sum(p["records"] for p in self.get("/api/v1/status").json["pipelines"])

    def take(self, events):
        """Posts them and waits until they were read."""
        before = self.records()
        answer = self.post(events)
        assert answer.status == 202, answer
        assert answer.json == {"accepted": len(events)}, answer
        poll("the events to be read", lambda: self.records() >= before + len(events))


def ms(*date):
    return int(datetime(*date, tzinfo=timezone.utc).timestamp() * 1000)


def event(device, at_ms, value, **more):
    return dict({"group": f"g{int(device[1:]) % 2}", "id": device, "type": "THERM", "timestamp": at_ms, "value": value}, **more)


def aggregates(events, by, unit):
    """By key: the rows that the readers' paths give, ascending; median as the list of values."""
    cut = {"hour": 4, "day": 3, "month": 2}[unit]
    groups = defaultdict(list)
    for e in events:
        t = datetime.fromtimestamp(e["timestamp"] / 1000, timezone.utc)
        groups[e[by], ((t.year, t.month, t.day, t.hour)[:cut] + (1, 1, 1, 0)[cut:])].append(e["value"])
    out = defaultdict(list)
    for (key, date), values in sorted(groups.items()):
        out[key].append({**dict(zip(("year", "month", "day", "hour"), date)), "avg": math.fsum(values) / len(values), "min": min(values), "max": max(values),
                         "median": statistics.median(values)})
    return out
