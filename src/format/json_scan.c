// SPDX-License-Identifier: Apache-2.0
#include "format/json_scan.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NONE = -1, REMEMBERED = 64 };

struct want {
    struct weir_str name;
    enum weir_type type;
    bool optional, plain; // plain: stands in a text exactly as its name
    int32_t same;         // the next want of the same name
    uint64_t seen;        // record number in which it came last
};

struct json_scan {
    uint32_t count, mask;
    struct want *wants;
    int32_t *slots; // hash table of first wants by name
    uint64_t record;
    int32_t order[REMEMBERED]; // which want the nth member was, last time
};

// One record's walk.
struct walk {
    struct json_scan *scan;
    struct json_text text;
    struct weir_arena *arena;
    struct weir_value *values;
    char *why;
    size_t why_bytes;
};

static uint32_t slot_of(const struct json_scan *s, struct weir_str name)
{
    return (uint32_t)weir_hash64(name.data, name.bytes, 0) & s->mask;
}

static int32_t find(const struct json_scan *s, struct weir_str name)
{
    for (uint32_t slot = slot_of(s, name); s->slots[slot] != NONE; slot = (slot + 1) & s->mask)
        if (weir_str_eq(s->wants[s->slots[slot]].name, name))
            return s->slots[slot];
    return NONE;
}

static void add_want(struct json_scan *s, int32_t index)
{
    struct want *want = &s->wants[index];
    int32_t first = find(s, want->name);
    if (first != NONE) {
        want->same = s->wants[first].same;
        s->wants[first].same = index;
        return;
    }
    uint32_t slot = slot_of(s, want->name);
    while (s->slots[slot] != NONE)
        slot = (slot + 1) & s->mask;
    s->slots[slot] = index;
}

static bool is_plain(struct weir_str name)
{
    for (uint32_t i = 0; i < name.bytes; i++)
        if ((unsigned char)name.data[i] < 0x20 || name.data[i] == '"' || name.data[i] == '\\')
            return false;
    return json_text_utf8(name);
}

struct json_scan *json_scan_new(const struct json_want *wants, uint32_t count)
{
    struct json_scan *s = weir_zalloc(1, sizeof *s);
    uint32_t slots = 8;
    while (slots < count * 2)
        slots *= 2;
    s->count = count;
    s->mask = slots - 1;
    s->wants = weir_zalloc(count, sizeof *s->wants);
    s->slots = weir_alloc(slots * sizeof *s->slots);
    memset(s->slots, 0xff, slots * sizeof *s->slots);
    memset(s->order, 0xff, sizeof s->order);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_str name = weir_str_of(wants[i].name);
        s->wants[i] = (struct want){name, wants[i].type, wants[i].optional, is_plain(name), NONE, 0};
        add_want(s, (int32_t)i);
    }
    return s;
}

void json_scan_free(struct json_scan *s)
{
    if (!s)
        return;
    free(s->wants);
    free(s->slots);
    free(s);
}

// ---- what can be wrong

__attribute__((cold)) static int broken(struct walk *w, const char *wrong)
{
    snprintf(w->why, w->why_bytes, "%s (at byte %zu)", wrong, (size_t)(w->text.at - w->text.start) + 1);
    return -1;
}

__attribute__((cold)) static int broken_value(struct walk *w, const struct want *want, const char *wrong)
{
    snprintf(w->why, w->why_bytes, "%.*s: %s (at byte %zu)", (int)(want->name.bytes < 64 ? want->name.bytes : 64), want->name.data, wrong,
             (size_t)(w->text.at - w->text.start) + 1);
    return -1;
}

static const char *expected(enum weir_type type)
{
    switch (type) {
    case WEIR_BOOLEAN:
        return "a boolean";
    case WEIR_INT:
    case WEIR_LONG:
    case WEIR_TIMESTAMP:
        return "an integer";
    case WEIR_STRING:
        return "a string";
    default:
        return "a number";
    }
}

__attribute__((cold)) static int misfit(struct walk *w, const struct want *want, const char *found)
{
    char wrong[96];
    snprintf(wrong, sizeof wrong, "expected %s, found %s", expected(want->type), found);
    return broken_value(w, want, wrong);
}

// ---- values

static bool at_number(const struct json_text *t)
{
    char c = *t->at;
    return (unsigned char)(c - '0') < 10 || c == '-' || c == 'N' || c == 'I';
}

static int take_integer(struct walk *w, const struct want *want, const struct json_text_number *number, struct weir_value *ret)
{
    int64_t value;
    double wide;
    if (weir_parse_integral(number->text, &value) < 0) {
        w->text.at = number->text.data;
        if (number->special || (weir_parse_f64(number->text, &wide) == 0 && fabs(wide) < 9e18))
            return misfit(w, want, number->special ? number->text.data[0] == 'N' ? "NaN" : "Infinity" : "a number with a fraction");
        return broken_value(w, want, "out of range of long");
    }
    if (want->type == WEIR_INT && value != (int32_t)value) {
        w->text.at = number->text.data;
        return broken_value(w, want, "out of range of int");
    }
    *ret = (struct weir_value){.kind = WEIR_I64, .i64 = value};
    return 0;
}

static int take_float(struct walk *w, const struct want *want, const struct json_text_number *number, struct weir_value *ret)
{
    double value;
    if (weir_parse_f64(number->text, &value) < 0 || (want->type == WEIR_FLOAT && isinf((float)value) && !number->special)) {
        w->text.at = number->text.data;
        return broken_value(w, want, want->type == WEIR_FLOAT ? "out of range of float" : "out of range of double");
    }
    *ret = (struct weir_value){.kind = WEIR_F64, .f64 = want->type == WEIR_FLOAT ? (double)(float)value : value};
    return 0;
}

static int take_number(struct walk *w, const struct want *want, struct weir_value *ret)
{
    struct json_text_number number;
    if (!at_number(&w->text))
        return misfit(w, want, json_text_what(&w->text));
    const char *wrong = json_text_number(&w->text, &number);
    if (wrong)
        return broken_value(w, want, wrong);
    return weir_kind_of(want->type) == WEIR_F64 ? take_float(w, want, &number, ret) : take_integer(w, want, &number, ret);
}

static int take_string(struct walk *w, const struct want *want, struct weir_value *ret)
{
    struct json_text_string string;
    struct weir_str value;
    if (*w->text.at != '"')
        return misfit(w, want, json_text_what(&w->text));
    const char *start = w->text.at, *wrong = json_text_string(&w->text, &string);
    if (!wrong) {
        wrong = json_text_value(&string, w->arena, &value);
        w->text.at = wrong ? start : w->text.at;
    }
    if (wrong)
        return broken_value(w, want, wrong);
    *ret = (struct weir_value){.kind = WEIR_STRS, .str = value};
    return 0;
}

static int take_boolean(struct walk *w, const struct want *want, struct weir_value *ret)
{
    bool value = json_text_word(&w->text, "true") == NULL;
    if (!value && json_text_word(&w->text, "false") != NULL)
        return misfit(w, want, json_text_what(&w->text));
    *ret = (struct weir_value){.kind = WEIR_I64, .i64 = value};
    return 0;
}

static int take_null(struct walk *w, const struct want *want, struct weir_value *ret)
{
    if (json_text_word(&w->text, "null"))
        return misfit(w, want, json_text_what(&w->text));
    if (!want->optional) {
        w->text.at -= 4;
        return misfit(w, want, "null");
    }
    *ret = (struct weir_value){.null = true, .kind = weir_kind_of(want->type)};
    return 0;
}

static int take_value(struct walk *w, const struct want *want, struct weir_value *ret)
{
    if (w->text.at == w->text.end)
        return misfit(w, want, "the end");
    if (*w->text.at == 'n')
        return take_null(w, want, ret);
    switch (want->type) {
    case WEIR_STRING:
        return take_string(w, want, ret);
    case WEIR_BOOLEAN:
        return take_boolean(w, want, ret);
    default:
        return take_number(w, want, ret);
    }
}

// A member's value, for each want of that name.
static int take_member(struct walk *w, int32_t index)
{
    const char *start = w->text.at;
    for (; index != NONE; index = w->scan->wants[index].same) {
        struct want *want = &w->scan->wants[index];
        w->text.at = start;
        want->seen = w->scan->record;
        if (take_value(w, want, &w->values[index]) < 0)
            return -1;
    }
    return 0;
}

// ---- members

// Whether the member is, to the letter, the one that came at this place last time; then its key is passed.
static bool as_last_time(struct walk *w, int32_t guess)
{
    if (guess == NONE)
        return false;
    const struct want *want = &w->scan->wants[guess];
    const char *at = w->text.at;
    uint32_t bytes = want->name.bytes;
    if (!want->plain || (size_t)(w->text.end - at) < (size_t)bytes + 2 || at[0] != '"' || at[bytes + 1] != '"' ||
        memcmp(at + 1, want->name.data, bytes) != 0)
        return false;
    w->text.at = at + bytes + 2;
    return true;
}

static int take_key(struct walk *w, uint32_t place, int32_t *ret_index)
{
    struct json_text_string string;
    struct weir_str key;
    int32_t unknown = NONE, *guess = place < REMEMBERED ? &w->scan->order[place] : &unknown;
    if (as_last_time(w, *guess)) {
        *ret_index = *guess;
        return 0;
    }
    if (w->text.at == w->text.end || *w->text.at != '"')
        return broken(w, "expected a key");
    const char *start = w->text.at, *wrong = json_text_string(&w->text, &string);
    if (!wrong && (wrong = json_text_value(&string, w->arena, &key)))
        w->text.at = start;
    if (wrong)
        return broken(w, wrong);
    *ret_index = *guess = find(w->scan, key);
    return 0;
}

static int take_colon(struct walk *w)
{
    json_text_space(&w->text);
    if (w->text.at == w->text.end || *w->text.at != ':')
        return broken(w, "expected ':'");
    w->text.at++;
    json_text_space(&w->text);
    return 0;
}

static int skip_member(struct walk *w)
{
    const char *wrong = json_text_skip(&w->text, 1);
    return wrong ? broken(w, wrong) : 0;
}

static int take_members(struct walk *w)
{
    json_text_space(&w->text);
    if (w->text.at < w->text.end && *w->text.at == '}') {
        w->text.at++;
        return 0;
    }
    for (uint32_t place = 0;; place++) {
        int32_t index = NONE;
        if (take_key(w, place, &index) < 0 || take_colon(w) < 0 || (index == NONE ? skip_member(w) : take_member(w, index)) < 0)
            return -1;
        json_text_space(&w->text);
        if (w->text.at == w->text.end)
            return broken(w, "the object does not end");
        char next = *w->text.at;
        if (next != ',' && next != '}')
            return broken(w, "expected ',' or '}'");
        w->text.at++;
        if (next == '}')
            return 0;
        json_text_space(&w->text);
    }
}

// Wants that did not come become null, if they may.
static int settle_absent(struct walk *w)
{
    for (uint32_t i = 0; i < w->scan->count; i++) {
        const struct want *want = &w->scan->wants[i];
        if (want->seen == w->scan->record)
            continue;
        if (!want->optional) {
            snprintf(w->why, w->why_bytes, "%.*s: missing", (int)(want->name.bytes < 64 ? want->name.bytes : 64), want->name.data);
            return -1;
        }
        w->values[i] = (struct weir_value){.null = true, .kind = weir_kind_of(want->type)};
    }
    return 0;
}

int json_scan_object(struct json_scan *s, struct weir_str text, struct weir_arena *arena, struct weir_value *values, char *why, size_t why_bytes)
{
    struct walk w = {s, {text.data, text.data, text.data + text.bytes}, arena, values, why, why_bytes};
    if (text.bytes > JSON_RECORD_BYTES_MAX) {
        snprintf(why, why_bytes, "%u bytes are too many: at most %d", text.bytes, JSON_RECORD_BYTES_MAX);
        return -1;
    }
    s->record++;
    json_text_space(&w.text);
    if (w.text.at == w.text.end || *w.text.at != '{') {
        char wrong[64];
        snprintf(wrong, sizeof wrong, "expected an object, found %s", json_text_what(&w.text));
        return broken(&w, wrong);
    }
    w.text.at++;
    if (take_members(&w) < 0)
        return -1;
    json_text_space(&w.text);
    if (w.text.at != w.text.end)
        return broken(&w, "text after the object");
    return settle_absent(&w);
}
