# SPDX-License-Identifier: Apache-2.0
"""Real Kafka, Cassandra and a schema registry on loopback addresses, for tests and for trying things. scripts/cluster is their command line."""
