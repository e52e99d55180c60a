// SPDX-License-Identifier: Apache-2.0
#include "spec/reading.h"
#include "base/number.h"
#include "base/suggest.h"
#include "base/time.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#define DURATION_MS_MAX (INT64_C(100) * 366 * 24 * 3600 * 1000)

void spec_mistake(struct reading *r, struct place at, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diag_add(r->diags, at, NULL, hint, format, arguments);
    va_end(arguments);
}

void spec_mistake_outside(struct reading *r, const char *origin, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    diag_add(r->diags, (struct place){0}, origin, NULL, format, arguments);
    va_end(arguments);
}

bool spec_enough_mistakes(const struct reading *r)
{
    return r->diags->count == DIAG_KEPT_MAX;
}

const char *spec_did_you_mean(struct reading *r, struct weir_str name, const char *const *candidates, size_t count)
{
    char text[256];
    if (spec_enough_mistakes(r) || !weir_suggest_text(name, candidates, count, text, sizeof text))
        return NULL;
    return weir_arena_copy(r->arena, weir_str_of(text)).data;
}

struct place spec_place_of_name(const struct node *value)
{
    return value->name ? value->name->at : value->at;
}

bool spec_check_duplicates(struct reading *r, const struct node *map)
{
    bool unique = true;
    for (uint32_t i = 0; i < map->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!weir_str_eq(map->keys[i]->text, map->keys[j]->text))
                continue;
            spec_mistake(r, map->keys[i]->at, NULL, "'%s' is given twice, first on line %d", map->keys[i]->text.data, map->keys[j]->at.line);
            unique = false;
            break;
        }
    }
    return unique;
}

static size_t find_name(struct weir_str text, const char *const *names, size_t count)
{
    size_t i = 0;
    while (i < count && !weir_str_is(text, names[i]))
        i++;
    return i;
}

// A key that is no known one but near to exactly one counts as that, so that what stands under it is still read and nothing seems to be missing.
static size_t guess_key(struct weir_str text, const char *const *names, size_t count)
{
    const char *near[WEIR_SUGGESTIONS_MAX];
    return weir_suggest(text, names, count, near) == 1 ? find_name(weir_str_of(near[0]), names, count) : count;
}

bool spec_read_keys_or(struct reading *r, const struct node *node, const char *what, const char *otherwise, const char *const *names, size_t count,
                       const struct node **ret)
{
    if (!spec_is_map(r, node, what))
        return false;
    spec_check_duplicates(r, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *key = node->keys[i], *value = node->items[i];
        size_t at = find_name(key->text, names, count);
        if (at == count) {
            const char *hint = spec_did_you_mean(r, key->text, names, count);
            spec_mistake(r, key->at, hint ? hint : otherwise, "unknown key '%s' in %s", key->text.data, what);
            at = guess_key(key->text, names, count);
        } else if (spec_is_null(value)) {
            spec_mistake(r, key->at, NULL, "'%s' has no value", key->text.data);
            continue;
        }
        if (at < count && !ret[at] && !spec_is_null(value))
            ret[at] = value;
    }
    return true;
}

bool spec_read_keys(struct reading *r, const struct node *node, const char *what, const char *const *names, size_t count, const struct node **ret)
{
    return spec_read_keys_or(r, node, what, NULL, names, count, ret);
}

bool spec_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain && (node->text.bytes == 0 || weir_str_is(node->text, "~") || weir_str_is(node->text, "null"));
}

static bool is_kind(struct reading *r, const struct node *node, enum node_kind kind, const char *what, const char *wanted)
{
    if (node->kind != kind)
        spec_mistake(r, node->at, NULL, "%s must be %s", what, wanted);
    return node->kind == kind;
}

bool spec_is_text(struct reading *r, const struct node *node, const char *what)
{
    return !node->unread && is_kind(r, node, NODE_SCALAR, what, "a single value");
}

bool spec_is_list(struct reading *r, const struct node *node, const char *what)
{
    return is_kind(r, node, NODE_LIST, what, "a list: [a, b]");
}

bool spec_is_map(struct reading *r, const struct node *node, const char *what)
{
    return is_kind(r, node, NODE_MAP, what, "a map of keys and values");
}

const char *spec_read_text(struct reading *r, const struct node *node, const char *what)
{
    if (!spec_is_text(r, node, what))
        return NULL;
    if (!node->text.bytes || spec_is_null(node)) {
        spec_mistake(r, node->at, NULL, "%s must not be empty", what);
        return NULL;
    }
    return node->text.data;
}

bool spec_read_integer(struct reading *r, const struct node *node, const char *what, int64_t low, int64_t high, int64_t *ret)
{
    int64_t value;
    if (!spec_is_text(r, node, what))
        return false;
    if (weir_parse_i64(node->text, &value) < 0 || value < low || value > high) {
        spec_mistake(r, node->at, NULL, "%s must be a whole number from %lld to %lld, not '%s'", what, (long long)low, (long long)high,
                     node->raw.data);
        return false;
    }
    *ret = value;
    return true;
}

bool spec_read_number(struct reading *r, const struct node *node, const char *what, double *ret)
{
    double value;
    if (!spec_is_text(r, node, what))
        return false;
    if (weir_parse_f64(node->text, &value) < 0 || !isfinite(value)) {
        spec_mistake(r, node->at, NULL, "%s must be a number, not '%s'", what, node->raw.data);
        return false;
    }
    *ret = value;
    return true;
}

bool spec_read_duration(struct reading *r, const struct node *node, const char *what, int64_t low_ms, int64_t *ret_ms)
{
    int64_t ms;
    if (!spec_is_text(r, node, what))
        return false;
    if (weir_duration_parse(node->text, &ms) < 0) {
        spec_mistake(r, node->at, "a duration is a number and a unit: 500 ms, 10 seconds, 1 minute, 1 h, 30 days", "'%s' is no duration for %s",
                     node->raw.data, what);
        return false;
    }
    if (ms < low_ms || ms > DURATION_MS_MAX) {
        spec_mistake(r, node->at, NULL, "%s is out of range: from %lld ms to 100 years", what, (long long)low_ms);
        return false;
    }
    *ret_ms = ms;
    return true;
}

bool spec_read_factor(struct reading *r, const struct node *node, struct weir_str text, double *ret)
{
    double value;
    bool ok = text.bytes > 1 && text.data[text.bytes - 1] == 'x';
    ok = ok && weir_parse_f64((struct weir_str){text.data, text.bytes - 1}, &value) == 0 && value > 0 && value <= 1e9;
    if (ok)
        *ret = value;
    else
        spec_mistake(r, node->at, NULL, "'%s' is no speed: 60x is sixty times as fast as real time", node->raw.data);
    return ok;
}

int spec_read_choice(struct reading *r, const struct node *node, const char *what, const char *const *names, size_t count)
{
    if (!spec_is_text(r, node, what))
        return -1;
    size_t at = find_name(node->text, names, count);
    if (at < count)
        return (int)at;
    const char *hint = spec_did_you_mean(r, node->raw, names, count);
    if (!hint) {
        hint = weir_arena_format(r->arena, "one of: %s", names[0]);
        for (size_t i = 1; i < count; i++)
            hint = weir_arena_format(r->arena, "%s, %s", hint, names[i]);
    }
    spec_mistake(r, node->at, hint, "unknown %s '%s'", what, node->raw.data);
    return -1;
}

const char *spec_resolve_path(struct reading *r, const char *path)
{
    return path[0] == '/' || !r->folder[0] ? weir_arena_copy(r->arena, weir_str_of(path)).data
                                           : weir_arena_format(r->arena, "%s/%s", r->folder, path);
}

int spec_read_path(struct reading *r, const struct node *node, const char *what, const char **ret)
{
    const char *text = spec_read_text(r, node, what);
    if (!text)
        return -1;
    *ret = spec_resolve_path(r, text);
    return 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool spec_is_identifier(struct weir_str text)
{
    for (uint32_t i = 0; i < text.bytes; i++) {
        if (!is_letter(text.data[i]) && (i == 0 || !is_digit(text.data[i])))
            return false;
    }
    return text.bytes > 0;
}

bool spec_is_table_name(struct weir_str text)
{
    for (uint32_t i = 0; i < text.bytes; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z')
            return false;
    }
    return spec_is_identifier(text) && text.bytes <= NAME_BYTES_MAX;
}

bool spec_is_engine_name(struct weir_str text)
{
    for (uint32_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-')
            return false;
    }
    return text.bytes > 0 && text.bytes <= 100 && !weir_str_is(text, ".") && !weir_str_is(text, "..");
}

int64_t spec_find_field(struct reading *r, struct weir_str name)
{
    const struct weir_event_spec *event = &r->plan->event;
    for (uint32_t i = 0; i < event->field_count + event->nested_count; i++) {
        if (weir_str_is(name, event->fields[i].name))
            return i;
    }
    return spec_find_nested(r, name);
}

const char *spec_suggest_field(struct reading *r, struct weir_str name)
{
    const struct weir_event_spec *event = &r->plan->event;
    if (spec_enough_mistakes(r))
        return NULL;
    const char **names = weir_arena_alloc(r->arena, (event->field_count + 1) * sizeof *names);
    for (uint32_t i = 0; i < event->field_count; i++)
        names[i] = event->fields[i].name;
    return spec_did_you_mean(r, name, names, event->field_count);
}

void spec_mistake_field(struct reading *r, struct place at, const char *hint, const char *what, struct weir_str name)
{
    for (uint32_t i = 0; i < r->unusable_count; i++) {
        if (weir_str_is(name, r->unusable[2 * i])) {
            const char *type = r->unusable[2 * i + 1];
            bool parts = strcmp(type, "record") == 0 || strcmp(type, "map") == 0, items = strcmp(type, "array") == 0;
            spec_mistake(r, at,
                         parts   ? "name a part of it, as in location.city"
                         : items ? "name an item of it, as in readings[0]"
                                 : NULL,
                         "%sfield '%s' is of type %s, which no expression can use", what, r->unusable[2 * i], type);
            return;
        }
    }
    if (r->record && (memchr(name.data, '.', name.bytes) || memchr(name.data, '[', name.bytes)))
        spec_mistake_nested(r, at, what, name);
    else
        spec_mistake(r, at, hint, "%sthe event has no field '%.*s'", what, (int)name.bytes, name.data);
}

int64_t spec_read_field(struct reading *r, const struct node *node, const char *what)
{
    if (!spec_read_text(r, node, what))
        return -1;
    int64_t at = spec_find_field(r, node->text);
    if (at < 0 && r->event_known)
        spec_mistake_field(r, node->at, spec_suggest_field(r, node->raw), weir_arena_format(r->arena, "%s: ", what), node->raw);
    return at;
}

// Regular files only, so that a pipe or a device cannot hold the reader up.
static int open_regular(const char *path, size_t bytes_max, size_t *ret_bytes, struct weir_error *err)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return weir_fail(err, errno == ENOENT || errno == EACCES ? WEIR_NO_INPUT : WEIR_IO, WEIR_STOP, "cannot read %s: %s", path, strerror(errno));
    int failed = 0;
    if (fstat(file, &info) < 0 || !S_ISREG(info.st_mode))
        failed = weir_fail(err, WEIR_NO_INPUT, WEIR_STOP, "cannot read %s: it is no regular file", path);
    else if ((uint64_t)info.st_size > bytes_max)
        failed = weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s is larger than %zu KiB", path, bytes_max / 1024);
    if (failed < 0) {
        close(file);
        return -1;
    }
    *ret_bytes = (size_t)info.st_size;
    return file;
}

const char *spec_read_file(struct weir_arena *arena, const char *path, size_t bytes_max, struct weir_str *ret, struct weir_error *err)
{
    size_t bytes = 0, have = 0;
    int file = open_regular(path, bytes_max, &bytes, err);
    if (file < 0)
        return NULL;
    char *text = weir_arena_alloc(arena, bytes + 1);
    ssize_t got = 1;
    while (have < bytes && (got = read(file, text + have, bytes - have)) > 0)
        have += (size_t)got;
    int cause = errno;
    close(file);
    if (got < 0) {
        weir_fail(err, WEIR_IO, WEIR_STOP, "cannot read %s: %s", path, strerror(cause));
        return NULL;
    }
    text[have] = '\0';
    *ret = (struct weir_str){text, (uint32_t)have};
    return text;
}
