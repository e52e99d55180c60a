// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t weir_hash64(const void *data, size_t bytes, uint64_t seed); // fast, not cryptographic; differs between machines of other endianness
uint32_t weir_crc32c(uint32_t crc, const void *data, size_t bytes);  // Castagnoli (RFC 3720), as Kafka's record batches; start with 0
int32_t weir_murmur2(const void *data, size_t bytes);                // as org.apache.kafka.common.utils.Utils.murmur2
int32_t weir_kafka_partition(const void *key, size_t bytes, int32_t partitions); // Kafka's default partitioner for a key
