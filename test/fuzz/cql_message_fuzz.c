// SPDX-License-Identifier: Apache-2.0
// Any bytes as the body of any message of Cassandra's protocol: requests as a server reads them, responses as a client does, types and cells. The first
// byte is the opcode, the second the header's flags, the third the version.
#include "cql/cql.h"
#include "cql/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cell(struct weir_str cell)
{
    union {
        bool yes;
        int32_t i32;
        int64_t i64;
        float f;
        double d;
        char text[46];
    } out;
    struct weir_cursor c;
    struct weir_str item;
    int32_t count;
    cql_cell_boolean(cell, &out.yes);
    cql_cell_int(cell, &out.i32);
    cql_cell_bigint(cell, &out.i64);
    cql_cell_float(cell, &out.f);
    cql_cell_double(cell, &out.d);
    cql_cell_uuid(cell, out.text);
    cql_cell_inet(cell, out.text);
    if (cql_cell_list(cell, &c, &count))
        for (; count > 0 && !c.bad; count--)
            cql_take_bytes(&c, &item);
}

static void read_rows(const struct cql_result *r)
{
    struct cql_rows rows;
    struct weir_arena cells_arena = {0};
    struct cql_cell *cells = weir_arena_alloc(&cells_arena, sizeof *cells * cql_result_columns(r));
    uint32_t count = 0;
    int found;
    for (uint32_t i = 0; i < cql_result_columns(r); i++)
        weir_assert(cql_result_column_name(r, i).data && cql_type_name(cql_result_column_type(r, i)));
    cql_rows_begin(r, &rows);
    while ((found = cql_rows_next(&rows, cells)) > 0) {
        count++;
        for (uint32_t i = 0; i < cql_result_columns(r); i++)
            if (!cells[i].null)
                read_cell(cells[i].bytes);
    }
    weir_assert(found == 0 && count == cql_result_rows(r)); // damage was found when it was parsed
    weir_arena_drop(&cells_arena);
}

static void read_result(struct weir_cursor body, enum cql_version version)
{
    static const struct cql_column column = {{"k", 1}, {"t", 1}, {"c", 1}, CQL_INT};
    static const struct cql_metadata one = {.count = 1, .columns = &column};
    struct weir_arena arena = {0};
    struct weir_error err;
    struct cql_result r;
    if (cql_result_parse(body, version, &one, &arena, &r, &err) == 0) {
        struct cql_result *kept = cql_result_keep(&r);
        read_rows(&r);
        read_rows(kept);
        cql_result_free(kept);
    }
    weir_arena_drop(&arena);
}

static void read_response(const struct cql_header *h, struct weir_str bytes)
{
    struct cql_response r;
    struct cql_failure failure;
    struct cql_event event;
    struct weir_error err;
    struct weir_str class;
    char line[256];
    if (cql_response_open(h, bytes, &r, &err) < 0)
        return;
    for (unsigned i = 0; i < r.warning_count; i++)
        cql_take_string(&r.warnings);
    weir_assert(!r.warnings.bad);
    read_result(r.body, (enum cql_version)h->version);
    if (cql_failure_parse(r.body, (enum cql_version)h->version, &failure, &err) == 0)
        cql_failure_format(&failure, line, sizeof line);
    cql_event_parse(r.body, &event, &err);
    cql_supported_has(r.body, "COMPRESSION", "lz4");
    cql_authenticate_parse(r.body, &class, &err);
    struct weir_cursor type = r.body;
    cql_take_type(&type);
    read_cell(bytes);
}

static void read_request(const struct cql_header *h, struct weir_str bytes)
{
    struct cql_asked asked;
    struct cql_asked_row row;
    struct weir_error err;
    if (cql_request_parse(h, bytes, &asked, &err) < 0)
        return;
    unsigned rows = asked.rows, seen = 0;
    while (cql_asked_row(&asked, &row))
        seen++;
    weir_assert(seen == rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct cql_header h = {.opcode = (enum cql_opcode)(data[0] & 0x1f), .flags = data[1], .version = data[2] & 1 ? CQL_V5 : CQL_V4};
    struct weir_str body = {(const char *)data + 3, (uint32_t)size - 3};
    read_request(&h, body);
    h.response = true;
    read_response(&h, body);
    return 0;
}
