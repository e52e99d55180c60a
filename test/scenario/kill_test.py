#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Two hundred and more kills -9: whatever is killed when, tables, counts and dead letters end up as if nothing had happened."""
import shutil

import harness
import kills


class Killed(harness.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.rnd = harness.seeded()
        cls.kills = kills.Kills(cls.rnd)

    @classmethod
    def tearDownClass(cls):
        cls.kills.report()

    def test_1_json_plain_file(self):
        kills.of_runs(self, self.kills, 300_000, 6, "json", 3, ".csv")

    def test_2_avro_gzip(self):
        kills.of_runs(self, self.kills, 200_000, 4, "avro", 4, ".csv.gz", lasting=1)

    def test_3_avro_zstd_one_partition(self):
        kills.of_runs(self, self.kills, 200_000, 4, "avro", 1, ".csv.zst", lasting=1)

    def test_4_while_producing(self):
        kills.of_runs(self, self.kills, 200_000, 6, "json", 2, ".csv", first_produce=True)

    def test_5_simulated(self):
        kills.of_produce(self, self.kills, 100_000, 20)

    def test_6_birth_of_a_folder(self):
        spec = kills.of_file(self.folder, self.rnd, 500, "avro")
        calm = self.folder / "calm"
        want = kills.Picture.undisturbed(spec, calm)
        for number in range(25):
            data = self.folder / "newborn"
            shutil.rmtree(data, ignore_errors=True)
            for _ in range(2):
                self.kills.once(0.06, "run", spec, "--data", data, "--until-end", "--close")
            self.kills.same(self, spec, data, want, f"birth {number + 1}")

    def test_7_enough_of_them(self):
        """Goes on until two hundred runs have been killed, and every point has been."""
        while self.kills.total() < 200 or 0 in self.kills.at.values():
            kills.of_runs(self, self.kills, 100_000, 2, "json", 3, ".csv.zst", first_produce=True)


if __name__ == "__main__":
    harness.main()
