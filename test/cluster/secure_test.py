#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
# needs: cassandra kafka
"""Engines that ask who one is: own ones, by other people's clients."""
import ssl

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import NoHostAvailable
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

import cluster
from engines import tls


class Secure(cluster.Case):
    @classmethod
    def setUpClass(cls):
        cls.ring, cls.broker = cls.enterClassContext(cluster.own("cassandra", "kafka", nodes=1, secure=True))
        cls.ca = str(tls.folder(cls.ring.settings) / "ca.pem")

    def connect(self, password, encrypted=True):
        context = ssl.create_default_context(cafile=self.ca) if encrypted else None
        session = cluster.connect(self.ring.settings.address(1), auth_provider=PlainTextAuthProvider("cassandra", password), ssl_context=context,
                                  ssl_options={"server_hostname": "localhost"} if encrypted else None)
        self.addCleanup(session.cluster.shutdown)
        return session

    def test_cassandra(self):
        cluster.eventually(self.logged_in, 60, 1)
        with self.assertRaisesRegex(NoHostAvailable, "credentials|password"):
            self.connect("wrong")
        with self.assertRaises(NoHostAvailable):
            self.connect("cassandra", encrypted=False)

    def logged_in(self):
        try:
            return self.connect("cassandra").execute("SELECT release_version FROM system.local").one()
        except NoHostAvailable:
            return None

    def topics(self, mechanism, password):
        return AdminClient({"bootstrap.servers": self.broker.settings.bootstrap_sasl, "security.protocol": "SASL_SSL", "sasl.mechanisms": mechanism,
                            "sasl.username": tls.USER, "sasl.password": password, "ssl.ca.location": self.ca, "log_level": 0}).list_topics(timeout=10)

    def test_kafka(self):
        for mechanism in ("PLAIN", "SCRAM-SHA-512"):
            self.assertEqual(len(self.topics(mechanism, tls.SECRET).brokers), 1)
            with self.assertRaises(KafkaException):
                self.topics(mechanism, "wrong")


if __name__ == "__main__":
    cluster.main()
