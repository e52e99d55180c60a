#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""The API against its own description: schemathesis makes requests from openapi.json, good and bad ones, and holds the answers against it."""
import subprocess
import sys
import unittest
from pathlib import Path

from serving import Scenario, Server, event, ms, pipeline

# Dates that do not exist and ranges that run backwards are of the described types and refused all the same: `positive_data_acceptance` is no rule here.
ARGUMENTS = ("--exclude-path", "/api/v1/stream", "--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing", "--seed", "1",
             "--max-examples", "25", "--generation-database", "none", "--no-color", "--continue-on-failure", "--warnings", "off", "--max-response-time", "20")


class OpenApi(Scenario):
    def test_requests_from_the_description(self):
        with Server(self.folder, pipeline(self.folder)) as server:
            server.take([event(f"d{i}", ms(2024, 1, 1) + i, i) for i in range(10)])
            tool = Path(sys.executable).parent / "schemathesis"
            done = subprocess.run([tool, "run", f"{server.url}/openapi.json", *ARGUMENTS], cwd=self.folder, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr[-1000:])
            self.assertEqual(server.get("/readyz").status, 200)

    def test_every_path_is_described(self):
        with Server(self.folder, pipeline(self.folder)) as server:
            paths = server.get("/openapi.json").json["paths"]
            for path, methods in paths.items():
                filled = path.replace("{by}", "id")
                for name, value in (("{year}", "2024"), ("{month}", "2"), ("{day}", "3"), ("{from}", "1"), ("{to}", "2")):
                    filled = filled.replace(name, value)
                answer = server.ask("DELETE", filled)
                self.assertEqual(answer.status, 405, path)
                self.assertEqual("GET" in answer.headers["Allow"], "get" in methods, path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
