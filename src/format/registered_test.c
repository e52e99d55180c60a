// SPDX-License-Identifier: Apache-2.0
// Encoder and decoder through the real registry: what one registers, the other finds.
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/avro_event.h"
#include "format/format.h"

struct bed {
    char dir[32];
    struct weir_embedded *db;
    struct weir_registry *registry;
    struct weir_error err;
};

#define MUST(call, bed)                                                                                                                              \
    do {                                                                                                                                             \
        if ((call) < 0)                                                                                                                              \
            fail_msg("%s", (bed)->err.text);                                                                                                         \
    } while (0)

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void open_bed(struct bed *b)
{
    *b = (struct bed){.dir = "/tmp/weir-format-XXXXXX"};
    assert_non_null(mkdtemp(b->dir));
    MUST(weir_embedded_open(b->dir, WEIR_OWNER, &b->db, &b->err), b);
    MUST(weir_registry_embedded(b->db, &b->registry, &b->err), b);
}

static void close_bed(struct bed *b)
{
    weir_registry_close(b->registry);
    weir_embedded_close(b->db);
    nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct weir_plan plan_of(struct bed *b, const char *schema)
{
    struct weir_plan plan = {.topic = {.name = "readings", .partitions = 1}};
    MUST(avro_event_of(schema, "ts", &plan.arena, &plan.event, &b->err), b);
    return plan;
}

static struct weir_record encode(struct bed *b, const struct weir_plan *plan, const struct weir_value *values, struct weir_buffer *out)
{
    struct weir_encoder *encoder;
    MUST(weir_encoder_new(plan, b->registry, &encoder, &b->err), b);
    MUST(weir_encode(encoder, values, out, &b->err), b);
    weir_encoder_free(encoder);
    return (struct weir_record){.value = weir_buffer_view(out)};
}

static void a_reader_meets_records_of_old_and_new_schemas(void **state)
{
    (void)state;
    static const char old_schema[] = "{\"type\":\"record\",\"name\":\"Reading\",\"fields\":[{\"name\":\"ts\",\"type\":\"long\"}]}";
    static const char new_schema[] = "{\"type\":\"record\",\"name\":\"Reading\",\"fields\":[{\"name\":\"ts\",\"type\":\"long\"},"
                                     "{\"name\":\"battery_level\",\"type\":[\"null\",\"float\"],\"default\":null}]}";
    struct bed b;
    open_bed(&b);
    struct weir_plan plans[] = {plan_of(&b, old_schema), plan_of(&b, new_schema)};
    const struct weir_value values[] = {{.kind = WEIR_I64, .i64 = 7}, {.kind = WEIR_F64, .f64 = 0.5}};
    struct weir_buffer bytes[2] = {{0}};
    struct weir_record records[] = {encode(&b, &plans[0], values, &bytes[0]), encode(&b, &plans[1], values, &bytes[1])};
    assert_memory_not_equal(records[0].value.data, records[1].value.data, 5);
    for (int reader = 0; reader < 2; reader++) {
        struct weir_decoder *decoder;
        struct weir_batch batch;
        struct weir_rejects rejects = {0};
        struct weir_arena arena = {0};
        MUST(weir_decoder_new(&plans[reader], b.registry, &decoder, &b.err), &b);
        MUST(weir_decode(decoder, records, 2, &arena, &batch, &rejects, &b.err), &b);
        assert_int_equal(batch.rows, 2);
        assert_int_equal(batch.time_ms[1], 7);
        if (reader == 1) {
            assert_true(weir_column_is_null(&batch.columns[1], 0));
            assert_true(batch.columns[1].f64[1] == 0.5);
        }
        weir_decoder_free(decoder);
        weir_arena_drop(&arena);
    }
    for (int i = 0; i < 2; i++) {
        weir_buffer_drop(&bytes[i]);
        weir_arena_drop(&plans[i].arena);
    }
    close_bed(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_reader_meets_records_of_old_and_new_schemas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
