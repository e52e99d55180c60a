// SPDX-License-Identifier: Apache-2.0
// What a request's target, a page's cursor and a token are read from. The first byte chooses.
#include "base/error.h"
#include "base/memory.h"
#include "http/inside.h"
#include <stdlib.h>

static void decode(struct weir_str text)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_str out;
    for (int plus = 0; plus < 2; plus++)
        if (http_decode(text, plus, &arena, &out))
            weir_assert(out.bytes <= text.bytes && memchr(out.data, 0, out.bytes) == NULL);
}

// What is a cursor is written the same way again.
static void read_cursor(struct weir_str text)
{
    static struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"t", WEIR_CQL_BIGINT}, {"v", WEIR_CQL_DOUBLE}};
    static uint32_t partition[] = {0};
    static struct weir_clustering clustering[] = {{1, true}, {2, false}};
    static const struct weir_table table = {.name = "t",
                                            .column_count = 3,
                                            .columns = columns,
                                            .partition_count = 1,
                                            .partition = partition,
                                            .clustering_count = 2,
                                            .clustering = clustering};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_cleanup(weir_buffer_drop) struct weir_buffer again = {0};
    struct weir_value key[3], back[3];
    if (http_cursor_parse(text, 0, &table, &arena, key) < 0)
        return;
    http_cursor_add(&again, 0, &table, key);
    weir_assert(http_cursor_parse(weir_buffer_view(&again), 0, &table, &arena, back) == 0);
}

static void read_token(struct weir_str text)
{
    static const struct weir_http_spec spec = {.jwt_issuer = "i", .jwt_audience = "a", .jwt_keys = WEIR_SOURCE_DIR "/test/fuzz/corpus/http/keys.pem"};
    static struct http_keys *keys;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_error err;
    struct http_claims claims;
    const char *why;
    if (!keys)
        weir_assert(http_keys_open(spec.jwt_keys, &keys, &err) == 0);
    weir_assert(http_jwt_verify(keys, &spec, text, &arena, &claims, &why) < 0); // nobody has signed it
}

static void route(struct weir_str text)
{
    struct weir_http api = {.site = &http_api}, registry = {.site = &http_registry};
    struct http_request *r = weir_zalloc(1, sizeof *r);
    r->http = text.bytes % 2 ? &api : &registry;
    r->uri = weir_format("%.*s", (int)text.bytes, text.data);
    r->method = "GET";
    int rc = http_request_parse(r);
    weir_assert(rc == 0 ? r->route != NULL : r->reply.status >= 400);
    weir_buffer_drop(&r->reply.body);
    weir_arena_drop(&r->arena);
    free(r->uri);
    free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct weir_str) = {decode, read_cursor, read_token, route};
    if (size == 0)
        return 0;
    readers[data[0] % 4]((struct weir_str){(const char *)data + 1, (uint32_t)size - 1});
    return 0;
}
