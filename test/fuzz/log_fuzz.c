// SPDX-License-Identifier: Apache-2.0
// Record batches: any bytes; and any bytes behind a header that says they are well.
#include "base/hash.h"
#include "log/record.h"

#include <stdlib.h>

static void read_batches(const uint8_t *data, size_t size)
{
    struct weir_error err;
    struct weir_batch_info info;
    struct weir_str left = {(const char *)data, (uint32_t)size};
    while (left.bytes && weir_batch_verify(left, &info, &err) == 0) {
        struct weir_batch_walk walk;
        struct weir_record record;
        int32_t records = 0;
        uint64_t sum = 0;
        weir_batch_walk_begin(&walk, left);
        while (weir_batch_walk_next(&walk, &record) > 0) {
            records++;
            sum = weir_hash64(record.key.data, record.key.bytes, weir_hash64(record.value.data, record.value.bytes, sum));
        }
        weir_assert(records <= info.count);
        left.data += info.total_bytes;
        left.bytes -= info.total_bytes;
    }
}

static void put32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { AT_LENGTH = 8, AFTER_LENGTH = 12, AT_MAGIC = 16, AT_CRC = 17, AFTER_CRC = 21 };
    read_batches(data, size);
    if (size < WEIR_BATCH_HEADER_BYTES)
        return 0;
    uint8_t *mended = malloc(size);
    memcpy(mended, data, size);
    put32(mended + AT_LENGTH, (uint32_t)size - AFTER_LENGTH);
    mended[AT_MAGIC] = 2;
    put32(mended + AT_CRC, weir_crc32c(0, mended + AFTER_CRC, size - AFTER_CRC));
    read_batches(mended, size);
    free(mended);
    return 0;
}
