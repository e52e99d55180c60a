#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A few kills -9, for builds in which two hundred take too long."""
import harness
import kills


class Killed(harness.Scenario):
    def setUp(self):
        super().setUp()
        self.kills = kills.Kills(harness.seeded())

    def test_killed_runs(self):
        while self.kills.total() < 20:
            kills.of_runs(self, self.kills, 60_000, 2, self.kills.rnd.choice(["json", "avro"]), 2, ".csv.gz", lasting=0.5)
        self.kills.report()

    def test_killed_producers(self):
        kills.of_produce(self, self.kills, 20_000, 8)
        self.kills.report()


if __name__ == "__main__":
    harness.main()
