# SPDX-License-Identifier: Apache-2.0
"""What tests against real engines share: where the engines are, trouble made to them, engines of one's own, and a proxy that breaks the wire.

ctest starts the engines a test asks for with a line "# needs: cassandra kafka registry" and hands over their addresses. By hand:
`scripts/cluster up`, then `scripts/cluster run -- python3 test/cluster/up_test.py`. Without engines a test fails; it never passes unseen.
"""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

from engines import settings as engine_settings  # noqa: E402
from engines.broker import Broker  # noqa: E402
from engines.process import identity, wait_for  # noqa: E402
from engines.registry import Registry  # noqa: E402
from engines.ring import Ring  # noqa: E402

from proxy import Proxy  # noqa: E402, F401

WEIR = os.environ.get("WEIR", str(ROOT / "build/weir"))
LOCAL_DC = "datacenter1"


def where(variable):
    if not os.environ.get(variable):
        raise AssertionError(f"{variable} is not set: no engine to test against (scripts/cluster up; scripts/cluster run -- ...)")
    return os.environ[variable]


def hosts():
    return where("HOSTS").split(",")


def cql_port():
    return int(os.environ.get("CQL_PORT") or 9042)


def kafka():
    return where("KAFKA")


def registry():
    return where("REGISTRY")


def fresh(prefix):
    """A name that nothing else on the engines has: for keyspaces, topics and groups."""
    return f"{prefix}_{uuid.uuid4().hex[:10]}"


def settings():
    """The settings of the cluster the test runs against, which is that of scripts/cluster run."""
    found = engine_settings.load(where("CLUSTER_NAME"))
    if not found:
        raise AssertionError("the engines are not ours to stop: run the test by scripts/cluster run")
    return found


def ring():
    """The shared ring, for tests that make trouble: they leave it with heal()."""
    return Ring(settings())


def broker():
    return Broker(settings())


def registry_process():
    return Registry(settings())


@contextlib.contextmanager
def own(*engines, **wishes):
    """Engines of one's own, on free addresses, wiped at the end: `with own("cassandra", nodes=3, cassandra_heap="512m") as (ring,)`.
    `wishes` are fields of Settings: secure=True, yaml=["key: value"], brokers=3 ... An engine may be a class of its own, too, such as behind()'s."""
    wishes = {"cassandra_heap": "512m", "kafka_heap": "384m", **wishes}
    kinds = {"cassandra": Ring, "kafka": Broker, "registry": Registry}
    mine = engine_settings.Settings(name=fresh("own"), owner=identity(os.getpid()), **wishes)
    made = [kinds.get(engine, engine)(mine) for engine in engines]
    try:
        with engine_settings.machine_lock():
            engine_settings.choose_first(mine)
            mine.save()
            for one in made:
                one.up()
        yield made
    finally:
        for one in made:
            one.down(wipe=True)
        engine_settings.remove(mine)


def behind(proxy):
    """A kind of broker for own(): clients that ask where it is are sent to the proxy."""

    class Behind(Broker):
        def properties(self, broker):
            proxy.target = (self.settings.address(1), self.settings.broker_port(broker))
            return f"{super().properties(broker)}advertised.listeners=PLAINTEXT://{proxy.address}:{proxy.port}\n"

    return Behind


def connect(*addresses, port=None, **more):
    """A session of the Python driver at QUORUM, to the test's ring or by these `addresses` alone; close it with session.cluster.shutdown()."""
    from cassandra import ConsistencyLevel
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy, WhiteListRoundRobinPolicy

    policy = WhiteListRoundRobinPolicy(list(addresses)) if addresses else TokenAwarePolicy(DCAwareRoundRobinPolicy(local_dc=LOCAL_DC))
    profile = ExecutionProfile(policy, consistency_level=ConsistencyLevel.QUORUM, request_timeout=60)
    more = {"protocol_version": 5, "connect_timeout": 20, **more}
    return Cluster(list(addresses) or hosts(), port=port or cql_port(), execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **more).connect()


@contextlib.contextmanager
def keyspace(session, prefix="test", copies=3):
    """A keyspace that is dropped at the end; gives its name."""
    name = fresh(prefix)
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', '{LOCAL_DC}': {copies}}}")
    try:
        yield name
    finally:
        drop_keyspace(session, name)


def drop_keyspace(session, name):
    """Table by table. Where a late write, such as a hint, reaches a table while its keyspace goes with several tables at once, the node fails to drop
    them ("Unknown CF" from CommitLog.forceRecycleAllSegments, in 5.0.9), and from then on fails at every change of the schema."""
    for row in session.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", [name]):
        session.execute(f"DROP TABLE IF EXISTS {name}.{row.table_name}", timeout=60)
    session.execute(f"DROP KEYSPACE IF EXISTS {name}", timeout=60)


@contextlib.contextmanager
def topic(prefix="test", partitions=3, copies=1, bootstrap=None, **config):
    """A topic that is deleted at the end; gives its name. Configuration by keyword: retention_ms="1000" is retention.ms."""
    from confluent_kafka.admin import AdminClient, NewTopic

    where_it_is = {"bootstrap.servers": bootstrap or kafka(), "log_level": 0}
    admin, name = AdminClient(where_it_is), fresh(prefix)
    config = {key.replace("_", "."): value for key, value in config.items()}
    admin.create_topics([NewTopic(name, partitions, copies, config=config)], operation_timeout=30)[name].result(30)
    try:
        yield name
    finally:
        admin = AdminClient(where_it_is)  # one that has lived through brokers' deaths may wait for a dead one
        admin.delete_topics([name], operation_timeout=30)[name].result(30)


def drop_topics(prefix, bootstrap=None):
    """Deletes the topics that a pipeline made for itself; those that are missing are no error."""
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": bootstrap or kafka(), "log_level": 0})
    mine = [name for name in admin.list_topics(timeout=20).topics if name.startswith(f"{prefix}-")]
    for deleted in admin.delete_topics(mine, operation_timeout=30).values() if mine else ():
        deleted.result(30)


def await_in_sync(bootstrap, copies, seconds=60):
    """Until every partition of every topic, those of the brokers themselves too, has so many copies in sync."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    admin, behind = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}), []

    def in_sync():
        with contextlib.suppress(KafkaException):
            topics = admin.list_topics(timeout=10).topics.values()
            behind[:] = [(topic.topic, number, one.leader, one.isrs) for topic in topics for number, one in topic.partitions.items() if len(one.isrs) < copies]
            return not behind

    try:
        eventually(in_sync, seconds, 0.3)
    except AssertionError:
        raise AssertionError(f"partitions that are not in sync after {seconds} s: {behind}") from None


def eventually(done, seconds=30, every=0.05, what="what the test waits for"):
    """Polls until done() gives something true, and gives that; fails the test otherwise."""
    try:
        return wait_for(what, done, seconds, every)
    except engine_settings.Failure as failure:
        raise AssertionError(str(failure)) from None


class Case(unittest.TestCase):
    """A folder of the test's own, and processes that end with it."""

    maxDiff = None

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-cluster-")))
        self.begun = time.monotonic()
        print(f"# {self.id()} {time.strftime('%H:%M:%S')}", flush=True)

    def tell(self, what):
        print(f"# {time.monotonic() - self.begun:.1f} {what}", flush=True)

    def spawn(self, *command, **more):
        """A process (its output in `process.log`) that is killed when the test ends."""
        log = self.folder / f"{fresh('process')}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **more)
        process.log = log
        self.addCleanup(process.wait)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()


def main():
    unittest.main(verbosity=2)
