#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One device in place of a fleet, and events for a process that holds the log already."""
import hashlib
import http.server
import json
import os
import signal
import socket
import threading
import urllib.request

import harness

METRICS = harness.ROOT / "pipelines/metrics.yaml"
SHIPPED = harness.ROOT / "pipelines/iot-analytics.yaml"


class Taker(http.server.BaseHTTPRequestHandler):
    """Stands for a running weir: keeps what is posted, and answers what the test wants."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), json.loads(body)))
        status, answer = self.server.answer
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json" if status >= 400 else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Produce(harness.Scenario):
    def events(self, spec, data):
        lines = harness.weir("topic", "tail", spec, "--data", data, "--limit", 1000).out.splitlines()
        return [json.loads(line)["value"] for line in lines]

    def test_one_device(self):
        data = self.folder / "d"
        summary = harness.weir("produce", METRICS, "--data", data, "--group", "home", "--id", "boiler", "--type", "THERM", "--rate", 1000, "--limit", 50,
                               "--format", "json").summary()
        self.assertEqual(summary["records"], 50)
        events = self.events(METRICS, data)
        self.assertEqual({(e["group"], e["id"], e["type"]) for e in events}, {("home", "boiler", "THERM")})
        for event in events:
            self.assertTrue(10 <= event["value"] <= 100 and round(event["value"], 2) == event["value"], event)
        self.assertGreater(len({e["value"] for e in events}), 40)

    def test_a_device_of_the_fleet_stays_itself(self):
        fleet, alone = self.folder / "fleet", self.folder / "alone"
        harness.weir("produce", METRICS, "--data", fleet, "--rate", 1000, "--limit", 90)
        known = {e["id"]: (e["group"], e["type"]) for e in self.events(METRICS, fleet)}
        self.assertEqual(len(known), 30)
        self.assertEqual(sorted({group for group, _ in known.values()}), [f"group-{n}" for n in range(1, 7)])
        self.assertEqual({kind for _, kind in known.values()}, {"THERM", "HEARTRATE", "FUEL"})
        harness.weir("produce", METRICS, "--data", alone, "--set", "id=device-17", "--rate", 1000, "--limit", 20)
        self.assertEqual({(e["id"], (e["group"], e["type"])) for e in self.events(METRICS, alone)}, {("device-17", known["device-17"])})

    def test_wrong_options(self):
        for spec, words, said in (
            (METRICS, ["--set", "valeu=3"], "no field 'valeu'; did you mean 'value'?"),
            (METRICS, ["--set", "value"], "FIELD=VALUE is wanted"),
            (METRICS, ["--set", "value=much"], "'much' for field 'value' is not a double"),
            (METRICS, ["--id", ""], "field 'id' is empty"),
            (METRICS, ["--rate", "often"], "a rate such as 10"),
            (SHIPPED, ["--group", "a"], "no field 'group'"),
            (SHIPPED, ["--set", "device_id=7"], "'7' for field 'device_id' is no uuid"),
        ):
            done = harness.weir("produce", spec, "--data", self.folder / "never", *words, expect=64)
            self.assertIn(said, done.err)
        self.assertFalse((self.folder / "never").exists())


class HandingOver(harness.Scenario):
    """The other process is this one: only what goes over the wire counts."""

    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
        self.server.posts, self.server.answer = [], (202, {"count": 0})
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.data = self.folder / "held"
        self.data.mkdir()

    def held(self, pipeline="metrics", topic="metrics", url=True):
        address = f"http://127.0.0.1:{self.server.server_port}" if url else None
        status = {"pid": os.getpid(), "started_ms": 1, "updated_ms": 1, "http": address, "pipelines": [{"pipeline": pipeline, "topic": topic}]}
        (self.data / "status.json").write_text(json.dumps(status))

    def produce(self, *more, spec=METRICS, **options):
        return harness.weir("produce", spec, "--data", self.data, "--format", "json", *more, **options)

    def test_events_arrive(self):
        self.held()
        summary = self.produce("--rate", "10000", "--limit", 1234, "--id", "x").summary()
        self.assertEqual((summary["pipeline"], summary["records"]), ("metrics", 1234))
        self.assertEqual(set(summary["dead"].values()), {0})
        events = [event for _, _, body in self.server.posts for event in body]
        self.assertEqual(len(events), 1234)
        self.assertEqual({path for path, _, _ in self.server.posts}, {"/api/v1/topics/metrics/records"})
        self.assertTrue(all(len(body) <= 500 for _, _, body in self.server.posts))
        self.assertEqual({tuple(event) for event in events}, {("group", "id", "type", "timestamp", "value")})
        self.assertEqual({event["id"] for event in events}, {"x"})
        self.assertEqual([entry.name for entry in self.data.iterdir()], ["status.json"])

    def test_avro_pipelines_send_json(self):
        self.held("iot-analytics", "sensor-events")
        self.produce("--rate", "10000", "--limit", 100, spec=SHIPPED)
        devices = {event["device_id"] for _, _, body in self.server.posts for event in body}
        self.assertEqual(len(devices), 100)

    def test_tokens(self):
        self.held()
        self.produce("--limit", 1, "--token", "open sesame")
        self.assertEqual(self.server.posts[0][1]["Authorization"], "Bearer open sesame")
        self.server.answer = (401, {"title": "Unauthorized", "detail": "no token was given"})
        self.assertIn("--token", self.produce("--limit", 1, expect=78).err)

    def test_refusals_are_passed_on(self):
        self.held()
        for status, code in ((400, 65), (422, 65), (413, 65), (404, 69), (503, 69)):
            self.server.answer = (status, {"title": "No", "detail": "[0].value: this is why"})
            done = self.produce("--limit", 1, expect=code)
            self.assertIn("[0].value: this is why", done.err)
            self.assertEqual(done.summary()["records"], 0)

    def test_who_cannot_take_them(self):
        self.held(pipeline="other")
        self.assertIn("does not run pipeline 'metrics'", self.produce("--limit", 1, expect=69).err)
        self.held(url=False)
        self.assertIn("has no HTTP server", self.produce("--limit", 1, expect=69).err)
        self.server.shutdown()
        self.server.server_close()
        self.held()
        self.assertIn("does not answer", self.produce("--limit", 1, expect=69).err)
        self.assertEqual(self.server.posts, [])

    def test_files_keep_their_place(self):
        self.held("files", "files")
        self.write("rows.csv", "id,t\na,1\n")
        spec = self.write("files.yaml", "pipeline: files\ntopic: files\nfeed: {file: {path: rows.csv}}\n"
                                        "event: {format: json, fields: {id: string, t: long}, key: id, time: t}\n"
                                        "queries: [{table: raw, columns: {id: text, t: bigint}, key: [[id], t]}]\n")
        self.assertIn("a file's place is kept in the log", self.produce(spec=spec, expect=69).err)

    def test_it_stops_when_told(self):
        self.held()
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 0)):
            del self.server.posts[:]
            with harness.Running("produce", METRICS, "--data", self.data, "--format", "json", folder=self.folder) as run:
                harness.poll("events come", lambda: self.server.posts)
                done = run.end(number)
                self.assertEqual(done.code, code, done)
                self.assertEqual(done.summary()["records"], sum(len(body) for _, _, body in self.server.posts))


class BesideARun(harness.Scenario):
    """weir on both sides."""

    def listening(self, run):
        """The address that a run says it has, from the first line it prints."""
        def address():
            run.out.seek(0)
            lines = run.out.read().decode().splitlines()
            self.assertTrue(run.alive() or lines, "it ended without a word")
            return lines and lines[0]
        words = harness.poll("it says where it is", address).split(" ")
        self.assertEqual(words[0], "dashboard")
        self.assertRegex(words[1], r"^http://(127\.0\.0\.1|\[::1\]):\d+$")
        return words[1]

    def running(self, spec, *more):
        return harness.Running("run", spec, "--data", self.folder / "d", "--format", "json", *more, folder=self.folder)

    def test_events_reach_the_tables(self):
        data = self.folder / "d"
        with self.running(METRICS, "--no-feed", "--listen", "127.0.0.1:0") as run:
            url = self.listening(run)
            given = harness.weir("produce", METRICS, "--data", data, "--id", "boiler", "--group", "home", "--rate", 400, "--limit", 300,
                                 "--format", "json").summary()
            self.assertEqual(given["records"], 300)
            harness.poll("all are read", lambda: sum(int(row["next"]) for row in self.partitions(url)) == 300)
            done = run.end(signal.SIGTERM)
        self.assertEqual(done.code, 0, done)
        summary = done.summary()
        self.assertEqual((summary["records"], sum(summary["dead"].values())), (300, 0))
        rows = harness.table(METRICS, data, "metric_event_by_id")
        self.assertEqual({(row["id"], row["group"]) for row in rows}, {("boiler", "home")})
        values = [float(row["value"]) for row in rows]
        hours = harness.table(METRICS, data, "hourly_metric_event_by_group")
        self.assertEqual({row["group"] for row in hours}, {"home"})
        self.assertEqual((min(float(row["min"]) for row in hours), max(float(row["max"]) for row in hours)), (min(values), max(values)))
        self.assertFalse((data / "status.json").exists())

    def partitions(self, url):
        with urllib.request.urlopen(f"{url}/api/v1/status") as answer:
            status = json.load(answer)
        self.assertEqual(status["http"], url)
        return [{"next": partition["next_offset"]} for partition in status["pipelines"][0]["partitions"]]

    def test_a_token_is_wanted(self):
        token = "a-long-and-random-word"
        digest = hashlib.sha256(token.encode()).hexdigest()
        spec = self.write("secured.yaml", METRICS.read_text() + f"\nhttp: {{tokens: [{{name: me, sha256: {digest}, role: operator}}]}}\n")
        with self.running(spec, "--no-feed", "--listen", "127.0.0.1:0") as run:
            self.listening(run)
            self.assertIn("--token", harness.weir("produce", spec, "--data", self.folder / "d", "--limit", 1, expect=78).err)
            self.assertIn("--token", harness.weir("produce", spec, "--data", self.folder / "d", "--limit", 1, "--token", "wrong", expect=78).err)
            harness.weir("produce", spec, "--data", self.folder / "d", "--limit", 1, "--token", token)
            run.end(signal.SIGTERM)

    def test_where_it_listens(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = harness.weir("run", METRICS, "--data", self.folder / "d", "--listen", address, "--for", "1s", expect=(69, 74))
            self.assertIn(address, done.err)
            self.assertEqual(done.out, "")
        for everywhere in ("0.0.0.0:0", "[::]:0"):
            done = harness.weir("run", METRICS, "--data", self.folder / "d", "--listen", everywhere, "--for", "1s", expect=78)
            self.assertIn("error", done.err)
        for nonsense in ("here", "127.0.0.1:70000", "127.0.0.1:"):
            harness.weir("run", METRICS, "--data", self.folder / "d", "--listen", nonsense, "--for", "1s", expect=(64, 78))

    def test_a_taken_default_port_is_passed_over(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

            def take():
                try:
                    taken.bind(("127.0.0.1", 8080))
                except OSError:
                    return False
                return True

            harness.poll("the default port is given back by the tests beside this one", take, 60)
            taken.listen()
            with self.running(METRICS) as run:
                self.assertNotEqual(self.listening(run).rpartition(":")[2], "8080")
                run.end(signal.SIGTERM)

    def test_one_server_for_all_files(self):
        for name in ("one", "two"):
            self.write(f"{name}.yaml", METRICS.read_text().replace("pipeline: metrics", f"pipeline: {name}") + "\nhttp: {listen: '127.0.0.1:0'}\n")
        done = harness.weir("run", self.folder / "one.yaml", self.folder / "two.yaml", "--data", self.folder / "d", "--for", "1s", expect=78)
        self.assertIn("share one server", done.err)

    def test_the_demo_says_where_its_page_is(self):
        done = harness.weir("demo", "--for", "1s", "--port", 0, "--data", self.folder / "demo")
        lines = [line for line in done.out.splitlines() if line.startswith("dashboard http://127.0.0.1:")]
        self.assertEqual(len(lines), 1, done)
        self.assertIn(lines[0].split()[1], done.out.splitlines()[-1])


if __name__ == "__main__":
    harness.main()
