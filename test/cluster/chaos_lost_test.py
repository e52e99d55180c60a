#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""What is not there: records that retention has taken before they were read, and a registry that is away at the start or in the middle."""
import http.server
import json
import threading

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

import cluster
import expected
import runs
import streams
from cluster import eventually

PARTITIONS = 3


class Registry:
    """Knows some ids, and can be away: on one port for all its life."""

    def __init__(self, schemas):
        self.bodies = {f"/schemas/ids/{number}": json.dumps({"schema": json.dumps(schema)}).encode() for number, schema in schemas.items()}
        self.asked, self.port, self.server = [], 0, None

    def up(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.partition("?")[0]
                registry.asked.append(path)
                body = registry.bodies.get(path)
                self.send_response(200 if body else 404)
                body = body or b'{"error_code": 40403, "message": "Schema not found"}'
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()


class Lost(cluster.Case):
    def setUp(self):
        super().setUp()
        self.name = cluster.fresh("lost")
        self.topic = self.enterContext(cluster.topic(self.name, partitions=PARTITIONS))
        self.addCleanup(cluster.drop_topics, self.name)

    def moves_on(self, seconds=60):
        ends = expected.ends(cluster.kafka(), self.topic, PARTITIONS)
        eventually(lambda: self.committed() >= ends, seconds, 0.3, "commits past what is there now")

    def committed(self):
        return expected.committed(cluster.kafka(), self.name, self.topic, PARTITIONS)

    def check_tables(self, answer):
        for table, wanted in answer.tables.items():
            done = runs.weir("query", self.file, table, "--data", self.folder / "data", "--format", "csv")
            self.assertEqual(expected.differences(wanted, expected.csv_rows(done.stdout, table)), "", table)
        self.assertEqual(expected.wrong_letters(expected.letters(cluster.kafka(), self.name), answer.letters), "")

    def run_to_end(self, *more):
        done = runs.weir("run", self.file, "--no-feed", "--data", self.folder / "data", "--until-end", "--format", "json", "--listen", "127.0.0.1:0", *more)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    def test_retention_runs_past(self):
        self.file = runs.pipeline("metrics", self.folder / "metrics.yaml", self.name, self.topic, PARTITIONS, "embedded")
        source = streams.Metrics(51)
        streams.fill(cluster.kafka(), self.topic, source, 3000)
        self.run_to_end()
        read = self.committed()
        streams.fill(cluster.kafka(), self.topic, source, 3000)
        everything = expected.read(cluster.kafka(), self.topic)
        gone = {partition: offset + 100 * partition for partition, offset in enumerate(read)}  # of one partition just what was read
        admin = AdminClient({"bootstrap.servers": cluster.kafka()})
        for done in admin.delete_records([TopicPartition(self.topic, partition, offset) for partition, offset in gone.items()]).values():
            done.result(30)
        streams.fill(cluster.kafka(), self.topic, source, 1000)
        for partition, messages in expected.read(cluster.kafka(), self.topic).items():
            known = {message.offset() for message in everything[partition]}
            everything[partition] += [message for message in messages if message.offset() not in known]
        there = {partition: [message for message in messages if not read[partition] <= message.offset() < gone[partition]]
                 for partition, messages in everything.items()}
        summary, said = self.run_to_end()
        answer = expected.metrics(there)
        self.assertEqual(summary["records"], answer.records)
        self.assertEqual(answer.records, 7000 - 100 - 200)
        self.assertRegex(said, r"partition 1: 100 records were gone")
        self.assertRegex(said, r"partition 2: 200 records were gone")
        self.assertNotRegex(said, r"partition 0: \d+ records were gone")
        self.check_tables(answer)

    # ---- the registry

    def avro(self, on_unavailable):
        self.schemas = {7: streams.V1, 8: streams.V2}
        self.parsed = {number: streams.fastavro.parse_schema(json.loads(json.dumps(schema))) for number, schema in self.schemas.items()}
        self.registry = Registry(self.schemas)
        self.registry.up()
        self.addCleanup(self.registry.down)
        self.file = runs.pipeline("iot-analytics", self.folder / "iot.yaml", self.name, self.topic, PARTITIONS, "embedded")
        url = f"registry:\n  url: http://127.0.0.1:{self.registry.port}\n  options: {{on_unavailable: {on_unavailable}}}\n"
        self.file.write_text(self.file.read_text().replace("registry: embedded\n", url))

    def send(self, number, count, seed, junk=0.01):
        streams.fill(cluster.kafka(), self.topic, streams.Iot({number: self.parsed[number]}, seed, junk=junk), count)

    def answer(self, schemas=None):
        return expected.iot(expected.read(cluster.kafka(), self.topic), schemas or self.parsed)

    def check_iot(self, run, answer):
        self.assertEqual(run.stop(), 0, run.log[-2000:])
        self.run_to_end("--close")
        self.check_tables(answer)

    def test_unknown_ids_wait_for_the_registry(self):
        self.avro("wait")
        self.send(7, 1000, 61)
        run = runs.Run(self, self.file, data=self.folder / "data")
        self.moves_on()
        self.registry.down()
        asked = len(self.registry.asked)
        self.send(7, 1000, 62, junk=0)
        self.moves_on()
        self.send(8, 500, 63)
        text = runs.await_ready(self, run, 503)
        self.assertRegex(text, "(?i)registry|schema")
        self.assertLess(run.cpu_share(3), 0.5)
        self.assertEqual(len(self.registry.asked), asked)
        self.registry.up()
        self.moves_on()
        runs.await_ready(self, run)
        self.check_iot(run, self.answer())

    def test_unknown_ids_are_dead_letters_where_the_file_says_so(self):
        self.avro("dead_letter")
        self.send(7, 1000, 64)
        run = runs.Run(self, self.file, data=self.folder / "data")
        self.moves_on()
        self.registry.down()
        self.send(7, 500, 65)
        self.send(8, 500, 66)
        self.moves_on()
        self.registry.up()  # too late
        self.check_iot(run, self.answer({7: self.parsed[7]}))

    def test_it_is_away_at_the_start(self):
        self.avro("wait")
        self.send(7, 500, 67)
        self.registry.down()
        run = runs.Run(self, self.file, data=self.folder / "data")
        if eventually(lambda: not run.running or run.ready()[0] == 503, 60) and not run.running:
            self.assertEqual(run.process.returncode, 69, run.log)
            self.assertIn(str(self.registry.port), run.log)
            self.registry.up()
            run = runs.Run(self, self.file, data=self.folder / "data")
        else:
            self.registry.up()
        self.moves_on()
        self.check_iot(run, self.answer())


if __name__ == "__main__":
    cluster.main()
