#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: kafka
"""weir at a Kafka of its own that asks for a login and grants nothing unasked: what it says where a login or a right is missing, and that the rights
which docs/kafka.md names are all it needs."""
import json
import re
import time

from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType

import cluster
import expected
import runs
import streams
from engines import tls

PARTITIONS = 3
EVENTS = 3000
SECONDS = 60  # that no command here may take
KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional id": ResourceType.TRANSACTIONAL_ID}
TABLE_ROW = re.compile(r"\| (topic|group|transactional id)s? `(TOPIC|PIPELINE)(-\*)?` \|([^|]*)\|")

TOPIC, INTERNAL = ("topic", "TOPIC", False), ("topic", "PIPELINE", True)


def operation(words):
    """DescribeConfigs is AclOperation.DESCRIBE_CONFIGS."""
    return AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).upper()]


def documented():
    """The table of docs/kafka.md: {(kind, name, prefixed): the operations that `weir run` needs}."""
    found = TABLE_ROW.findall((cluster.ROOT / "docs/kafka.md").read_text())
    return {(kind, name, bool(star)): [one.strip() for one in run.split(",")] for kind, name, star, run in found}


class Rights(cluster.Case):
    @classmethod
    def setUpClass(cls):
        (cls.broker,) = cls.enterClassContext(cluster.own("kafka", secure=True, acls=True))
        cls.plain = cls.broker.settings.bootstrap  # who comes here may do everything
        cls.admin = AdminClient({"bootstrap.servers": cls.plain, "log_level": 0})

    def setUp(self):
        super().setUp()
        self.fresh_pipeline()

    def fresh_pipeline(self):
        self.name = cluster.fresh("rights")
        self.topic = f"{self.name}.events"
        self.data = self.folder / self.name
        self.file = self.write()

    def write(self, password=tls.SECRET, log=None, **options):
        secure = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": tls.USER, "sasl.password": password,
                  "ssl.ca.location": tls.folder(self.broker.settings) / "ca.pem", **options}
        return runs.pipeline("metrics", self.folder / f"{self.name}.yaml", self.name, self.topic, PARTITIONS, "embedded",
                             log=log or f"kafka://{self.broker.settings.bootstrap_sasl}", log_options=secure.items())

    def resource(self, right):
        kind, name, prefixed = right
        name = self.topic if name == "TOPIC" else name.replace("PIPELINE", self.name)
        return KINDS[kind], f"{name}-" if prefixed else name, ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL

    def grant(self, rights):
        """Until the broker, too, knows of them. Names are fresh in each test: nothing is ever taken away."""
        wanted = {(*self.resource(right), operation(one)) for right, operations in rights.items() for one in operations}
        acls = [AclBinding(kind, name, pattern, f"User:{tls.USER}", "*", one, AclPermissionType.ALLOW) for kind, name, pattern, one in wanted]
        for made in self.admin.create_acls(acls).values():
            made.result(30)
        everything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
        cluster.eventually(lambda: wanted <= {(acl.restype, acl.name, acl.resource_pattern_type, acl.operation)
                                              for acl in self.admin.describe_acls(everything).result(30)})

    def grant_all_but(self, left_out, operation_left_out):
        rights = documented()
        rights[left_out] = [one for one in rights[left_out] if one != operation_left_out]
        self.grant(rights)

    def make_topic(self):
        """The file's topic, by somebody who may, with events in it."""
        runs.weir("topic", "create", self.topic, "--partitions", PARTITIONS, "--retention", "750 hours", "--log", f"kafka://{self.plain}", "--data", self.data)
        self.fill()

    def fill(self):
        streams.fill(self.plain, self.topic, streams.Metrics(len(self.name)), EVENTS)

    def weir(self, *arguments):
        begun = time.monotonic()
        done = runs.weir(*arguments, self.file, "--data", self.data, seconds=SECONDS)
        print(f"# {time.monotonic() - begun:.1f} s, {done.returncode}: {' '.join(arguments)}: {done.stderr.splitlines()[-1:]}", flush=True)
        return done

    def run_to_end(self):
        return self.weir("run", "--no-feed", "--until-end", "--format", "json", "--listen", "127.0.0.1:0")

    def check_refused(self, done, *said):
        self.assertEqual(done.returncode, 69, done.stderr)
        for words in said:
            self.assertIn(words, done.stderr)

    def check_lacks(self, done, resource, right):
        on = {"group": "consumer group"}.get(resource[0], resource[0])
        self.check_refused(done, self.broker.settings.bootstrap_sasl, self.resource(resource)[1],
                           f"user '{tls.USER}' needs the right (ACL) {right} on the {on}")


class Logins(Rights):
    def check_all_refused(self, *said):
        self.check_refused(self.run_to_end(), *said)
        self.check_refused(self.weir("topic", "tail"), *said)

    def test_a_wrong_password(self):
        for mechanism in ("SCRAM-SHA-512", "PLAIN"):
            self.file = self.write(password="wrong", **{"sasl.mechanism": mechanism})
            self.check_all_refused(f"{self.broker.settings.bootstrap_sasl} as user '{tls.USER}'", "sasl.password")

    def test_a_mechanism_that_the_broker_has_not(self):
        self.file = self.write(**{"sasl.mechanism": "SCRAM-SHA-256"})
        self.check_all_refused("SCRAM-SHA-512,PLAIN", "sasl.mechanism")

    def test_another_authority_and_no_tls(self):
        self.file = self.write(**{"ssl.ca.location": tls.folder(self.broker.settings) / "client.pem"})
        self.check_all_refused("certificate", "ssl.ca.location")
        self.file = self.write(log=f"kafka://{self.plain}")
        self.check_all_refused(self.plain, "whether the listener at this address speaks TLS")
        self.file = self.write(**{"security.protocol": "PLAINTEXT"})
        self.check_refused(self.run_to_end(), self.broker.settings.bootstrap_sasl, "security.protocol")

    def test_a_broker_that_is_not_there(self):
        self.file = self.write(log="kafka://127.0.0.1:1")
        self.check_all_refused("127.0.0.1:1", "refused", "is the broker running")


class Missing(Rights):
    def test_each_right_that_run_needs(self):
        for resource, rights in documented().items():
            for right in rights:
                with self.subTest(resource=resource, right=right):
                    self.fresh_pipeline()
                    if right != "Create":
                        self.make_topic()
                    self.grant_all_but(resource, right)
                    done = self.run_to_end()
                    if (resource, right) == (INTERNAL, "Write"):  # known before there is any letter
                        self.assertIn(f"{self.name}-dead-letters", done.stderr)
                    self.check_lacks(done, resource, "Describe" if (resource, right) == (TOPIC, "Read") else right)

    def test_a_changelog_that_may_only_be_written(self):
        """Without a look at it, this would show at the second start, with state that nobody can go on with."""
        self.make_topic()
        rights = documented()
        internal = rights.pop(INTERNAL)
        changelog = ("topic", "PIPELINE-changelog", False)
        others = {("topic", f"PIPELINE-{of}", False): internal for of in ("dead-letters", "feeds", "partials")}
        self.grant({**rights, **others, changelog: [one for one in internal if one != "Read"]})
        self.check_lacks(self.run_to_end(), changelog, "Read")

    def test_a_topic_that_is_missing(self):
        self.grant({TOPIC: ["Read", "DescribeConfigs"]})
        for verb in ("tail", "describe"):
            done = self.weir("topic", verb)
            self.assertEqual(done.returncode, 65)
            self.assertIn(f"there is no topic '{self.topic}'", done.stderr)

    def test_verbs_without_any_right(self):
        for verb in ("tail", "describe"):
            self.check_lacks(self.weir("topic", verb), TOPIC, "Describe")
        self.check_lacks(self.weir("topic", "create"), TOPIC, "Create")
        self.check_lacks(self.weir("produce", "--limit", "9"), TOPIC, "Create")
        for verb in (("dead", "list"), ("dead", "replay")):
            self.check_lacks(self.weir(*verb), INTERNAL, "Describe")
        self.check_lacks(self.weir("reset"), ("group", "PIPELINE", False), "Read")  # who may not see a group does not know that nobody runs

    def test_a_right_that_is_taken_away(self):
        self.make_topic()
        self.grant(documented())
        run = runs.Run(self, self.file, data=self.data)
        cluster.eventually(lambda: sum(expected.committed(self.plain, self.name, self.topic, PARTITIONS)) >= EVENTS, SECONDS)
        kind, name, pattern = self.resource(INTERNAL)
        write = AclBindingFilter(kind, name, pattern, None, None, AclOperation.WRITE, AclPermissionType.ANY)
        for gone in self.admin.delete_acls([write]).values():
            gone.result(30)
        self.fill()
        self.assertEqual(run.process.wait(SECONDS), 69)
        self.assertIn(f"user '{tls.USER}' needs the right (ACL) Write on the topic", run.log)
        self.assertIn(f"cannot append to topic '{self.name}-", run.log)


class Enough(Rights):
    def check_rows(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = expected.metrics(expected.read(self.plain, self.topic))
        summary = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(summary["records"], answer.records)
        self.assertEqual(expected.wrong_letters(expected.letters(self.plain, self.name), answer.letters), "")
        for table, wanted in answer.tables.items():
            found = runs.weir("query", self.file, table, "--data", self.data, "--format", "csv")
            self.assertEqual(found.returncode, 0, found.stderr)
            self.assertEqual(expected.differences(wanted, expected.csv_rows(found.stdout, table)), "", table)
        self.assertGreater(answer.records, 0)
        self.assertGreater(sum(answer.letters.values()), 0)

    def test_what_the_documentation_names(self):
        self.grant(documented())
        self.assertEqual(self.weir("topic", "create").returncode, 0)
        for _ in range(2):  # the second time there is state to go on with
            self.fill()
            self.check_rows(self.run_to_end())
        for verb in (("topic", "describe"), ("topic", "tail"), ("dead", "list")):
            self.assertEqual(self.weir(*verb).returncode, 0, verb)

    def test_no_right_to_make_topics_where_they_are(self):
        self.make_topic()
        self.file = self.write(log=f"kafka://{self.plain}", **{"security.protocol": "PLAINTEXT"})
        self.check_rows(self.run_to_end())
        self.file = self.write()
        self.grant({resource: [right for right in rights if right != "Create"] for resource, rights in documented().items()})
        self.fill()
        self.check_rows(self.run_to_end())

    def test_feeds_retention_and_starting_over(self):
        self.grant(documented())
        self.assertEqual(self.weir("topic", "create").returncode, 0)
        produce, reset = ("produce", "--limit", "300"), ("reset",)
        self.check_lacks(self.weir(*produce), TOPIC, "Write")
        self.grant({TOPIC: ["Write"]})
        self.assertEqual(self.weir(*produce).returncode, 0)
        self.assertEqual(self.run_to_end().returncode, 0)
        self.check_lacks(self.weir(*reset), INTERNAL, "DescribeConfigs")
        self.grant({INTERNAL: ["DescribeConfigs"]})
        self.check_lacks(self.weir(*reset), INTERNAL, "Delete")
        self.grant({INTERNAL: ["Delete"]})
        self.assertEqual(self.weir(*reset).returncode, 0)
        self.assertEqual(self.run_to_end().returncode, 0)
        self.file.write_text(self.file.read_text().replace("retention: 750 hours", "retention: 751 hours"))
        self.check_lacks(self.run_to_end(), TOPIC, "AlterConfigs")
        self.grant({TOPIC: ["AlterConfigs"]})
        self.assertEqual(self.run_to_end().returncode, 0)


if __name__ == "__main__":
    cluster.main()
