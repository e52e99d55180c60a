# SPDX-License-Identifier: Apache-2.0
"""A Cassandra ring of several nodes, 16 vnodes each.

The nodes begin empty with tokens laid out for them, interleaved evenly over the ring, so that none has to negotiate, bootstrap or wait for gossip to
settle: a node is up in seconds.
"""
import functools
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import jars, jvm, tls
from .process import Process, answers, end_all, wait_for
from .settings import write

VNODES = 16
START_SECONDS = 180

YAML = """\
cluster_name: {name}
num_tokens: 16
initial_token: "{tokens}"
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "{seed}:{storage_port}"
listen_address: {address}
rpc_address: {address}
storage_port: {storage_port}
native_transport_port: {cql_port}
start_native_transport: true
data_file_directories:
  - {data}/data
commitlog_directory: {data}/commitlog
saved_caches_directory: {data}/saved_caches
hints_directory: {data}/hints
cdc_raw_directory: {data}/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_total_space: 1024MiB
authenticator: {authenticator}
authorizer: {authorizer}
role_manager: CassandraRoleManager
default_keyspace_rf: {copies}
memtable_heap_space: {memtable_mb}MiB
memtable_offheap_space: {memtable_mb}MiB
memtable_allocation_type: heap_buffers
concurrent_reads: 16
concurrent_writes: 16
concurrent_compactors: 1
networking_cache_size: 64MiB
file_cache_size: 128MiB
hinted_handoff_enabled: true
auto_snapshot: false
"""
TLS = """\
client_encryption_options:
  enabled: true
  optional: false
  keystore: {keys}
  keystore_password: {password}
  store_type: PKCS12
  require_client_auth: {client_auth}
  truststore: {trust}
  truststore_password: {password}
"""
LOGBACK = """\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <target>{target}</target><encoder><pattern>%-5level [%thread] %date{{ISO8601}} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="{level}"><appender-ref ref="out"/></root>
</configuration>
"""


def megabytes(size):
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1].lower()]


def tokens(node, nodes):
    """A node's share of an even ring in which the nodes take turns."""
    step = 2**64 // (VNODES * nodes)
    return ",".join(str(-(2**63) + (turn * nodes + node - 1) * step) for turn in range(VNODES))


@functools.cache
def unlocked():
    """A prefix that takes the right to lock memory: a node locks all it may use, which takes root's nodes seconds and gigabytes."""
    prefix = ["setpriv", "--bounding-set", "-ipc_lock"]
    try:
        return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else []
    except FileNotFoundError:
        return []


class Ring:
    def __init__(self, settings):
        self.settings = settings
        self.nodes = {node: Process(settings.folder / f"cassandra-{node}") for node in range(1, settings.nodes + 1)}

    def processes(self):
        return list(self.nodes.values())

    def up(self):
        """Starts what does not run: the seed first, all others beside each other, until every node knows every other as up."""
        if self.settings.secure:
            tls.make(self.settings)
        if not self.nodes[1].pid:
            self.start(1)
        self.wait_cql(1)
        for node in self.nodes:
            if not self.nodes[node].pid:
                self.start(node)
        for node in self.nodes:
            self.wait_cql(node)
        self.wait_up()

    def down(self, wipe=False):
        end_all(self.processes(), wipe)

    def start(self, node):
        process = self.nodes[node]
        process.conf.mkdir(parents=True, exist_ok=True)
        write(process.conf / "cassandra.yaml", self.yaml(node))
        write(process.conf / "logback.xml", LOGBACK.format(target="System.out", level="INFO"))
        process.start(self.command(node))

    def yaml(self, node):
        settings = self.settings
        text = YAML.format(
            name=f"weir-{settings.name}", tokens=tokens(node, settings.nodes), seed=settings.address(1), address=settings.address(node),
            storage_port=settings.storage_port, cql_port=settings.cql_port, data=self.nodes[node].data, copies=min(3, settings.nodes),
            memtable_mb=megabytes(settings.cassandra_heap) // 4,
            authenticator="PasswordAuthenticator" if settings.secure else "AllowAllAuthenticator",
            authorizer="CassandraAuthorizer" if settings.secure else "AllowAllAuthorizer")
        if settings.secure:
            folder = tls.folder(settings)
            text += TLS.format(keys=folder / "server.p12", trust=folder / "trust.p12", password=tls.PASSWORD, client_auth=str(settings.client_auth).lower())
        return text + "".join(line + "\n" for line in settings.yaml)

    def command(self, node):
        process, libraries, heap = self.nodes[node], jars.folder("cassandra-5.0.9"), self.settings.cassandra_heap
        properties = {
            "cassandra.jmx.local.port": self.settings.jmx_port(node), "cassandra.config": f"file://{process.conf}/cassandra.yaml",
            "cassandra.storagedir": process.data, "cassandra.logdir": process.folder, "cassandra-foreground": "yes",
            "cassandra.ring_delay_ms": 2000, "cassandra.skip_wait_for_gossip_to_settle": 0, "cassandra.consistent.rangemovement": "false",
            "cassandra.superuser_setup_delay_ms": 500,
        }
        return [*unlocked(), jars.java(), f"-javaagent:{libraries}/jamm-0.4.0.jar", *jvm.SERVER, *jvm.MODULES, f"-Xms{heap}", f"-Xmx{heap}",
                *(f"-D{key}={value}" for key, value in properties.items()),
                "-cp", f"{process.conf}:{libraries}/*", "org.apache.cassandra.service.CassandraDaemon"]

    def wait_cql(self, node):
        self.nodes[node].wait("answering CQL", lambda: answers(self.settings.address(node), self.settings.cql_port), START_SECONDS)

    def wait_up(self, alive=None):
        """Until each living node (or those of `alive`) sees each of them as Up and Normal."""
        alive = alive or [node for node in self.nodes if self.nodes[node].pid]
        wanted = {self.settings.address(node) for node in alive}
        with ThreadPoolExecutor(len(alive)) as pool:
            wait_for("all nodes up in each other's eyes", lambda: all(pool.map(lambda node: self.seen_up(node) >= wanted, alive)), START_SECONDS, 0.5)
        wait_for("one schema on all nodes", lambda: self.schemas(alive[0]) == 1, START_SECONDS, 0.5)

    def seen_up(self, node):
        """The addresses that a node sees as Up and Normal."""
        return set(re.findall(r"^UN +(\S+)", self.nodetool("status", node=node).stdout, re.M))

    def schemas(self, node):
        """How many versions of the schema there are, as a node sees it: one that was away learns late of what was changed meanwhile."""
        return len(re.findall(r"^\s*[0-9a-f]{8}-[0-9a-f-]{27}: \[", self.nodetool("describecluster", node=node).stdout, re.M))

    def nodetool_command(self, *arguments, node=1):
        conf = self.settings.folder / "nodetool"
        conf.mkdir(parents=True, exist_ok=True)
        if not (conf / "logback-tools.xml").exists():
            write(conf / "logback-tools.xml", LOGBACK.format(target="System.err", level="WARN"))
        return [jars.java(), *jvm.MODULES, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Dcassandra.storagedir={conf}",
                f"-Duser.home={conf}", "-Dlogback.configurationFile=logback-tools.xml", "-cp", f"{conf}:{jars.folder('cassandra-5.0.9')}/*",
                "org.apache.cassandra.tools.NodeTool", "-p", str(self.settings.jmx_port(node)), *arguments]

    def nodetool(self, *arguments, node=1):
        return subprocess.run(self.nodetool_command(*arguments, node=node), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def flush(self, *keyspace):
        """Makes SSTables of what the living nodes hold in memory. Returns nodetool's failures, by node."""
        alive = [node for node in self.nodes if self.nodes[node].pid]
        with ThreadPoolExecutor(max(1, len(alive))) as pool:
            said = list(pool.map(lambda node: self.nodetool("flush", *keyspace, node=node), alive))
        return {node: done.stderr or done.stdout for node, done in zip(alive, said) if done.returncode}

    # for tests: trouble, and the way back
    def kill9(self, node):
        self.nodes[node].kill()

    def stop(self, node):
        """SIGSTOP: connections stay, nothing answers."""
        self.nodes[node].signal(signal.SIGSTOP)

    def cont(self, node):
        self.nodes[node].signal(signal.SIGCONT)

    def terminate(self, node):
        """A shutdown in good order."""
        self.nodes[node].terminate()
        self.nodes[node].end(60)

    def restart(self, node):
        """Starts a node that ended (one that still runs is shut down first), until it answers."""
        if self.nodes[node].pid:
            self.terminate(node)
        self.start(node)
        self.wait_cql(node)

    def heal(self):
        """Whatever a test did, all nodes run and see each other again."""
        for process in self.processes():
            if process.pid:
                process.signal(signal.SIGCONT)
        self.up()
