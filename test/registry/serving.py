# SPDX-License-Identifier: Apache-2.0
"""What tests of the registry need: `weir registry` serving a folder, and calls to it."""
import json
import re
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from harness import Running, Scenario, letters, poll, weir  # noqa: E402,F401

TYPE = "application/vnd.schemaregistry.v1+json"


class Registry:
    """weir registry on a free port; ended with the `with` block."""

    def __init__(self, folder, data="data", listen="127.0.0.1:0"):
        self.folder, self.args = folder, ("registry", "--data", Path(folder) / data, "--registry-listen", listen)

    def __enter__(self):
        self.running = Running(*self.args, folder=self.folder).__enter__()
        self.url = poll("the address", self.said)
        return self

    def said(self):
        if not self.running.alive():
            raise AssertionError(f"weir ended: {self.running.end()}")
        self.running.out.seek(0)
        found = re.search(rb"registry (http://\S+)", self.running.out.read())
        return found and found[1].decode()

    def __exit__(self, *failure):
        return self.running.__exit__(*failure)

    def kill(self):
        self.running.end(signal.SIGKILL)

    def call(self, method, path, body=None, type=TYPE):
        """(status, parsed body)"""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers={"Content-Type": type, "Accept": TYPE})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read()
        return status, json.loads(text)

    def must(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        assert status == 200, (method, path, status, answer)
        return answer

    def refused(self, code, method, path, body=None, **more):
        status, answer = self.call(method, path, body, **more)
        assert (status, answer["error_code"]) == (code if code < 1000 else code // 100, code), (method, path, status, answer)
        assert answer["message"], answer
        return answer["message"]


def record(*fields, name="R", **more):
    return {"schema": json.dumps({"type": "record", "name": name, "fields": list(fields), **more})}


A = {"name": "a", "type": "int"}
B = {"name": "b", "type": ["null", "string"], "default": None}
B_REQUIRED = {"name": "b", "type": "string"}
