// SPDX-License-Identifier: Apache-2.0
// Any text as an Avro schema.
#include "avro/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena arena = {0};
    const struct weir_avro_schema *schema;
    json_t *json = NULL;
    struct weir_error err;
    if (size <= 1 << 16 && weir_avro_parse((struct weir_str){(const char *)data, (uint32_t)size}, &arena, &schema, &json, &err) == 0)
        weir_assert(weir_avro_kind_name(schema->kind));
    weir_arena_drop(&arena);
    json_decref(json);
    return 0;
}
