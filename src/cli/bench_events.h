// SPDX-License-Identifier: Apache-2.0
// Sensor events for measurements: Avro in Confluent framing, as pipeline A's producers write them.
#pragma once
#include "format/format.h"
#include "query/query.h"

struct bench_world { // a plan and a registry in a folder of its own, which goes with it
    char dir[64];
    struct weir_plan *plan;
    struct weir_embedded *db;
    struct weir_registry *registry;
};

// The pipeline's text may name the schema of pipeline A as `schemas/sensor-event.avsc`; its file lies in the folder, and so do the shipped ones.
// NULL: the folder alone is made.
int bench_world_open(struct bench_world *w, const char *pipeline, struct weir_error *err);
void bench_world_close(struct bench_world *w);

struct bench_events {
    struct weir_buffer bytes; // one behind the other
    uint32_t *lengths;
    uint64_t count;
};

// `count` events of `devices` devices in random order, their times rising evenly over span_ms. The same arguments give the same events.
int bench_events_make(struct bench_events *e, const struct bench_world *w, uint32_t devices, uint64_t count, int64_t span_ms, struct weir_error *err);
// The same of pipeline B's meters: group, id, type, timestamp, value, in the format of the world's plan.
int bench_meters_make(struct bench_events *e, const struct bench_world *w, uint32_t devices, uint32_t groups, uint64_t count, int64_t span_ms,
                      struct weir_error *err);
void bench_events_drop(struct bench_events *e);

// Decodes all events and folds them into the core, 1,024 at a time; with `core` NULL they are decoded only.
int bench_pass(const struct bench_events *events, struct weir_decoder *decoder, struct weir_core *core, double *ret_seconds, struct weir_error *err);
