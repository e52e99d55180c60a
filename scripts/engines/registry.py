# SPDX-License-Identifier: Apache-2.0
"""A schema registry that others wrote (Apicurio, by its Confluent-compatible API), in memory: what it knows is gone when it ends."""
import json
import signal
import urllib.error
import urllib.request

from . import jars
from .process import Process, end_all

START_SECONDS = 90


class Registry:
    def __init__(self, settings):
        self.settings = settings
        self.process = Process(settings.folder / "registry")

    def processes(self):
        return [self.process]

    def up(self):
        if self.process.pid:
            return
        self.start()
        self.process.wait("answering", self.answers, START_SECONDS)
        self.call("PUT", "/config", {"compatibility": "BACKWARD"})  # the default of Confluent's own

    def start(self):
        folder = jars.folder("apicurio-2.6.13")
        self.process.start([jars.java(), "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                            "-Djava.util.logging.manager=org.jboss.logmanager.LogManager", f"-Dquarkus.http.host={self.settings.address(1)}",
                            f"-Dquarkus.http.port={self.settings.registry_port}", "-jar", folder / "apicurio-registry-app-2.6.13.Final-runner.jar"])

    def down(self, wipe=False):
        end_all(self.processes(), wipe)

    def call(self, method, path, body=None):
        """One request of the Confluent API: (status, the answer's JSON)."""
        request = urllib.request.Request(self.settings.registry + path, None if body is None else json.dumps(body).encode(),
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def answers(self):
        try:
            return self.call("GET", "/subjects")[0] == 200
        except (OSError, ValueError):
            return False

    # for tests: trouble, and the way back
    def kill9(self):
        self.process.kill()

    def stop(self):
        self.process.signal(signal.SIGSTOP)

    def cont(self):
        self.process.signal(signal.SIGCONT)

    def restart(self):
        """Comes back empty."""
        self.process.terminate()
        self.process.end(20)
        self.up()

    def heal(self):
        if self.process.pid:
            self.cont()
        self.up()
