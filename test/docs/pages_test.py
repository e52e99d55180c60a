#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""The documents against the code that they speak of: links lead somewhere, tables repeat the code's, YAML that is a whole pipeline is a good one."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")])


def anchors(page):
    """What headings can be linked to as."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if link.startswith("http"):
                    continue
                name, _, anchor = link.partition("#")
                target = (page.parent / name).resolve() if name else page
                self.assertTrue(target.exists(), f"{page.name}: {link}")
                if anchor:
                    self.assertIn(anchor, anchors(target), f"{page.name}: {link}")

    def test_fixed_properties_of_kafka(self):
        source = (ROOT / "src/kafka/properties.c").read_text()
        table = re.search(r"ours\[\] = \{(.*?)\n\};", source, re.S)[1]
        rows = re.findall(r'\{"([^"]+)", (?:NULL|"([^"]*)"), "([^"]*)"\}', table)
        self.assertGreater(len(rows), 10)
        wanted = "".join(f"| `{name}` | {f'`{value}`' if value else 'not to be set'} | {why} |\n" for name, value, why in rows)
        self.assertIn(wanted, (ROOT / "docs/kafka.md").read_text())

    def test_settings_of_kafka(self):
        page, source = (ROOT / "docs/kafka.md").read_text(), (ROOT / "src/kafka/client.c").read_text()
        for name, value in re.findall(r"`([a-z.]+\.ms)` (\d+)", page):
            self.assertIn(f'"{name}", "{value}"', source)

    def test_options_of_the_registry(self):
        page, source = (ROOT / "docs/contracts.md").read_text(), (ROOT / "src/registry/http/caller.c").read_text()
        for name in re.findall(r'\] = "([a-z_.]+)",', source):
            if name != "basic.auth.credentials.source":  # read for the sake of other clients' files, and of no effect
                self.assertIn(f"`{name}`", page)

    def test_headers_of_dead_letters(self):
        page, source = (ROOT / "docs/kafka.md").read_text(), (ROOT / "src/log/kafka/dead.c").read_text()
        for name in re.findall(r'\{"(weir\.[a-z.]+)"', source):
            self.assertIn(f"`{name}`", page)

    def test_metrics(self):
        sources = "".join(path.read_text() for path in (ROOT / "src/http").glob("*metrics.c"))
        for page in PAGES:
            for name in re.findall(r"`(weir_\w+[a-z])`", page.read_text()):
                if page.name != "ARCHITECTURE.md":
                    self.assertIn(f'"{name}"', sources, page.name)

    def test_blocks_of_yaml(self):
        for page in PAGES:
            for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.S | re.M):
                self.assertTrue(yaml.safe_load(block), f"{page.name}: {block}")

    def test_engines_of_yaml(self):
        """The long forms of log, registry and store in the pages are taken by a pipeline."""
        pipeline = (ROOT / "pipelines/metrics.yaml").read_text()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        environment.update(KAFKA_PASSWORD="secret", REGISTRY_PASSWORD="secret")
        with tempfile.TemporaryDirectory() as folder:
            for page in PAGES:
                for block in re.findall(r"^```yaml\n((?:log|registry|store):\n.*?)^```$", page.read_text(), re.S | re.M):
                    kind, file = block.partition(":")[0], Path(folder) / "pipeline.yaml"
                    secret = Path(folder) / "secret"
                    secret.write_text("secret")
                    block = re.sub(r"\$\{file:[^}]*\}", f"${{file:{secret}}}", block)
                    file.write_text(block + re.sub(rf"^{kind}: .*\n", "", pipeline, flags=re.M))
                    done = subprocess.run([os.environ["WEIR"], "check", file], env=environment, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, f"{page.name}: {block}{done.stderr}")

    def test_deployment(self):
        """What deploy/ tells weir by variables and commands is what weir knows."""
        sources = "".join(path.read_text() for path in [*(ROOT / "src/spec").glob("*.c"), *(ROOT / "src/cli").glob("*.h"), ROOT / "deploy/http.yaml"])
        services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
        ours = {name: service for name, service in services.items() if service["image"] == "weir"}
        self.assertEqual(set(ours), {"weir", "tables"})
        for service in ours.values():
            for variable in service["environment"]:
                self.assertIn(variable, sources)
            words = [word for word in service["command"] if not word.endswith(".yaml")]
            self.assertEqual(subprocess.run([os.environ["WEIR"], *words, "--help"], capture_output=True).returncode, 0, words)

    def test_unit_of_systemd(self):
        tool = shutil.which("systemd-analyze")
        if not tool:
            self.skipTest("no systemd-analyze")
        unit = (ROOT / "deploy/weir@.service").read_text().replace("/usr/bin/weir", os.environ["WEIR"])
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "weir@test.service"
            file.write_text(unit)
            said = subprocess.run([tool, "verify", file], capture_output=True, text=True).stderr
            self.assertNotIn(str(file), said)
            self.assertNotIn("weir@test", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
