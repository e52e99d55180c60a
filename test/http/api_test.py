#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The API over HTTP: every path against the events that were posted, and what is wrong with a request."""
import json
import random
import shutil
import signal
import subprocess
import unittest
from pathlib import Path
from urllib.parse import quote

import fastavro
from prometheus_client.parser import text_string_to_metric_families

from serving import Scenario, Server, aggregates, event, ms, pipeline, poll, weir

DAY = "/api/v1/metrics/id/d1/year/2024/month/2/day/29"


def made(seed=3):
    """Devices d1 … d5 over two months, values with two decimals, some in one hour."""
    rnd, events = random.Random(seed), []
    for device in range(1, 6):
        for i in range(60):
            at = ms(2024, 2, 28) + rnd.randrange(0, 5 * 86400000 if i % 2 else 30 * 86400000)
            events.append(event(f"d{device}", at, rnd.randrange(1000, 10000) / 100))
    return list({(e["id"], e["timestamp"]): e for e in events}.values())


class Api(Scenario):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.temporary = tempfile.TemporaryDirectory(prefix="weir-http-")
        cls.file = pipeline(cls.temporary.name)
        cls.server = Server(cls.temporary.name, cls.file).__enter__()
        cls.events = made()
        cls.server.take(cls.events)

    @classmethod
    def tearDownClass(cls):
        cls.server.running.end(signal.SIGTERM)
        cls.server.__exit__(None, None, None)
        cls.temporary.cleanup()

    def problem(self, answer, status, *texts):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.type, "application/problem+json")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(set(answer.json) - {"reasons"}, {"type", "title", "status", "detail"})
        self.assertEqual(answer.json["status"], status)
        for text in texts:
            self.assertIn(text, answer.json["detail"])
        return answer

    def good(self, path, type="application/json"):
        answer = self.server.get(path)
        self.assertEqual((answer.status, answer.type), (200, type), answer)
        return answer.json if type == "application/json" else answer.body.decode()

    # ---- what runs

    def test_health_and_status(self):
        self.assertEqual(self.good("/livez"), {"status": "alive"})
        self.assertEqual(self.good("/readyz"), {"status": "ready"})
        status = self.good("/api/v1/status")
        self.assertEqual(status["http"], self.server.url)
        one = status["pipelines"][0]
        self.assertEqual(one["pipeline"], "metrics")
        self.assertEqual(one["records"], one["events"] + sum(one["dead"].values()) - one["dead"]["late"])
        self.assertEqual((status["ready"], status["reasons"], one["shared"]), (True, [], False))
        self.assertTrue(all(p["owned"] for p in one["partitions"]))
        store = poll("what the store says", lambda: self.good("/api/v1/status")["pipelines"][0]["store"])
        self.assertEqual((store["kind"], store["nodes"], {t["table"] for t in store["tables"]}), ("embedded", [], set(one["rows"])))

    def test_contracts(self):
        contracts = self.good("/api/v1/contracts")
        tables = {t["table"]: t for t in self.good("/api/v1/tables")}
        event, rows = contracts[0], {c["of"]: c for c in contracts[1:]}
        self.assertEqual((event["kind"], event["of"], event["schema"]["name"]), ("event", "metrics", "Metric"))
        self.assertEqual([(f["name"], f["type"]) for f in event["schema"]["fields"]], [
            ("group", "string"), ("id", "string"), ("type", "string"), ("timestamp", "long"), ("value", "double"), ("note", ["null", "string"])])
        self.assertEqual(rows.keys(), tables.keys())
        for name, c in rows.items():
            fastavro.parse_schema(c["schema"])
            self.assertEqual([f["name"] for f in c["schema"]["fields"]], [column["name"] for column in tables[name]["columns"]])
            self.assertEqual((c["pipeline"], c["kind"], c["subject"], c["level"], c["versions"], c["trouble"]), ("metrics", "rows", None, None, [], None))
        self.assertEqual(rows["daily_metric_event_by_id"]["schema"]["name"], "DailyMetricEventById")

    def test_tables(self):
        tables = {t["table"]: t for t in self.good("/api/v1/tables")}
        self.assertEqual(len(tables), 8)
        self.assertEqual(tables["metric_event_by_id"], {
            "pipeline": "metrics", "table": "metric_event_by_id",
            "columns": [{"name": "id", "type": "text"}, {"name": "timestamp", "type": "bigint"}, {"name": "value", "type": "double"},
                        {"name": "group", "type": "text"}, {"name": "type", "type": "text"}],
            "key": {"partition": ["id"], "clustering": [{"name": "timestamp", "order": "desc"}]}, "windowed": False, "window": None, "group_by": []})
        daily = tables["daily_metric_event_by_group"]
        self.assertEqual((daily["windowed"], daily["window"], daily["group_by"]), (True, "calendar day", ["group"]))

    def test_metrics_are_the_status_in_prometheus_words(self):
        text = self.good("/metrics", "text/plain; version=0.0.4; charset=utf-8")
        families = {f.name: f for f in text_string_to_metric_families(text)}
        samples = {(s.name, *sorted(s.labels.items())): s.value for f in families.values() for s in f.samples}
        self.assertTrue(all(f.documentation and f.type != "unknown" for f in families.values()))
        one = self.good("/api/v1/status")["pipelines"][0]
        label = ("pipeline", "metrics")
        self.assertEqual(samples["weir_records_total", label], one["records"])
        for table, n in one["rows"].items():
            self.assertEqual(samples["weir_rows_total", label, ("table", table)], n)
            for outcome, m in one["queries"][table].items():
                self.assertEqual(samples["weir_query_events_total", ("outcome", outcome), label, ("table", table)], m)
        for reason, n in one["dead"].items():
            self.assertEqual(samples["weir_dead_letters_total", label, ("reason", reason)], n)
        for p in one["partitions"]:
            self.assertEqual(samples["weir_lag_records", ("partition", str(p["partition"])), label], p["lag"])
            self.assertEqual(samples["weir_partition_owned", ("partition", str(p["partition"])), label], 1)
            if p["high_ms"] is not None:
                self.assertEqual(samples["weir_watermark_seconds", ("partition", str(p["partition"])), label], p["high_ms"] / 1000)
        self.assertEqual(samples["weir_ready",], 1)
        self.assertEqual(families["weir_store_rows_sent"].type, "counter")
        self.assertGreater(samples["process_resident_memory_bytes",], 1 << 20)
        self.assertEqual(families["weir_http_request_duration_seconds"].type, "histogram")
        self.assertGreaterEqual(samples["weir_http_requests_total", ("code", "202"), ("route", "records")], 1)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool")
    def test_promtool_finds_nothing(self):
        done = subprocess.run(["promtool", "check", "metrics"], input=self.server.get("/metrics").body, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    # ---- rows

    def walk(self, path, limit):
        rows, page = [], ""
        while page is not None:
            answer = self.good(f"{path}{'&' if '?' in path else '?'}limit={limit}{page and '&page=' + quote(page)}")
            self.assertLessEqual(len(answer["rows"]), limit)
            rows, page = rows + answer["rows"], answer["next"]
        return rows

    def expected(self, keep=lambda e: True):
        rows = [{name: e[name] for name in ("id", "timestamp", "value", "group", "type")} for e in self.events if keep(e)]
        return sorted(rows, key=lambda r: (r["id"], -r["timestamp"]))

    def test_rows_by_key_by_bounds_and_all(self):
        path = "/api/v1/tables/metric_event_by_id/rows"
        self.assertEqual(self.good(f"{path}?id=d2&limit=10000"), {"rows": self.expected(lambda e: e["id"] == "d2"), "next": None})
        self.assertEqual(self.good(f"{path}?id=nobody"), {"rows": [], "next": None})
        low, high = ms(2024, 2, 29), ms(2024, 3, 2)
        for a, b in ((low, high), (low // 1000, high // 1000), ("2024-02-29", "2024-03-02T00:00Z")):
            got = self.good(f"{path}?id=d2&from={a}&to={b}&limit=1000")["rows"]
            self.assertEqual(got, self.expected(lambda e: e["id"] == "d2" and low <= e["timestamp"] <= high))
        one = self.expected()[0]
        self.assertEqual(self.good(f"{path}?id={one['id']}&timestamp={one['timestamp']}")["rows"], [one])
        for limit in (1000, 100, 7):
            known = {e["id"] for e in self.events}  # other tests add devices of their own
            self.assertEqual([r for r in self.walk(path, limit) if r["id"] in known], self.expected())
            self.assertEqual(self.walk(f"{path}?id=d4", limit), self.expected(lambda e: e["id"] == "d4"))

    def test_pages_in_ascending_order_and_of_windows(self):
        rows = self.walk("/api/v1/tables/by_value/rows?group=g1", 9)
        want = sorted({(e["value"], e["id"]) for e in self.events if e["group"] == "g1"})
        self.assertEqual([(r["value"], r["id"]) for r in rows], want)
        self.assertTrue(all(r["note"] is None and r["at"].startswith("2024-") for r in rows))
        rows = poll("the hours", lambda: self.hours_of("d3"))
        got = self.walk("/api/v1/tables/hourly_metric_event_by_id/rows?id=d3&from=2024-03-01", 5)
        self.assertEqual([r["avg"] for r in got], [r["avg"] for r in reversed(rows) if (r["month"], r["day"]) >= (3, 1)])

    def hours_of(self, device):
        want = aggregates(self.events, "id", "hour")[device]
        rows = self.good(f"/api/v1/tables/hourly_metric_event_by_id/rows?id={device}&limit=10000")["rows"]
        return len(rows) == len(want) and list(reversed(rows))

    def test_pages_stay_right_while_rows_arrive(self):
        path = "/api/v1/tables/metric_event_by_id/rows?id=d900"
        old = [event("d900", ms(2024, 5, 1) + i, i) for i in range(20)]
        self.server.take(old)
        first = self.good(f"{path}&limit=8")
        self.server.take([event("d900", ms(2024, 5, 2) + i, i) for i in range(20)])
        rest = self.good(f"{path}&limit=100&page={first['next']}")
        self.assertEqual([r["timestamp"] for r in first["rows"] + rest["rows"]], [e["timestamp"] for e in reversed(old)])

    def test_rows_that_cannot_be(self):
        path = "/api/v1/tables/metric_event_by_id/rows"
        get = self.server.get
        self.problem(get("/api/v1/tables/metric_event_by_ix/rows"), 404, "metric_event_by_ix")
        self.problem(get(f"{path}?idd=1"), 400, "'idd'", "did you mean 'id'?")
        self.problem(get(f"{path}?limt=1"), 400, "did you mean 'limit'?")
        self.problem(get(f"{path}?id=a&id=b"), 400, "twice")
        self.problem(get(f"{path}?timestamp=5"), 400, "needs 'id'")
        for limit in ("0", "-1", "10001", "x", "", "1e3"):
            self.problem(get(f"{path}?limit={limit}"), 400, "1 to 10000")
        self.problem(get(f"{path}?id=d1&from=yesterday"), 400, "'from'", "yesterday")
        self.problem(get(f"{path}?id=d1&timestamp=x"), 400, "bigint")
        self.problem(get(f"{path}?pipeline=other"), 404, "other")
        for page in ("x", "AAAA", "%00", self.good(f"{path}?id=d1&limit=1")["next"]):
            self.problem(get(f"{path}?id=d2&page={page}"), 400)
        self.problem(get(f"{path}?" + "&".join(f"p{i}=1" for i in range(100))), 400, "parameters")

    def test_keys(self):
        path = "/api/v1/tables/metric_event_by_id/keys"
        ids = [k["id"] for k in self.good(path)["keys"]]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertLessEqual({f"d{i}" for i in range(1, 6)}, set(ids))
        self.assertEqual(self.good(f"{path}?prefix=d&limit=2"), {"keys": [{"id": "d1"}, {"id": "d2"}]})
        self.assertEqual(self.good(f"{path}?prefix=zz"), {"keys": []})
        self.problem(self.server.get(f"{path}?prefx=d"), 400, "did you mean 'prefix'?")

    # ---- the readers' paths

    def same(self, path, want):
        def fits():
            answer = self.server.get(path)
            rows = answer.json if answer.status == 200 else []
            near = len(rows) == len(want) and all(abs(r["avg"] - w["avg"]) < 1e-9 and (r["min"], r["max"]) == (w["min"], w["max"]) for r, w in zip(rows, want))
            return rows if near else None
        rows = poll(f"{path}: {want}", fits) if want else self.good(path)
        dates = ("year", "month", "day", "hour")
        self.assertEqual([[r[d] for d in dates] for r in rows], [[w[d] for d in dates] for w in want])
        for r, w in zip(rows, want):
            self.assertEqual(list(r), ["year", "month", "day", "hour", "avg", "min", "max", "median"])
            self.assertTrue(w["min"] * 0.99 <= r["median"] <= w["max"] * 1.01)

    def test_readers_of_hours_days_and_months(self):
        for by, keys in (("id", ("d1", "d2")), ("group", ("g0", "g1"))):
            for key in keys:
                base = f"/api/v1/metrics/{by}/{key}/year/2024/month"
                hours, days, months = (aggregates([e for e in self.events if e["id"] != "d900"], by, unit)[key] for unit in ("hour", "day", "month"))
                self.same(f"{base}/2/day/29/hour/0/23", [r for r in hours if (r["month"], r["day"]) == (2, 29)])
                self.same(f"{base}/2/day/29/hour/6/12", [r for r in hours if (r["month"], r["day"]) == (2, 29) and 6 <= r["hour"] <= 12])
                self.same(f"{base}/3/day/2/30", [r for r in days if r["month"] == 3 and 2 <= r["day"] <= 30])
                self.same(f"{base}/2/4", [r for r in months if 2 <= r["month"] <= 4])
        self.same("/api/v1/metrics/id/d1/year/1999/month/1/12", [])

    def test_readers_that_cannot_be(self):
        get = self.server.get
        poll("the device's hours", lambda: self.hours_of("d1"))
        for path in (f"{DAY}/hour/0/24", f"{DAY}/hour/9/3", f"{DAY}/hour/-1/3", "/api/v1/metrics/id/d1/year/2024/month/2/day/30/hour/0/1",
                     "/api/v1/metrics/id/d1/year/2023/month/2/day/29/hour/0/1", "/api/v1/metrics/id/d1/year/2024/month/2/day/1/31",
                     "/api/v1/metrics/id/d1/year/2024/month/0/12", "/api/v1/metrics/id/d1/year/2024/month/12/1",
                     "/api/v1/metrics/id/d1/year/0/month/1/2", "/api/v1/metrics/id/d1/year/2024/month/13/day/1/2"):
            self.problem(get(path), 422)
        for path in (f"{DAY}/hour/x/3", f"{DAY}/hour/0/1.5", f"{DAY}/hour/0x1/3", f"{DAY}/hour/%2B1/3", f"{DAY}/hour/99999999999999999999/3",
                     "/api/v1/metrics/id/d1/year//month/1/2", f"{DAY}/hour/0/3?limit=1"):
            self.problem(get(path), 400)
        self.problem(get("/api/v1/metrics/id/nobody/year/2024/month/1/12"), 404, "nobody")
        self.problem(get("/api/v1/metrics/type/THERM/year/2024/month/1/12"), 404, "type")
        self.problem(get("/api/v1/metrics/id/d1/year/2024"), 404)

    # ---- events

    def test_records_that_are_wrong_change_nothing(self):
        post, good = self.server.post, event("d5", ms(2024, 6, 1), 1.5)
        before = self.server.records()
        self.problem(post(dict(good, timestamp="soon")), 422, "timestamp")
        self.problem(post([good, dict(good, value=None)]), 422, "value", "event 2")
        self.problem(post([good, 7]), 422, "event 2")
        self.problem(post({k: v for k, v in good.items() if k != "id"}), 422, "id")
        for body in (b"", b"{", b"nonsense", b"[{]", b"{} {}", b"[" * 100000, b"\xff\xfe"):
            self.assertIn(post(body).status, (400, 422), body[:20])
        self.problem(post(good, topic="nothing"), 404, "nothing")
        self.problem(post(good, Content_Type="text/plain"), 415, "application/json")
        self.problem(post(b" " * (1 << 20) + b"[]"), 413, "1048576")
        self.assertEqual(self.server.records(), before)
        self.assertEqual(post(b" " * ((1 << 20) - 2) + b"[]").json, {"accepted": 0})

    def test_texts_survive_the_way(self):
        ids = ["d7 è/☃", "d7%", "d7\"\\", "d7\u0001", "d7&x=1"]
        self.server.take([dict(event("d7", ms(2024, 7, 1), 1), id=i, note=None) for i in ids])
        for i in ids:
            rows = self.good(f"/api/v1/tables/metric_event_by_id/rows?id={quote(i, safe='')}")["rows"]
            self.assertEqual([r["id"] for r in rows], [i])
            self.same(f"/api/v1/metrics/id/{quote(i, safe='')}/year/2024/month/7/7", [dict(year=2024, month=7, day=1, hour=0, avg=1, min=1, max=1)])

    def test_dead_letters(self):
        answer = self.good("/api/v1/dead?limit=5")
        self.assertEqual(set(answer["counts"]), {"late", "malformed", "future", "unknown_schema", "refused"})
        self.assertEqual(self.good("/api/v1/dead?reason=late&pipeline=metrics")["counts"], {"late": 0})
        self.problem(self.server.get("/api/v1/dead?reason=lte"), 400, "lte")
        self.problem(self.server.get("/api/v1/dead?limit=1001"), 400)

    # ---- the rest

    def test_paths_and_methods(self):
        for path in ("/nothing", "/api/v1/nothing", "/api/v1/status/", "//", "/api/v1/tables/%2e%2e/rows", "/" + "a/" * 30, "/..%2f..%2fetc%2fpasswd"):
            self.problem(self.server.get(path), 404)
        for path in ("/%ff", "/%", "/api/v1/tables/a%00b/rows", "/api/v1/tables?pipeline=%ff", "/api/v1/tables?a=%zz"):
            self.problem(self.server.get(path), 400)
        for method, path, allow in (("POST", "/api/v1/status", "GET, HEAD"), ("DELETE", "/livez", "GET, HEAD"), ("OPTIONS", "/", "GET, HEAD"),
                                    ("GET", "/api/v1/topics/metrics/records", "POST"), ("BREW", "/metrics", "GET, HEAD")):
            answer = self.problem(self.server.ask(method, path), 405)
            self.assertEqual(answer.headers["Allow"], allow)
            self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
        whole, head = self.server.get("/api/v1/tables"), self.server.ask("HEAD", "/api/v1/tables")
        self.assertEqual((head.status, head.body, head.headers["Content-Length"]), (200, b"", str(len(whole.body))))

    def test_other_hosts_are_not_served(self):
        self.problem(self.server.get("/api/v1/status", Host="evil.example"), 421)
        self.assertEqual(self.server.get("/api/v1/status", Host="localhost:80").status, 200)
        self.assertEqual(self.server.get("/livez", Host="evil.example").status, 200)

    def test_page_and_documents(self):
        for path, type in (("/", "text/html; charset=utf-8"), ("/docs", "text/html; charset=utf-8"), ("/docs.js", "text/javascript; charset=utf-8"),
                           ("/docs.css", "text/css; charset=utf-8"), ("/openapi.json", "application/json")):
            answer = self.server.get(path)
            self.assertEqual((answer.status, answer.type), (200, type), path)
            self.assertIn("default-src 'self'", answer.headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
            again = self.server.get(path, If_None_Match=answer.headers["ETag"])
            self.assertEqual((again.status, again.body), (304, b""))
            if "html" in type:
                self.assertNotRegex(answer.body.decode(), r"""(src|href)=["']https?://|<script>|<style>| style=""")
        self.assertTrue(self.good("/openapi.json")["openapi"].startswith("3."))

    def test_two_pipelines_with_a_table_of_one_name(self):
        other = pipeline(self.folder, "other")
        with Server(self.folder, pipeline(self.folder), other) as server:
            path = "/api/v1/tables/metric_event_by_id"
            self.problem(server.get(f"{path}/rows"), 400, "pipeline")
            self.assertEqual(server.get(f"{path}/rows?pipeline=other").json, {"rows": [], "next": None})
            self.assertEqual(server.get(f"{path}/keys?pipeline=metrics").json, {"keys": []})
            self.assertEqual(len(server.get("/api/v1/tables").json), 16)
            self.assertEqual(len(server.get("/api/v1/tables?pipeline=other").json), 8)

    def test_accepted_is_durable(self):
        file, events = pipeline(self.folder), [event("d1", ms(2024, 1, 1) + i, i) for i in range(10)]
        with Server(self.folder, file) as server:
            self.assertEqual(server.post(events).status, 202)
            server.running.child.send_signal(signal.SIGKILL)
            server.running.child.wait()
        with Server(self.folder, file) as server:
            rows = poll("all rows", lambda: len(server.get("/api/v1/tables/metric_event_by_id/rows").json["rows"]) == 10)
            self.assertTrue(rows)


class Contracts(Scenario):
    """With a registry: pipeline A as it is shipped."""

    def test_levels_and_versions(self):
        shipped = Path(__file__).resolve().parents[2] / "pipelines" / "iot-analytics.yaml"
        with Server(self.folder, shipped) as server:
            reading = {"device_id": "7b1b5f5e-52a9-4c55-9a2a-0f6f6a3e9d11", "device_name": None, "timestamp": ms(2024, 1, 1), "temperature": 20.5, "humidity": 50,
                       "location": None}
            self.assertEqual(server.post(reading, topic="sensor-events").status, 202)
            event, *rows = poll("the event's version", lambda: self.registered(server))
            self.assertEqual((event["subject"], event["level"], event["trouble"]), ("sensor-events-value", "BACKWARD", None))
            self.assertEqual([(v["version"], v["current"]) for v in event["versions"]], [(1, True)])
            self.assertEqual(event["schema"], json.loads((shipped.parents[1] / "schemas" / "sensor-event.avsc").read_text()))
            self.assertEqual([(c["of"], c["subject"]) for c in rows], [
                ("sensor_events", None), ("hourly_aggregates", "iot-analytics.hourly_aggregates-value"), ("devices", "iot-analytics.devices-value")])
            self.assertEqual([(v["version"], v["current"]) for v in rows[1]["versions"]], [(1, True)])
            self.assertEqual((rows[1]["schema"]["name"], rows[1]["schema"]["namespace"]), ("HourlyAggregate", "com.iot.pipeline"))
            exported = weir("schema", "export", shipped).out.splitlines()
            self.assertEqual([c["schema"] for c in rows], [json.loads(line) for line in exported])

    @staticmethod
    def registered(server):
        contracts = server.get("/api/v1/contracts").json
        return contracts[0]["versions"] and contracts


if __name__ == "__main__":
    unittest.main(verbosity=2)
