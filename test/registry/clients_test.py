#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Clients that others wrote drive the registry: Confluent's for Python, and kafkajs's for JavaScript."""
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from serving import A, B, B_REQUIRED, Registry, Scenario, record

JS = Path(__file__).resolve().parent / "js"


class Clients(Scenario):
    def test_confluents_python_client(self):
        from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
        from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
        from confluent_kafka.schema_registry.error import SchemaRegistryError
        from confluent_kafka.serialization import MessageField, SerializationContext
        with Registry(self.folder) as r:
            client = SchemaRegistryClient({"url": r.url})
            first, second = (Schema(record(*fields)["schema"], "AVRO") for fields in ((A,), (A, B)))
            number = client.register_schema("py-value", first)
            self.assertEqual(json.loads(client.get_schema(number).schema_str), json.loads(first.schema_str))
            self.assertEqual(client.lookup_schema("py-value", first).version, 1)
            self.assertTrue(client.test_compatibility("py-value", second))
            self.assertFalse(client.test_compatibility("py-value", Schema(record(A, B_REQUIRED)["schema"], "AVRO")))
            client.register_schema("py-value", second)
            self.assertEqual((client.get_versions("py-value"), client.get_subjects()), ([1, 2], ["py-value"]))
            self.assertEqual(client.get_latest_version("py-value").version, 2)
            client.set_compatibility("py-value", "FULL")
            self.assertEqual(client.get_compatibility("py-value"), "FULL")
            with self.assertRaises(SchemaRegistryError) as refusal:
                client.register_schema("py-value", Schema(record(A, B_REQUIRED)["schema"], "AVRO"))
            self.assertEqual(refusal.exception.error_code, 409)
            context = SerializationContext("t", MessageField.VALUE)
            payload = AvroSerializer(client, second.schema_str)({"a": 7, "b": "x"}, context)
            self.assertEqual(AvroDeserializer(SchemaRegistryClient({"url": r.url}))(payload, context), {"a": 7, "b": "x"})
            self.assertEqual(client.delete_subject("py-value"), [1, 2])
            self.assertEqual(client.delete_subject("py-value", permanent=True), [1, 2])

    @unittest.skipUnless(shutil.which("npm"), "no npm")
    def test_javascript_client(self):
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "weir" / "registry-js"
        home.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json", "drive.mjs"):
            shutil.copy(JS / file, home / file)
        if not (home / "node_modules/@kafkajs/confluent-schema-registry").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=home, check=True, capture_output=True, timeout=300)
        with Registry(self.folder) as r:
            done = subprocess.run(["node", "drive.mjs", r.url], cwd=home, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            out = json.loads(done.stdout.splitlines()[-1])
            self.assertEqual(out["decoded"], {"a": 7})
            self.assertEqual(out["prefix"], [0, 0, 0, 0, out["id"]])
            self.assertEqual({out["latest"], out["found"], out["version"]}, {out["id"]})
            self.assertIn("incompatible", out["refused"])


if __name__ == "__main__":
    unittest.main()
