// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"
#include "cql/wire.h"

enum { UUID_BYTES = 16 };

int cql_bind_uuid(struct weir_buffer *b, struct weir_str text)
{
    uint8_t *at = cql_room(b, 4 + UUID_BYTES);
    if (weir_uuid_parse(text, at + 4) < 0)
        return -1;
    cql_store32(at, UUID_BYTES);
    b->bytes += 4 + UUID_BYTES;
    return 0;
}
