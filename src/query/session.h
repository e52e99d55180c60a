// SPDX-License-Identifier: Apache-2.0
// Session windows: a key's events that follow each other by less than a gap. A session ends a gap after its last event; an event between two joins them.
// Sessions lie per key, in pages of 64 keys for checkpoints. A row's key is the start of its session: should the start of an open session move onto that
// of one that has ended, to the millisecond, its row takes the other's place.
#pragma once
#include "query/emit.h"

struct session {
    int64_t start_ms, end_ms;
    uint32_t id;          // of the key
    struct session *into; // the session it was joined to; else NULL
    bool over;            // dropped; only the queue still knows it
    int64_t queued_ms;    // the end it is queued under
    uint8_t record[];     // by the layout
};

struct session_list { // of a key, by start
    struct session **items;
    size_t count, capacity;
};

struct sessions {
    const struct weir_query_spec *query;
    struct layout layout;
    struct keys *keys;
    uint64_t identity;
    struct session_list *lists; // by key id
    uint8_t *page_flags;        // by page of 64 keys: PAGE_UNSAVED, PAGE_SAVED
    size_t capacity;            // of lists, a multiple of 64
    struct session **queue;     // a heap by queued_ms
    size_t queue_count, queue_capacity;
    size_t count;
    bool changed; // some session's row is out of date
};

void sessions_open(struct sessions *s, const struct weir_query_spec *query, struct keys *keys, uint64_t identity);
void sessions_close(struct sessions *s);

// The session of an event, made or extended for it; NULL where it is late. high_ms: highest event time before it. Rows of sessions that were joined to
// another, or whose start moved, are taken back through the emitter.
int sessions_take(struct sessions *s, struct emitter *e, uint32_t query, uint32_t id, int64_t time_ms, int64_t high_ms, struct session **ret,
                  struct weir_error *err);
struct session *session_final(struct session *session); // after joins

// Gives sessions that changed and ended until then; drops those that can receive no more.
int sessions_give(struct sessions *s, struct emitter *e, uint32_t query, int64_t until_ms, struct weir_error *err);
int sessions_advance(struct sessions *s, struct emitter *e, uint32_t query, int64_t high_ms, struct weir_error *err);

// Checkpoints: 'S' | query u64 | page u32: (index in the page + 1 u8 | start i64 | end i64 | layout_save)… 0
void sessions_save(struct sessions *s, void (*put)(void *context, struct weir_str key, struct weir_str page), void *context);
int sessions_restore(struct sessions *s, uint32_t page, struct weir_str bytes); // -1: these bytes are none
