// SPDX-License-Identifier: Apache-2.0
// Answers questions about Cassandra's wire format for cql_test.py: a line each way, words parted by blanks, bytes in hexadecimal ("-": none).
//   token VALUE… (of several: of a key of several columns) | key VALUE… | bind TYPE TEXT | cell TYPE BYTES
//   envelope VERSION LZ4 STREAM OPCODE BODY | segments LZ4 ENVELOPES | decode VERSION SEGMENTED LZ4 STREAM → flags:stream:opcode:body …
//   query|execute|batch VERSION WHAT METADATA_ID ROWS CONSISTENCY SERIAL TIMESTAMP PAGE_ROWS PAGING_STATE COUNT VALUES SKIP
//   prepare VERSION TEXT | startup LZ4 THROW NAME | register EVENTS | auth USER PASSWORD → body
//   asked VERSION OPCODE BODY | result VERSION BODY | failure VERSION BODY → name=value …
#include "cql/cql.h"
#include "cql/message.h"
#include <stdio.h>
#include <stdlib.h>

static struct weir_buffer words[64]; // of the line, unpacked where it is hexadecimal
static struct weir_arena arena;

static void print_hex(struct weir_str s)
{
    if (s.bytes == 0)
        printf("-");
    for (uint32_t i = 0; i < s.bytes; i++)
        printf("%02x", (uint8_t)s.data[i]);
}

static void print_field(const char *name, struct weir_str s)
{
    printf(" %s=", name);
    print_hex(s);
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct weir_str unpacked(const char *word, int slot)
{
    struct weir_buffer *b = &words[slot];
    b->bytes = 0;
    for (; *word && *word != '-'; word += 2)
        weir_buffer_byte(b, (uint8_t)(digit(word[0]) << 4 | digit(word[1])));
    return weir_buffer_view(b);
}

static long long number(const char *word)
{
    return strtoll(word, NULL, 10);
}

static void bind(const char *type, const char *text)
{
    struct weir_buffer b = {0};
    int wrong = 0;
    if (strcmp(type, "null") == 0)
        cql_bind_null(&b);
    else if (strcmp(type, "unset") == 0)
        cql_bind_unset(&b);
    else if (strcmp(type, "boolean") == 0)
        cql_bind_boolean(&b, number(text) != 0);
    else if (strcmp(type, "int") == 0)
        cql_bind_int(&b, (int32_t)number(text));
    else if (strcmp(type, "bigint") == 0)
        cql_bind_bigint(&b, number(text));
    else if (strcmp(type, "float") == 0)
        cql_bind_float(&b, strtof(text, NULL));
    else if (strcmp(type, "double") == 0)
        cql_bind_double(&b, strtod(text, NULL));
    else if (strcmp(type, "uuid") == 0)
        wrong = cql_bind_uuid(&b, weir_str_of(text));
    else
        cql_bind_text(&b, unpacked(text, 0));
    if (wrong)
        printf("refused");
    else
        print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void cell(const char *type, struct weir_str bytes)
{
    bool yes;
    int32_t i32;
    int64_t i64;
    float f;
    double d;
    char text[46];
    if (strcmp(type, "boolean") == 0 && cql_cell_boolean(bytes, &yes))
        printf("%d", yes);
    else if (strcmp(type, "int") == 0 && cql_cell_int(bytes, &i32))
        printf("%d", i32);
    else if (strcmp(type, "bigint") == 0 && cql_cell_bigint(bytes, &i64))
        printf("%lld", (long long)i64);
    else if (strcmp(type, "float") == 0 && cql_cell_float(bytes, &f))
        printf("%a", (double)f);
    else if (strcmp(type, "double") == 0 && cql_cell_double(bytes, &d))
        printf("%a", d);
    else if (strcmp(type, "uuid") == 0 && cql_cell_uuid(bytes, text))
        printf("%s", text);
    else if (strcmp(type, "inet") == 0 && cql_cell_inet(bytes, text))
        printf("%s", text);
    else
        printf("refused");
}

static void put_key(struct weir_buffer *b, char **word, int count)
{
    for (int i = 1; i < count; i++)
        cql_key_component(b, unpacked(word[i], i));
}

static void key(char **word, int count)
{
    struct weir_buffer b = {0};
    put_key(&b, word, count);
    print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void token(char **word, int count)
{
    struct weir_buffer b = {0};
    if (count > 2)
        put_key(&b, word, count);
    printf("%lld", (long long)cql_token(count > 2 ? weir_buffer_view(&b) : unpacked(word[1], 1)));
    weir_buffer_drop(&b);
}

static void envelope(char **word)
{
    struct weir_buffer b = {0};
    struct weir_str body = unpacked(word[5], 5);
    size_t start = cql_envelope_begin(&b, (enum cql_version)number(word[1]), false, 0, (int16_t)number(word[3]), (enum cql_opcode)number(word[4]));
    weir_buffer_add(&b, body.data, body.bytes);
    cql_envelope_end(&b, start, number(word[2]));
    print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void segments(char **word)
{
    struct weir_buffer b = {0};
    cql_segments_put(&b, unpacked(word[2], 2), number(word[1]));
    print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void decode(char **word)
{
    struct cql_decoder d;
    struct cql_header h;
    struct weir_str stream = unpacked(word[4], 4), body;
    struct weir_error err;
    int found;
    cql_decoder_init(&d);
    d.version = (enum cql_version)number(word[1]);
    d.segmented = number(word[2]);
    d.lz4 = number(word[3]);
    memcpy(cql_decoder_room(&d, stream.bytes), stream.data, stream.bytes);
    cql_decoder_came(&d, stream.bytes);
    while ((found = cql_decoder_next(&d, &h, &body, &err)) > 0) {
        printf("%d:%d:%d:", h.flags, h.stream, h.opcode);
        print_hex(body);
        printf(" ");
    }
    printf("%s", found < 0 ? err.text : d.taken == d.received.bytes && d.given == d.payload.bytes ? "end" : "rest");
    cql_decoder_drop(&d);
}

static struct cql_parameters parameters(char **word)
{
    struct cql_parameters p = {.consistency = (enum cql_consistency)number(word[5]),
                               .has_serial = strcmp(word[6], "-") != 0,
                               .serial = (enum cql_consistency)number(word[6]),
                               .has_timestamp = strcmp(word[7], "-") != 0,
                               .timestamp_us = number(word[7]),
                               .page_rows = (int32_t)number(word[8]),
                               .paging_state = unpacked(word[9], 9),
                               .value_count = (uint16_t)number(word[10]),
                               .values = unpacked(word[11], 11),
                               .skip_metadata = number(word[12])};
    return p;
}

static void statement(char **word)
{
    struct weir_buffer b = {0};
    enum cql_version version = (enum cql_version)number(word[1]);
    struct weir_str what = unpacked(word[2], 2), metadata_id = unpacked(word[3], 3);
    struct cql_parameters p = parameters(word);
    if (strcmp(word[0], "query") == 0)
        cql_put_query(&b, version, what, &p);
    else if (strcmp(word[0], "execute") == 0)
        cql_put_execute(&b, version, what, metadata_id, &p);
    else
        cql_put_batch(&b, version, what, (uint16_t)number(word[4]), &p);
    print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void simple(char **word)
{
    struct weir_buffer b = {0};
    if (strcmp(word[0], "prepare") == 0)
        cql_put_prepare(&b, (enum cql_version)number(word[1]), unpacked(word[2], 2));
    else if (strcmp(word[0], "startup") == 0)
        cql_put_startup(&b, &(struct cql_startup){.lz4 = number(word[1]), .throw_on_overload = number(word[2]), .driver_name = unpacked(word[3], 3)});
    else if (strcmp(word[0], "register") == 0)
        cql_put_register(&b, (unsigned)number(word[1]));
    else
        cql_put_auth_response(&b, unpacked(word[1], 1), unpacked(word[2], 2));
    print_hex(weir_buffer_view(&b));
    weir_buffer_drop(&b);
}

static void print_parameters(const struct cql_parameters *p)
{
    printf(" consistency=%d serial=%d timestamp=%lld page_rows=%d count=%d skip=%d", p->consistency, p->has_serial ? (int)p->serial : -1,
           p->has_timestamp ? (long long)p->timestamp_us : -1, p->page_rows, p->value_count, p->skip_metadata);
    print_field("values", p->values);
    print_field("paging_state", p->paging_state);
    print_field("keyspace", p->keyspace);
}

static void asked(char **word)
{
    struct cql_header h = {.version = (uint8_t)number(word[1]), .opcode = (enum cql_opcode)number(word[2])};
    struct cql_asked a;
    struct cql_asked_row row;
    struct weir_error err;
    if (cql_request_parse(&h, unpacked(word[3], 3), &a, &err) < 0) {
        printf("%s", err.text);
        return;
    }
    printf("opcode=%d events=%u rows=%d type=%d lz4=%d throw=%d", a.opcode, a.events, a.rows, a.batch_type, a.startup.lz4,
           a.startup.throw_on_overload);
    print_field("text", a.text);
    print_field("id", a.id);
    print_field("metadata_id", a.metadata_id);
    print_field("token", a.token);
    print_parameters(&a.parameters);
    for (int i = 0; cql_asked_row(&a, &row); i++) {
        printf(" row%d_count=%d", i, row.value_count);
        print_field("row_text", row.text);
        print_field("row_id", row.id);
        print_field("row_values", row.values);
    }
}

static void print_metadata(const char *what, const struct cql_metadata *m)
{
    printf(" %s_columns=%u", what, m->count);
    print_field("paging_state", m->paging_state);
    print_field("new_id", m->new_id);
    for (uint32_t i = 0; m->columns && i < m->count; i++) {
        print_field("keyspace", m->columns[i].keyspace);
        print_field("table", m->columns[i].table);
        print_field("name", m->columns[i].name);
        printf(" type=%s", cql_type_name(m->columns[i].type));
    }
    for (uint32_t i = 0; i < m->key_count; i++)
        printf(" key=%d", m->key_values[i]);
}

static void print_rows(const struct cql_result *r)
{
    struct cql_rows rows;
    struct cql_cell cells[64];
    cql_rows_begin(r, &rows);
    while (cql_rows_next(&rows, cells) > 0) {
        printf(" row");
        for (uint32_t i = 0; i < cql_result_columns(r); i++) {
            if (cells[i].null)
                printf(" cell=null");
            else
                print_field("cell", cells[i].bytes);
        }
    }
}

static void result(char **word)
{
    struct cql_result r, *kept;
    struct weir_error err;
    weir_arena_reset(&arena);
    if (cql_result_parse(cql_cursor(unpacked(word[2], 2)), (enum cql_version)number(word[1]), NULL, &arena, &r, &err) < 0) {
        printf("%s", err.text);
        return;
    }
    kept = cql_result_keep(&r);
    words[2].bytes = 0; // the copy stands for itself
    weir_arena_reset(&arena);
    printf("kind=%d", kept->kind);
    print_field("keyspace", kept->keyspace);
    print_field("id", kept->id);
    print_field("metadata_id", kept->metadata_id);
    print_field("change", kept->change.change);
    print_field("target", kept->change.target);
    print_field("change_keyspace", kept->change.keyspace);
    print_field("change_name", kept->change.name);
    print_metadata("result", &kept->metadata);
    print_metadata("bind", &kept->values);
    print_rows(kept);
    cql_result_free(kept);
}

static void failure(char **word)
{
    struct cql_failure f;
    struct weir_error err;
    if (cql_failure_parse(cql_cursor(unpacked(word[2], 2)), (enum cql_version)number(word[1]), &f, &err) < 0) {
        printf("%s", err.text);
        return;
    }
    printf("code=%d consistency=%d required=%d received=%d failures=%d data=%d", f.code, f.consistency, f.required, f.received, f.failures,
           f.data_present);
    print_field("text", f.text);
    print_field("write_type", f.write_type);
    print_field("keyspace", f.keyspace);
    print_field("name", f.name);
    print_field("id", f.statement_id);
}

static void answer(char **word, int count)
{
    const char *what = word[0];
    if (strcmp(what, "token") == 0)
        token(word, count);
    else if (strcmp(what, "key") == 0)
        key(word, count);
    else if (strcmp(what, "bind") == 0)
        bind(word[1], word[2]);
    else if (strcmp(what, "cell") == 0)
        cell(word[1], unpacked(word[2], 2));
    else if (strcmp(what, "envelope") == 0)
        envelope(word);
    else if (strcmp(what, "segments") == 0)
        segments(word);
    else if (strcmp(what, "decode") == 0)
        decode(word);
    else if (strcmp(what, "asked") == 0)
        asked(word);
    else if (strcmp(what, "result") == 0)
        result(word);
    else if (strcmp(what, "failure") == 0)
        failure(word);
    else if (count == 13)
        statement(word);
    else
        simple(word);
    printf("\n");
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        char *word[64], *at = line, *next;
        int count = 0;
        while (count < 64 && (next = strsep(&at, " \n")))
            if (*next)
                word[count++] = next;
        if (count)
            answer(word, count);
    }
    free(line);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        weir_buffer_drop(&words[i]);
    weir_arena_drop(&arena);
    return 0;
}
