// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_events.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/uuid.h"
#include "cli/shipped.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 1024 };

static const int64_t first_ms = 1700000000000 / 3600000 * 3600000;

int bench_world_open(struct bench_world *w, const char *pipeline, struct weir_error *err)
{
    *w = (struct bench_world){.dir = "/tmp/weir-bench-XXXXXX"};
    if (!mkdtemp(w->dir))
        return weir_fail(err, WEIR_IO, WEIR_STOP, "%s: %s", w->dir, strerror(errno));
    weir_cleanup(weir_freep) char *file = weir_format("%s/bench.yaml", w->dir);
    weir_cleanup(weir_freep) char *data = weir_format("%s/data", w->dir);
    struct weir_overrides overrides = {.data_dir = data};
    if (shipped_write(w->dir, err) < 0)
        return -1;
    if (!pipeline)
        return 0;
    if (weir_plan_parse(file, weir_str_of(pipeline), &overrides, stderr, false, &w->plan, err) < 0 ||
        weir_embedded_open(data, WEIR_OWNER, &w->db, err) < 0)
        return -1;
    return weir_registry_embedded(w->db, &w->registry, err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void bench_world_close(struct bench_world *w)
{
    weir_registry_close(w->registry);
    weir_embedded_close(w->db);
    weir_plan_free(w->plan);
    nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t scatter(uint64_t i)
{
    return weir_hash64(&i, sizeof i, 1);
}

static int make_events(struct bench_events *e, const struct bench_world *w, uint64_t count,
                       int (*make)(struct weir_encoder *encoder, const void *context, uint64_t i, struct weir_buffer *out, struct weir_error *err),
                       const void *context, struct weir_error *err)
{
    *e = (struct bench_events){.count = count, .lengths = weir_zalloc(count, sizeof *e->lengths)};
    struct weir_encoder *encoder;
    if (weir_encoder_new(w->plan, w->registry, &encoder, err) < 0)
        return -1;
    int result = 0;
    for (uint64_t i = 0; i < count && result == 0; i++) {
        size_t before = e->bytes.bytes;
        result = make(encoder, context, i, &e->bytes, err);
        e->lengths[i] = (uint32_t)(e->bytes.bytes - before);
    }
    weir_encoder_free(encoder);
    return result;
}

struct fleet {
    uint32_t devices, groups;
    uint64_t count;
    int64_t span_ms;
};

static int64_t time_of(const struct fleet *fleet, uint64_t i)
{
    return first_ms + (int64_t)((double)i / (double)fleet->count * (double)fleet->span_ms);
}

static int make_sensor_event(struct weir_encoder *encoder, const void *context, uint64_t i, struct weir_buffer *out, struct weir_error *err)
{
    const struct fleet *fleet = context;
    uint64_t device = scatter(i) % fleet->devices, id[2] = {scatter(device * 2 + 1), scatter(device * 2 + 2)};
    char uuid[37], name[32];
    weir_uuid_format((const uint8_t *)id, uuid);
    snprintf(name, sizeof name, "sensor-%llu", (unsigned long long)device);
    const struct weir_value values[] = {
        {.kind = WEIR_STRS, .str = weir_str_of(uuid)},
        {.kind = WEIR_STRS, .str = weir_str_of(name)},
        {.kind = WEIR_I64, .i64 = time_of(fleet, i)},
        {.kind = WEIR_F64, .f64 = (float)(15 + (double)(scatter(~i) % 20000) / 1000)},
        {.kind = WEIR_F64, .f64 = (float)(30 + (double)(scatter(~i) % 60000) / 1000)},
        {.kind = WEIR_STRS, .str = WEIR_STR("Roma")},
    };
    return weir_encode(encoder, values, out, err);
}

int bench_events_make(struct bench_events *e, const struct bench_world *w, uint32_t devices, uint64_t count, int64_t span_ms, struct weir_error *err)
{
    return make_events(e, w, count, make_sensor_event, &(struct fleet){devices, 0, count, span_ms}, err);
}

static int make_meter_event(struct weir_encoder *encoder, const void *context, uint64_t i, struct weir_buffer *out, struct weir_error *err)
{
    static const char *const types[] = {"THERM", "HEARTRATE", "FUEL"};
    const struct fleet *fleet = context;
    uint64_t device = scatter(i) % fleet->devices;
    char id[32], group[32];
    snprintf(id, sizeof id, "device-%llu", (unsigned long long)device);
    snprintf(group, sizeof group, "group-%llu", (unsigned long long)(device % fleet->groups));
    const struct weir_value values[] = {
        {.kind = WEIR_STRS, .str = weir_str_of(group)},
        {.kind = WEIR_STRS, .str = weir_str_of(id)},
        {.kind = WEIR_STRS, .str = weir_str_of(types[device % 3])},
        {.kind = WEIR_I64, .i64 = time_of(fleet, i)},
        {.kind = WEIR_F64, .f64 = (double)(1000 + scatter(~i) % 9000) / 100},
    };
    return weir_encode(encoder, values, out, err);
}

int bench_meters_make(struct bench_events *e, const struct bench_world *w, uint32_t devices, uint32_t groups, uint64_t count, int64_t span_ms,
                      struct weir_error *err)
{
    return make_events(e, w, count, make_meter_event, &(struct fleet){devices, groups, count, span_ms}, err);
}

void bench_events_drop(struct bench_events *e)
{
    weir_buffer_drop(&e->bytes);
    free(e->lengths);
}

int bench_pass(const struct bench_events *events, struct weir_decoder *decoder, struct weir_core *core, double *ret_seconds, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_rejects rejects = {0};
    struct weir_record records[CHUNK];
    int64_t begun_us = weir_monotonic_us();
    const char *at = (const char *)events->bytes.data;
    for (uint64_t done = 0; done < events->count;) {
        uint32_t n = 0;
        for (; n < CHUNK && done + n < events->count; n++) {
            uint32_t bytes = events->lengths[done + n];
            records[n] = (struct weir_record){.offset = (int64_t)(done + n), .value = {at, bytes}, .null_key = true};
            at += bytes;
        }
        struct weir_batch batch;
        weir_arena_reset(&arena);
        if (weir_decode(decoder, records, n, &arena, &batch, &rejects, err) < 0)
            return -1;
        done += n;
        if (core && weir_core_apply(core, &batch, (int64_t)done, err) < 0)
            return -1;
    }
    *ret_seconds = (double)(weir_monotonic_us() - begun_us) / 1e6;
    weir_assert(rejects.count == 0);
    free(rejects.items);
    return 0;
}
