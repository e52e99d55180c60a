// SPDX-License-Identifier: Apache-2.0
// Events that were seen before, by some of their fields. A key is remembered with its event's time until the highest event time is `within` past it;
// what arrives again after that counts as new. Keys are held as 128 bits of hash: 24 bytes each, of which a table at most three quarters full is made,
// so that an hour of a thousand events a second takes 120 to 240 MB.
#pragma once
#include "base/buffer.h"
#include "base/value.h"
#include "spec/plan.h"

struct seen {
    uint64_t a, b;   // hashes; both 0: an empty slot
    int64_t time_ms; // of the event that was seen first
};

struct seen_page { // a part of the checkpoint
    uint64_t number;
    int64_t latest_ms;
};

struct dedupe {
    const struct weir_event_spec *event;
    struct seen *slots;
    uint64_t mask, count;
    struct seen *fresh; // since the last checkpoint
    size_t fresh_count, fresh_capacity;
    struct seen_page *pages;
    size_t page_count, page_capacity;
    uint64_t next_page;
};

void dedupe_open(struct dedupe *d, const struct weir_event_spec *event);
void dedupe_close(struct dedupe *d);

// The rows of the batch that are new, in order; returns how many. high_before: by row, the highest event time of earlier events.
uint32_t dedupe_select(struct dedupe *d, const struct weir_batch *batch, const int64_t *high_before, uint32_t *ret_rows);

// Checkpoints: pages of what was seen since the last one; pages whose every key is forgotten are given empty, to be deleted.
void dedupe_save(struct dedupe *d, int64_t high_ms, void (*put)(void *context, struct weir_str key, struct weir_str page), void *context);
int dedupe_restore(struct dedupe *d, uint64_t number, struct weir_str page); // -1: these bytes are none
