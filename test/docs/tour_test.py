#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""README.md: the tour works as it is written, on the embedded engines, but for the dashboard's port and the order of what two streams say."""
import re
import tempfile
import unittest
from pathlib import Path

from console import Shell, plain, steps

ROOT = Path(__file__).resolve().parents[2]


def section(page, title):
    return re.search(rf"^## {title}\n(.*?)^## ", page, re.S | re.M)[1]


def said(answer):
    """Lines without what the machine decides: which port is free, and which of stdout and stderr comes first."""
    return sorted(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", plain(answer)).splitlines())


class Tour(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="weir-tour-")
        self.addCleanup(self.folder.cleanup)
        self.shell = Shell(self.folder.name)
        self.addCleanup(self.shell.close)

    def write_wrong(self):
        """The file without its comments and with the two mistakes that the tour shows."""
        folder = Path(self.folder.name)
        good = re.sub(r"(^| +)#.*\n", lambda at: "\n" if at[1] else "", (folder / "meters.yaml").read_text())
        (folder / "wrong.yaml").write_text(good.replace("lateness:", "latenes:").replace("avg(kw)", "avg(kv)"))

    def test_five_minutes(self):
        for command, answer in steps(section((ROOT / "README.md").read_text(), "A tour in five minutes")):
            if "wrong.yaml" in command:
                self.write_wrong()
            if command.startswith("cat "):
                self.shell.step(command, answer)
            else:
                rows = re.match("weir (query|dead list)", command) and "--format" not in command
                shown = f"{command} --format table" if rows else command  # a terminal shows a table, a pipe CSV
                self.assertEqual(said(self.shell.ask(shown)), said(answer), command)


if __name__ == "__main__":
    unittest.main(verbosity=2)
