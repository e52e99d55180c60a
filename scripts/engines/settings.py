# SPDX-License-Identifier: Apache-2.0
"""What a cluster is: its name, addresses, ports and sizes; and where it keeps them.

A cluster lives on consecutive loopback addresses, 127.0.0.FIRST and up: Cassandra's node i on FIRST + i - 1, Kafka and the registry on FIRST. Ports are
the customary ones, so that several clusters run side by side by their addresses alone. What `up` was told is kept in settings.json; the other
commands need only the name.
"""
import contextlib
import fcntl
import json
import os
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weir/engines"
ENGINES = ("cassandra", "kafka", "registry")


class Failure(Exception):
    """Something a person can read; the command ends with it."""


@dataclass
class Settings:
    name: str = "default"
    first: int = 1
    nodes: int = 3
    cql_port: int = 9042
    storage_port: int = 7000
    cassandra_heap: str = "1g"
    brokers: int = 1
    kafka_port: int = 9092
    kafka_heap: str = "1g"
    registry_port: int = 18081
    secure: bool = False
    client_auth: bool = False
    acls: bool = False  # with secure: a user of Kafka without an ACL may do nothing, rather than everything where there is none
    yaml: list = field(default_factory=list)
    owner: str = ""  # pid and start time of the test that made it for itself

    @property
    def folder(self):
        return folder_of(self.name)

    def address(self, node):
        return f"127.0.0.{self.first + node - 1}"

    def jmx_port(self, node):
        return 7100 + self.first + node - 1  # on 127.0.0.1, whatever the address of the node

    def broker_port(self, broker):
        return self.kafka_port + broker - 1

    def controller_port(self, broker):
        return self.kafka_port + 1000 + broker - 1

    def sasl_port(self, broker):
        return self.kafka_port + 100 + broker - 1

    @property
    def hosts(self):
        return [self.address(node) for node in range(1, self.nodes + 1)]

    @property
    def bootstrap(self):
        return ",".join(f"{self.address(1)}:{self.broker_port(broker)}" for broker in range(1, self.brokers + 1))

    @property
    def bootstrap_sasl(self):
        return ",".join(f"{self.address(1)}:{self.sasl_port(broker)}" for broker in range(1, self.brokers + 1))

    @property
    def registry(self):
        return f"http://{self.address(1)}:{self.registry_port}/apis/ccompat/v7"

    def listening(self, engine):
        """Every (address, port) that an engine will bind."""
        if engine == "cassandra":
            for node in range(1, self.nodes + 1):
                yield self.address(node), self.cql_port
                yield self.address(node), self.storage_port
                yield "127.0.0.1", self.jmx_port(node)
        elif engine == "kafka":
            for broker in range(1, self.brokers + 1):
                yield self.address(1), self.broker_port(broker)
                yield self.address(1), self.controller_port(broker)
                if self.secure:
                    yield self.address(1), self.sasl_port(broker)
        else:
            yield self.address(1), self.registry_port

    def save(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        write(self.folder / "settings.json", json.dumps(asdict(self), indent=2) + "\n")


def folder_of(name):
    return Path(os.environ.get("WEIR_CLUSTER_DIR") or ROOT / "build/cluster").resolve() / name


def write(path, text):
    """Writes a whole file or none of it, whoever else writes it at the same time."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as beside:
        beside.write(text)
    os.replace(beside.name, path)


def load(name):
    """The settings of a cluster that was started, or None."""
    try:
        return Settings(**json.loads((folder_of(name) / "settings.json").read_text()))
    except FileNotFoundError:
        return None


def known():
    """The names of all clusters that have a folder."""
    return sorted(path.parent.name for path in folder_of("x").parent.glob("*/settings.json"))


def remove(settings):
    shutil.rmtree(settings.folder, ignore_errors=True)


def is_free(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def taken(settings, engines=ENGINES):
    return [f"{address}:{port}" for engine in engines for address, port in settings.listening(engine) if not is_free(address, port)]


def choose_first(settings):
    """Moves the settings to the first stretch of addresses on which every engine finds its ports free."""
    for first in range(1, 245, 10):
        settings.first = first
        if not taken(settings):
            return
    raise Failure("no stretch of loopback addresses has its ports free")


@contextlib.contextmanager
def machine_lock():
    """One start at a time on this machine: two that choose addresses at once must not choose the same."""
    path = Path(tempfile.gettempdir()) / f"weir-cluster-{os.getuid()}.lock"
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
