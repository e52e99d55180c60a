#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""deploy/ as far as it can be tried without containers: what refers to something finds it, and the image's pipelines are good files."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


class Deploy(unittest.TestCase):
    def test_compose_refers_to_what_is_there(self):
        compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
        services = compose["services"]
        for name, service in services.items():
            for other, wanted in service.get("depends_on", {}).items():
                self.assertIn(other, services, name)
                if wanted["condition"] == "service_healthy":
                    self.assertIn("healthcheck", services[other], other)
            for volume in service.get("volumes", []):
                self.assertIn(volume.split(":")[0], compose["volumes"], name)
            for value in service["environment"].values():
                self.assertIsInstance(value, str, name)
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name} is open to other machines")
        built = services["weir"]["build"]
        self.assertTrue((DEPLOY / built["context"] / built["dockerfile"]).exists())

    def test_the_image_has_every_library(self):
        dockerfile = (DEPLOY / "Dockerfile").read_text()
        final = set(dockerfile.rpartition("FROM ")[2].split())
        dynamic = subprocess.run(["readelf", "-d", os.environ["WEIR"]], capture_output=True, text=True, check=True).stdout
        wanted = {line.split("[")[1].split("]")[0] for line in dynamic.splitlines() if "(NEEDED)" in line}
        for library in sorted(wanted):
            stem = library.partition(".so")[0]
            self.assertTrue(stem in ("libc", "libm", "ld-linux-x86-64") or any(word.startswith(self.package(stem)) for word in final), library)

    @staticmethod
    def package(stem):
        """How the names of Debian's packages of a library begin."""
        return {"libz": "zlib1g", "libyaml-0": "libyaml-0", "libcrypto": "libssl"}.get(stem, stem)

    def test_the_pipelines_of_the_image(self):
        environment = dict(os.environ, WEIR_READER_SHA256="0" * 64, WEIR_OPERATOR_SHA256="1" * 64)
        for pipeline in ("iot-analytics.yaml", "metrics.yaml"):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "pipelines" / pipeline
                file.parent.mkdir()
                (Path(folder) / "schemas").symlink_to(ROOT / "schemas")
                file.write_text((ROOT / "pipelines" / pipeline).read_text() + (DEPLOY / "http.yaml").read_text())
                done = subprocess.run([os.environ["WEIR"], "check", file], env=environment, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
