#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""A node that answers Overloaded in earnest, since it takes next to no bytes at a time: every row arrives, no row is refused, nobody ends."""
import httpx

import cluster
import expected
import runs
import streams

PARTITIONS = 3
EVENTS = 12_000
YAML = ["native_transport_max_request_data_in_flight: 24KiB", "native_transport_max_request_data_in_flight_per_ip: 16KiB",
        "native_transport_throw_on_overload: true"]


def overloaded(status):
    """How often each node said so, wherever in the status it stands."""
    if isinstance(status, dict):
        yield status.get("overloaded", 0)
        status = list(status.values())
    for value in status:
        if isinstance(value, (dict, list)):
            yield from overloaded(value)


class Overload(cluster.Case):
    def test_every_row_arrives(self):
        ring, = self.enterContext(cluster.own("cassandra", nodes=1, yaml=YAML))
        host = ring.settings.address(1)
        session = cluster.connect(host, port=9042)
        self.addCleanup(session.cluster.shutdown)
        space = self.enterContext(cluster.keyspace(session, "overload", copies=1))
        name = cluster.fresh("overload")
        topic = self.enterContext(cluster.topic(name, partitions=PARTITIONS))
        self.addCleanup(cluster.drop_topics, name)
        file = runs.pipeline("metrics", self.folder / "metrics.yaml", name, topic, PARTITIONS, runs.store_url(space, [host], 9042))
        self.assertEqual(streams.fill(cluster.kafka(), topic, streams.Metrics(41), EVENTS), EVENTS)
        run = runs.Run(self, file, data=self.folder / "data")
        runs.await_ready(self, run)
        answer = expected.metrics(expected.read(cluster.kafka(), topic))
        self.assertEqual(answer.records, EVENTS)
        expected.await_tables(session, space, answer)
        self.assertGreater(sum(overloaded(httpx.get(f"{run.url}/api/v1/status", timeout=10).json())), 0)
        self.assertEqual(run.stop(), 0, run.log[-2000:])
        self.assertEqual(expected.wrong_letters(expected.letters(cluster.kafka(), name), answer.letters), "")


if __name__ == "__main__":
    cluster.main()
