#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra
"""The page, the metrics and `weir status` over a real ring, one of whose nodes falls silent; ring_page.mjs beside this file drives the browser."""
import shutil
import sys

import cluster

sys.path.append(str(cluster.ROOT / "test/browser"))

import page_test  # noqa: E402

SCRIPT = cluster.ROOT / "test/cluster/ring_page.mjs"


class RingPage(cluster.Case):
    def test_page(self):
        ring, session = cluster.ring(), cluster.connect()
        self.addCleanup(session.cluster.shutdown)
        keyspace = self.enterContext(cluster.keyspace(session, "page", copies=len(cluster.hosts())))
        self.addCleanup(ring.heal)  # before the keyspace is dropped: a node that is away would not hear of it
        page_test.install()
        shutil.copyfile(SCRIPT, page_test.FOLDER / SCRIPT.name)
        store = f"cassandra://{','.join(cluster.hosts())}:{cluster.cql_port()}/{keyspace}"
        self.assertEqual(page_test.run([SCRIPT.name], STORE=store, LAST_PID=str(ring.nodes[len(cluster.hosts())].pid)), 0)


if __name__ == "__main__":
    cluster.main()
