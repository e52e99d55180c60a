#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""docs/contracts.md: its tutorial works as it is written, on a real broker, but for names and ports that others may have taken."""
import re
import socket
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))
import cluster  # noqa: E402
from console import Shell, steps  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("readings", "sensors", "firmware-2", "batteries")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="weir-tutorial-")
        self.addCleanup(self.folder.cleanup)
        self.prefix = cluster.fresh("tutorial")
        self.addCleanup(cluster.drop_topics, self.prefix)
        self.shell = Shell(self.folder.name, self.logs)
        self.addCleanup(self.shell.close)
        self.port = free_port()

    def logs(self):
        return "\n".join(f"{log.name}:\n{log.read_text()}" for log in Path(self.folder.name).glob("*.log"))

    def mine(self, text):
        """The same under names and a port of our own."""
        text = text.replace("127.0.0.1:8081", f"127.0.0.1:{self.port}").replace("127.0.0.1:9092", cluster.kafka())
        for kind in ("pipeline: ", "topic: {name: "):
            for name in NAMES:
                text = text.replace(f"{kind}{name}", f"{kind}{self.prefix}-{name}")
        text = re.sub(r"^(\S+: \d+ records|\S+: topic )(readings)?", lambda at: f"{self.prefix}-{at[1]}{f'{self.prefix}-{at[2]}' if at[2] else ''}", text, flags=re.M)
        return text.replace("readings-value", f"{self.prefix}-readings-value")

    def test_evolution(self):
        document = (ROOT / "docs/contracts.md").read_text()
        tutorial = steps(document.split("\n## Tutorial")[1])
        self.assertGreater(len(tutorial), 15)
        for command, answer in tutorial:
            self.shell.step(self.mine(command), self.mine(answer))


if __name__ == "__main__":
    unittest.main(verbosity=2)
