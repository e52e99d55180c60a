// SPDX-License-Identifier: Apache-2.0
#include "query/session.h"

#include "base/memory.h"
#include "query/core.h"
#include <stdlib.h>

void sessions_open(struct sessions *s, const struct weir_query_spec *query, struct keys *keys, uint64_t identity)
{
    *s = (struct sessions){.query = query, .keys = keys, .identity = identity};
    layout_open(&s->layout, query);
}

static void session_free(struct sessions *s, struct session *session)
{
    if (!session->over)
        layout_drop(&s->layout, session->record);
    free(session);
}

void sessions_close(struct sessions *s)
{
    for (size_t i = 0; i < s->queue_count; i++) // every session is queued once
        session_free(s, s->queue[i]);
    for (size_t id = 0; id < s->capacity; id++)
        free(s->lists[id].items);
    free(s->queue);
    free(s->lists);
    free(s->page_flags);
    layout_close(&s->layout);
}

// ---- the queue: a binary heap by the end a session had when it was queued

static void queue_put(struct sessions *s, struct session *session)
{
    session->queued_ms = session->end_ms;
    weir_grow(&s->queue, &s->queue_capacity, s->queue_count + 1, sizeof(struct session *));
    size_t at = s->queue_count++;
    for (; at > 0 && s->queue[(at - 1) / 2]->queued_ms > session->queued_ms; at = (at - 1) / 2)
        s->queue[at] = s->queue[(at - 1) / 2];
    s->queue[at] = session;
}

static struct session *queue_take(struct sessions *s)
{
    struct session *first = s->queue[0], *last = s->queue[--s->queue_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s->queue_count; at = child) {
        child += child + 1 < s->queue_count && s->queue[child + 1]->queued_ms < s->queue[child]->queued_ms;
        if (s->queue[child]->queued_ms >= last->queued_ms)
            break;
        s->queue[at] = s->queue[child];
    }
    s->queue[at] = last;
    return first;
}

// ---- the lists

static void make_room(struct sessions *s, uint32_t id)
{
    if (id < s->capacity)
        return;
    size_t grown = s->capacity ? s->capacity * 2 : 256;
    while (grown <= id)
        grown *= 2;
    s->lists = weir_realloc(s->lists, grown * sizeof *s->lists);
    memset(s->lists + s->capacity, 0, (grown - s->capacity) * sizeof *s->lists);
    s->page_flags = weir_realloc(s->page_flags, grown / KEYS_PER_PAGE);
    memset(s->page_flags + s->capacity / KEYS_PER_PAGE, 0, (grown - s->capacity) / KEYS_PER_PAGE);
    s->capacity = grown;
}

static struct session *session_new(struct sessions *s, uint32_t id, int64_t start_ms, int64_t end_ms)
{
    struct session *session = weir_zalloc(1, sizeof *session + s->layout.bytes);
    session->start_ms = start_ms;
    session->end_ms = end_ms;
    session->id = id;
    memcpy(session->record, s->layout.fresh, s->layout.bytes);
    struct session_list *list = &s->lists[id];
    weir_grow(&list->items, &list->capacity, list->count + 1, sizeof(struct session *));
    size_t at = list->count++;
    for (; at > 0 && list->items[at - 1]->start_ms > start_ms; at--)
        list->items[at] = list->items[at - 1];
    list->items[at] = session;
    keys_ref(s->keys, id);
    s->count++;
    queue_put(s, session);
    return session;
}

// Out of its key's list; the queue frees it when its turn comes.
static void session_leave(struct sessions *s, struct session *session)
{
    struct session_list *list = &s->lists[session->id];
    size_t at = 0;
    while (list->items[at] != session)
        at++;
    memmove(list->items + at, list->items + at + 1, (--list->count - at) * sizeof(struct session *));
    s->page_flags[session->id / KEYS_PER_PAGE] |= PAGE_UNSAVED;
    layout_drop(&s->layout, session->record);
    session->over = true;
    s->count--;
}

// ---- rows

static struct record_head *head_of(struct session *session)
{
    return (struct record_head *)session->record;
}

static int give_row(struct sessions *s, struct emitter *e, uint32_t query, struct session *session, bool deleted, struct weir_error *err)
{
    const struct span span = {session->start_ms, session->end_ms};
    const struct windows shape = {.query = s->query, .layout = s->layout, .keys = s->keys};
    uint8_t *record = session->record;
    s->page_flags[session->id / KEYS_PER_PAGE] |= PAGE_UNSAVED;
    e->deleting = deleted;
    int result = emit_records(e, query, &shape, &span, &record, &session->id, 1, err);
    e->deleting = false;
    return result;
}

// Its row, if there is one, is no more: the session has another start from now on. Where rows go ahead of the commit that belongs to them, one may be in
// the table of which this life knows nothing: given, lost with the process, and its events read again.
static int take_back(struct sessions *s, struct emitter *e, uint32_t query, struct session *session, struct weir_error *err)
{
    const struct weir_plan *plan = e->plan;
    bool rows_go_ahead = !plan->log.embedded || !plan->store.embedded;
    return head_of(session)->emitted || rows_go_ahead ? give_row(s, e, query, session, true, err) : 0;
}

// ---- events

static int64_t end_after(const struct sessions *s, int64_t time_ms)
{
    int64_t end_ms;
    return __builtin_add_overflow(time_ms, s->query->window.size_ms, &end_ms) ? INT64_MAX : end_ms;
}

static int join(struct sessions *s, struct emitter *e, uint32_t query, struct session *to, struct session *from, struct weir_error *err)
{
    if (take_back(s, e, query, from, err) < 0)
        return -1;
    layout_merge(&s->layout, to->record, from->record);
    to->end_ms = from->end_ms > to->end_ms ? from->end_ms : to->end_ms;
    from->into = to;
    session_leave(s, from);
    keys_unref(s->keys, from->id); // `to` holds the key
    return 0;
}

static int move_start(struct sessions *s, struct emitter *e, uint32_t query, struct session *session, int64_t start_ms, struct weir_error *err)
{
    if (take_back(s, e, query, session, err) < 0)
        return -1;
    session->start_ms = start_ms;
    head_of(session)->emitted = 0;
    struct session_list *list = &s->lists[session->id];
    size_t at = 0;
    while (list->items[at] != session)
        at++;
    for (; at > 0 && list->items[at - 1]->start_ms > start_ms; at--) // over closed ones that are still listed
        list->items[at] = list->items[at - 1];
    list->items[at] = session;
    return 0;
}

int sessions_take(struct sessions *s, struct emitter *e, uint32_t query, uint32_t id, int64_t time_ms, int64_t high_ms, struct session **ret,
                  struct weir_error *err)
{
    make_room(s, id);
    struct session_list *list = &s->lists[id];
    struct session *mine = NULL;
    int64_t end_ms = end_after(s, time_ms);
    for (size_t i = 0; i < list->count && list->items[i]->start_ms < end_ms;) {
        struct session *near = list->items[i];
        bool touches = time_ms < near->end_ms && !is_past_amending(s->query, near->end_ms, high_ms);
        if (touches && mine && join(s, e, query, mine, near, err) < 0)
            return -1;
        i += !(touches && mine); // a joined one has left the list
        if (touches && !mine)
            mine = near;
    }
    *ret = NULL;
    if (!mine && is_past_amending(s->query, end_ms, high_ms))
        return 0;
    if (!mine)
        mine = session_new(s, id, time_ms, end_ms);
    if (time_ms < mine->start_ms && move_start(s, e, query, mine, time_ms, err) < 0)
        return -1;
    mine->end_ms = end_ms > mine->end_ms ? end_ms : mine->end_ms;
    s->page_flags[id / KEYS_PER_PAGE] |= PAGE_UNSAVED;
    s->changed = true;
    *ret = mine;
    return 0;
}

struct session *session_final(struct session *session)
{
    while (session->into)
        session = session->into;
    return session;
}

// ---- as time goes on

int sessions_give(struct sessions *s, struct emitter *e, uint32_t query, int64_t until_ms, struct weir_error *err)
{
    for (size_t i = 0; s->changed && i < s->queue_count; i++) {
        struct session *session = s->queue[i];
        bool due = !session->over && session->end_ms <= until_ms && head_of(session)->events != head_of(session)->emitted;
        if (due && give_row(s, e, query, session, false, err) < 0)
            return -1;
    }
    s->changed &= until_ms != INT64_MAX;
    return 0;
}

static int end_session(struct sessions *s, struct emitter *e, uint32_t query, struct session *session, struct weir_error *err)
{
    if (head_of(session)->events != head_of(session)->emitted && give_row(s, e, query, session, false, err) < 0)
        return -1;
    session_leave(s, session);
    keys_unref(s->keys, session->id);
    return 0;
}

int sessions_advance(struct sessions *s, struct emitter *e, uint32_t query, int64_t high_ms, struct weir_error *err)
{
    int64_t watermark_ms = watermark_of(s->query, high_ms);
    if (s->query->amend_ms > 0 && sessions_give(s, e, query, watermark_ms, err) < 0)
        return -1;
    while (s->queue_count && is_past_amending(s->query, s->queue[0]->queued_ms, high_ms)) {
        struct session *session = queue_take(s);
        if (!session->over && is_past_amending(s->query, session->end_ms, high_ms) && end_session(s, e, query, session, err) < 0) {
            queue_put(s, session);
            return -1;
        }
        if (session->over)
            free(session);
        else
            queue_put(s, session); // it was extended since
    }
    return 0;
}

// ---- checkpoints

static void save_page(struct sessions *s, uint32_t page, struct weir_buffer *out)
{
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
        const struct session_list *list = &s->lists[(size_t)page * KEYS_PER_PAGE + i];
        for (size_t n = 0; n < list->count; n++) {
            weir_buffer_byte(out, (uint8_t)(i + 1));
            weir_buffer_be64(out, (uint64_t)list->items[n]->start_ms);
            weir_buffer_be64(out, (uint64_t)list->items[n]->end_ms);
            layout_save(&s->layout, list->items[n]->record, out);
        }
    }
    if (out->bytes)
        weir_buffer_byte(out, 0);
}

void sessions_save(struct sessions *s, void (*put)(void *context, struct weir_str key, struct weir_str page), void *context)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, bytes = {0};
    for (uint32_t page = 0; page < s->capacity / KEYS_PER_PAGE; page++) {
        if (!(s->page_flags[page] & PAGE_UNSAVED))
            continue;
        key.bytes = bytes.bytes = 0;
        weir_buffer_byte(&key, 'S');
        weir_buffer_be64(&key, s->identity);
        weir_buffer_be32(&key, page);
        save_page(s, page, &bytes);
        put(context, weir_buffer_view(&key), weir_buffer_view(&bytes));
        s->page_flags[page] = PAGE_SAVED;
    }
}

int sessions_restore(struct sessions *s, uint32_t page, struct weir_str bytes)
{
    struct weir_cursor c = {(const uint8_t *)bytes.data, (const uint8_t *)bytes.data + bytes.bytes, false};
    if (page >= s->keys->capacity / KEYS_PER_PAGE)
        return -1;
    make_room(s, page * KEYS_PER_PAGE);
    for (uint8_t index; (index = weir_cursor_byte(&c)) != 0;) {
        int64_t start_ms = (int64_t)weir_cursor_be64(&c), end_ms = (int64_t)weir_cursor_be64(&c);
        uint32_t id = page * KEYS_PER_PAGE + index - 1u;
        if (c.bad || index > KEYS_PER_PAGE || !s->keys->keys[id].hash)
            return -1;
        struct session *session = session_new(s, id, start_ms, end_ms);
        if (layout_restore(&s->layout, session->record, &c) < 0)
            return -1;
    }
    s->changed = true;
    s->page_flags[page] = PAGE_SAVED;
    return c.bad || c.at != c.end ? -1 : 0;
}
