// SPDX-License-Identifier: Apache-2.0
#include "log/kafka/letters.h"

#include "base/memory.h"
#include <stdlib.h>

enum { QUERIES_MAX = 1024 };

struct held_letter {
    struct weir_dead_letter letter;
    char bytes[];
};

// ---- the index

void letters_begin_partition(struct letters *all, int32_t topic_partition)
{
    all->topic_partition = topic_partition;
}

// A query's number; -1 where there are too many to be a pipeline's.
static int64_t query_number(struct letters *all, const char *query)
{
    const char *name = query ? query : "";
    for (size_t i = 0; i < all->query_count; i++)
        if (strcmp(all->queries[i], name) == 0)
            return (int64_t)i;
    if (all->query_count == QUERIES_MAX)
        return -1;
    weir_grow(&all->queries, &all->query_capacity, all->query_count + 1, sizeof *all->queries);
    all->queries[all->query_count] = weir_strdup(name);
    return (int64_t)all->query_count++;
}

int letters_index(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                  struct weir_error *err)
{
    (void)err;
    struct letters *all = context;
    struct weir_dead_letter letter;
    weir_arena_reset(&all->arena);
    int kind = letter_parse(m, headers, header_count, &all->arena, &letter);
    if (kind < 0 || (all->reason >= 0 && (int)letter.reason != all->reason))
        return 0; // not ours, or not asked for
    int64_t query = query_number(all, letter.query);
    if (query < 0)
        return 0;
    weir_grow(&all->entries, &all->capacity, all->count + 1, sizeof *all->entries);
    all->entries[all->count++] = (struct letter_entry){
        .offset = letter.offset,
        .at = m->offset,
        .partition = letter.partition,
        .topic_partition = all->topic_partition,
        .query = (uint32_t)query,
        .reason = (uint8_t)letter.reason,
        .gone = kind == 1,
    };
    return 0;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int by_identity(const struct letter_entry *a, const struct letter_entry *b, char *const *queries)
{
    if (a->reason != b->reason || a->partition != b->partition)
        return a->reason != b->reason ? ORDER(a->reason, b->reason) : ORDER(a->partition, b->partition);
    if (a->offset != b->offset || a->query == b->query)
        return ORDER(a->offset, b->offset);
    return strcmp(queries[a->query], queries[b->query]);
}

static int by_identity_and_time(const void *a, const void *b, void *queries)
{
    const struct letter_entry *x = a, *y = b;
    int order = by_identity(x, y, queries);
    return order ? order : ORDER(x->at, y->at);
}

void letters_settle(struct letters *all)
{
    size_t kept = 0;
    if (all->count)
        qsort_r(all->entries, all->count, sizeof *all->entries, by_identity_and_time, all->queries);
    for (size_t i = 0; i < all->count; i++) {
        bool last = i + 1 == all->count || by_identity(&all->entries[i], &all->entries[i + 1], all->queries) != 0;
        if (last && !all->entries[i].gone)
            all->entries[kept++] = all->entries[i];
    }
    all->count = kept;
}

// ---- runs

static void show(struct letters *all, const struct weir_dead_letter *letter)
{
    if (!all->stopped && all->visit(all->context, letter))
        all->stopped = all->run_over = true;
}

static void show_held(struct letters *all, size_t index)
{
    struct held_letter *held = all->held[index];
    show(all, &held->letter);
    free(held);
    all->held[index] = NULL;
}

// What was kept and never got its turn: a message before it has gone meanwhile.
static void end_run(struct letters *all)
{
    for (size_t i = 0; i < all->run_end - all->run_first && all->held; i++)
        if (all->held[i])
            show_held(all, i);
    free(all->held);
    free(all->arrival);
    all->held = NULL;
    all->arrival = NULL;
    all->run_first = all->run_end;
}

static int by_arrival(const void *a, const void *b, void *entries)
{
    const struct letter_entry *e = entries;
    return ORDER(e[*(const size_t *)a].at, e[*(const size_t *)b].at);
}

static bool same_run(const struct letter_entry *a, const struct letter_entry *b)
{
    return a->reason == b->reason && a->partition == b->partition && a->topic_partition == b->topic_partition;
}

bool letters_next_run(struct letters *all)
{
    end_run(all);
    if (all->stopped || all->run_end == all->count)
        return false;
    const struct letter_entry *first = &all->entries[all->run_first];
    while (all->run_end < all->count && same_run(first, &all->entries[all->run_end]))
        all->run_end++;
    size_t count = all->run_end - all->run_first;
    all->arrival = weir_alloc(count * sizeof *all->arrival);
    all->held = weir_zalloc(count, sizeof(struct held_letter *));
    for (size_t i = 0; i < count; i++)
        all->arrival[i] = i;
    qsort_r(all->arrival, count, sizeof *all->arrival, by_arrival, all->entries + all->run_first);
    all->shown = all->arrived = 0;
    all->run_over = false;
    all->run_partition = first->topic_partition;
    all->run_from = first[all->arrival[0]].at;
    return true;
}

// ---- showing

static char *pack(char **at, struct weir_str bytes)
{
    char *start = *at;
    if (bytes.bytes)
        memcpy(start, bytes.data, bytes.bytes);
    start[bytes.bytes] = 0;
    *at += bytes.bytes + 1;
    return start;
}

static char *pack_text(char **at, const char *text)
{
    return text ? pack(at, weir_str_of(text)) : NULL;
}

static size_t text_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static struct held_letter *hold(const struct weir_dead_letter *letter)
{
    size_t bytes = text_bytes(letter->topic) + text_bytes(letter->query) + text_bytes(letter->text) + letter->key.bytes + letter->value.bytes + 2;
    struct held_letter *held = weir_alloc(sizeof *held + bytes);
    char *at = held->bytes;
    held->letter = *letter;
    held->letter.topic = pack_text(&at, letter->topic);
    held->letter.query = pack_text(&at, letter->query);
    held->letter.text = pack_text(&at, letter->text);
    held->letter.key.data = pack(&at, letter->key);
    held->letter.value.data = pack(&at, letter->value);
    return held;
}

// The entry of the run that this message is; SIZE_MAX: it is none.
static size_t arrived_entry(struct letters *all, int64_t at)
{
    size_t count = all->run_end - all->run_first;
    const struct letter_entry *run = &all->entries[all->run_first];
    while (all->arrived < count && run[all->arrival[all->arrived]].at < at)
        all->arrived++;
    if (all->arrived == count || run[all->arrival[all->arrived]].at != at)
        return SIZE_MAX;
    return all->arrival[all->arrived++];
}

int letters_show(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                 struct weir_error *err)
{
    struct letters *all = context;
    struct weir_dead_letter letter;
    size_t entry = arrived_entry(all, m->offset), count = all->run_end - all->run_first;
    weir_arena_reset(&all->arena);
    if (entry != SIZE_MAX && letter_parse(m, headers, header_count, &all->arena, &letter) == 0) {
        if (entry == all->shown) {
            show(all, &letter);
            all->shown++;
        } else {
            all->held[entry] = hold(&letter);
        }
        for (; all->shown < count && all->held[all->shown] && !all->stopped; all->shown++)
            show_held(all, all->shown);
    }
    all->run_over |= all->arrived == count;
    return all->run_over ? weir_fail(err, WEIR_OK, WEIR_RETRY, "the run is over") : 0;
}

void letters_drop(struct letters *all)
{
    all->stopped = true;
    end_run(all);
    for (size_t i = 0; i < all->query_count; i++)
        free(all->queries[i]);
    free(all->queries);
    free(all->entries);
    weir_arena_drop(&all->arena);
}
