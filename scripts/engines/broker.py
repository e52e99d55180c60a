# SPDX-License-Identifier: Apache-2.0
"""Kafka without ZooKeeper (KRaft): one broker, or three that are controllers too, with RF 3 and two in-sync replicas asked for."""
import base64
import os
import signal
import subprocess

from . import jars, tls
from .process import Process, answers, end_all
from .settings import Failure, write

START_SECONDS = 90
TOOL = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

PROPERTIES = """\
process.roles=broker,controller
node.id={broker}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners={listeners},CONTROLLER://{address}:{controller_port}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=3
auto.create.topics.enable=false
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=12
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=12
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.retention.bytes=-1
log.segment.bytes=536870912
message.max.bytes=10485760
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""
# Whoever comes by the plain listener, the brokers among them, is ANONYMOUS and may do everything; the others what ACLs say of them.
SASL = """\
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{secret}";
ssl.keystore.type=PKCS12
ssl.keystore.location={keys}
ssl.keystore.password={password}
ssl.truststore.type=PKCS12
ssl.truststore.location={trust}
ssl.truststore.password={password}
ssl.client.auth={client_auth}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found={everyone}
"""
LOG4J = """\
log4j.rootLogger={level}, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target={target}
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""


class Broker:
    """All brokers of a cluster."""

    def __init__(self, settings):
        self.settings = settings
        self.brokers = {broker: Process(settings.folder / f"kafka-{broker}") for broker in range(1, settings.brokers + 1)}

    def processes(self):
        return list(self.brokers.values())

    def up(self):
        if self.settings.secure:
            tls.make(self.settings)
        for broker in self.brokers:
            if not self.brokers[broker].pid:
                self.start(broker)
        for broker in self.brokers:
            self.wait_up(broker)

    def down(self, wipe=False):
        end_all(self.processes(), wipe)
        if wipe:
            self.id_file.unlink(missing_ok=True)

    @property
    def id_file(self):
        return self.settings.folder / "kafka-cluster-id"

    def cluster_id(self):
        if not self.id_file.exists():
            write(self.id_file, base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("="))
        return self.id_file.read_text()

    def start(self, broker):
        process = self.brokers[broker]
        process.conf.mkdir(parents=True, exist_ok=True)
        write(process.conf / "server.properties", self.properties(broker))
        write(process.conf / "log4j.properties", LOG4J.format(level="INFO", target="System.out"))
        self.format(process)
        heap = self.settings.kafka_heap
        process.start([jars.java(), "-server", f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                       "-XX:InitiatingHeapOccupancyPercent=35", "-Djava.awt.headless=true", f"-Dkafka.logs.dir={process.folder}",
                       "-cp", self.classes(process.conf), "kafka.Kafka", process.conf / "server.properties"])

    def properties(self, broker):
        settings, address = self.settings, self.settings.address(1)
        listeners = f"PLAINTEXT://{address}:{settings.broker_port(broker)}"
        if settings.secure:
            listeners += f",SASL_SSL://{address}:{settings.sasl_port(broker)}"
        text = PROPERTIES.format(
            broker=broker, address=address, listeners=listeners, controller_port=settings.controller_port(broker), data=self.brokers[broker].data,
            voters=",".join(f"{other}@{address}:{settings.controller_port(other)}" for other in self.brokers),
            copies=3 if settings.brokers >= 3 else 1, in_sync=2 if settings.brokers >= 3 else 1)
        if settings.secure:
            folder = tls.folder(settings)
            text += SASL.format(user=tls.USER, secret=tls.SECRET, keys=folder / "server.p12", trust=folder / "trust.p12", password=tls.PASSWORD,
                                client_auth="required" if settings.client_auth else "none", everyone="false" if settings.acls else "true")
        return text

    def format(self, process):
        """Gives an empty data folder the cluster's id and, for SCRAM, the user."""
        if (process.data / "meta.properties").exists():
            return
        user = ["--add-scram", f"SCRAM-SHA-512=[name={tls.USER},password={tls.SECRET}]"] if self.settings.secure else []
        done = subprocess.run([jars.java(), *TOOL, "-cp", self.classes(process.conf), "kafka.tools.StorageTool", "format",
                               f"--cluster-id={self.cluster_id()}", "-c", process.conf / "server.properties", *user], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{process.name}: its data folder cannot be formatted:\n{done.stdout}{done.stderr}")

    @staticmethod
    def classes(conf):
        return f"{conf}:{jars.folder('kafka-3.9.1')}/*"

    def wait_up(self, broker=None):
        """Until a broker (or each) has registered and serves."""
        for one in [broker] if broker else self.brokers:
            port = self.settings.broker_port(one)
            self.brokers[one].wait("serving", lambda: self.brokers[one].said("Kafka Server started") and answers(self.settings.address(1), port), START_SECONDS)

    def topics_command(self, *arguments):
        conf = self.settings.folder / "kafka-tools"
        conf.mkdir(parents=True, exist_ok=True)
        write(conf / "log4j.properties", LOG4J.format(level="WARN", target="System.err"))
        return [jars.java(), *TOOL, "-cp", self.classes(conf), "org.apache.kafka.tools.TopicCommand",
                "--bootstrap-server", self.settings.bootstrap, *arguments]

    # for tests: trouble, and the way back
    def kill9(self, broker=1):
        self.brokers[broker].kill()

    def stop(self, broker=1):
        self.brokers[broker].signal(signal.SIGSTOP)

    def cont(self, broker=1):
        self.brokers[broker].signal(signal.SIGCONT)

    def terminate(self, broker=1):
        self.brokers[broker].terminate()
        self.brokers[broker].end(60)

    def restart(self, broker=1):
        if self.brokers[broker].pid:
            self.terminate(broker)
        self.start(broker)
        self.wait_up(broker)

    def heal(self):
        for process in self.processes():
            if process.pid:
                process.signal(signal.SIGCONT)
        self.up()
