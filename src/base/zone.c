// SPDX-License-Identifier: Apache-2.0
#include "base/zone.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/posix_tz.h"
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20, HEADER_BYTES = 44 };

struct weir_zone {
    uint32_t count;
    int64_t *at_s;        // instants of transitions, rising
    int32_t *offset_s;    // count + 1 of them: before the first, and after each
    struct posix_tz rule; // after the last
    bool has_rule;
};

// ---- TZif

struct counts {
    uint32_t utc_flags, standard_flags, leaps, transitions, types, chars;
};

static int read_header(struct weir_cursor *c, uint8_t *ret_version, struct counts *ret)
{
    struct weir_str magic = weir_cursor_take(c, 4);
    *ret_version = weir_cursor_byte(c);
    weir_cursor_take(c, 15);
    uint32_t *fields[] = {&ret->utc_flags, &ret->standard_flags, &ret->leaps, &ret->transitions, &ret->types, &ret->chars};
    for (size_t i = 0; i < 6; i++)
        *fields[i] = weir_cursor_be32(c);
    bool sane = ret->types > 0 && ret->types < 256 && ret->transitions < 100000 && ret->chars < 10000 && ret->leaps < 10000;
    return c->bad || !weir_str_is(magic, "TZif") || !sane ? -1 : 0;
}

static uint64_t body_bytes(const struct counts *n, unsigned time_bytes)
{
    return (uint64_t)n->transitions * (time_bytes + 1) + n->types * 6ul + n->chars + n->leaps * (time_bytes + 4ul) + n->standard_flags + n->utc_flags;
}

// The offset that holds before the first transition is that of the first type (RFC 8536, 3.2).
static int read_body(struct weir_zone *z, struct weir_cursor *c, const struct counts *n)
{
    z->count = n->transitions;
    z->at_s = weir_zalloc(n->transitions, sizeof *z->at_s);
    z->offset_s = weir_zalloc(n->transitions + 1, sizeof *z->offset_s);
    for (uint32_t i = 0; i < n->transitions; i++)
        z->at_s[i] = (int64_t)weir_cursor_be64(c);
    struct weir_str indexes = weir_cursor_take(c, n->transitions), types = weir_cursor_take(c, n->types * 6ul);
    weir_cursor_take(c, n->chars + n->leaps * 12ul + n->standard_flags + n->utc_flags);
    if (c->bad)
        return -1;
    for (uint32_t i = 0; i <= n->transitions; i++) {
        uint8_t type = i == 0 ? 0 : (uint8_t)indexes.data[i - 1];
        if (type >= n->types || (i > 1 && z->at_s[i - 1] <= z->at_s[i - 2]))
            return -1;
        uint32_t offset;
        memcpy(&offset, types.data + type * 6, sizeof offset);
        z->offset_s[i] = (int32_t)__builtin_bswap32(offset);
    }
    return 0;
}

static int read_footer(struct weir_zone *z, struct weir_cursor *c)
{
    struct weir_str rest = {(const char *)c->at, (uint32_t)(c->end - c->at)};
    if (rest.bytes < 2 || rest.data[0] != '\n' || rest.data[rest.bytes - 1] != '\n')
        return -1;
    rest = (struct weir_str){rest.data + 1, rest.bytes - 2};
    z->has_rule = rest.bytes > 0;
    return z->has_rule ? posix_tz_parse(rest, &z->rule) : 0;
}

// Version 1 data is passed over: its times have 32 bits.
static int read_tzif(struct weir_zone *z, struct weir_str file)
{
    struct weir_cursor c = {(const uint8_t *)file.data, (const uint8_t *)file.data + file.bytes, false};
    struct counts n;
    uint8_t version;
    if (read_header(&c, &version, &n) < 0 || version < '2')
        return -1;
    weir_cursor_take(&c, body_bytes(&n, 4));
    return c.bad || read_header(&c, &version, &n) < 0 || read_body(z, &c, &n) < 0 ? -1 : read_footer(z, &c);
}

static bool is_safe_name(const char *name)
{
    return *name && *name != '/' && !strstr(name, "..") && strlen(name) < 100;
}

int weir_zone_open(const char *name, struct weir_zone **ret, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *path = weir_format("/usr/share/zoneinfo/%s", name);
    FILE *file = is_safe_name(name) ? fopen(path, "rb") : NULL;
    if (!file)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                         "there is no time zone '%s' (names are those of the IANA database, such as Europe/Rome; package tzdata)", name);
    weir_cleanup(weir_freep) char *bytes = weir_alloc(FILE_BYTES_MAX);
    size_t read = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    struct weir_zone *z = weir_zalloc(1, sizeof *z);
    if (read_tzif(z, (struct weir_str){bytes, (uint32_t)read}) < 0) {
        weir_zone_close(z);
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s is no time zone file (TZif, version 2 or later)", path);
    }
    *ret = z;
    return 0;
}

void weir_zone_close(struct weir_zone *z)
{
    if (!z)
        return;
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

// ---- use

// How many transitions are at or before that second.
static uint32_t transitions_until(const struct weir_zone *z, int64_t s)
{
    uint32_t low = 0, high = z->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (z->at_s[middle] <= s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t weir_zone_offset_ms(const struct weir_zone *z, int64_t ms)
{
    if (!z)
        return 0;
    int64_t s = weir_floor_div(ms, 1000);
    uint32_t passed = transitions_until(z, s);
    if (passed == z->count && z->has_rule)
        return (int64_t)posix_tz_offset_s(&z->rule, s) * 1000;
    return (int64_t)z->offset_s[passed] * 1000;
}

struct weir_civil weir_zone_civil(const struct weir_zone *z, int64_t ms)
{
    return weir_civil_of(ms + weir_zone_offset_ms(z, ms));
}

// The first instant in (from, to] whose offset is not that of `from`, there being one such change between them.
static int64_t change_between(const struct weir_zone *z, int64_t from, int64_t to)
{
    int64_t before = weir_zone_offset_ms(z, from);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (weir_zone_offset_ms(z, middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

int64_t weir_zone_instant(const struct weir_zone *z, const struct weir_civil *local)
{
    static const int64_t day_ms = 86400000;
    int64_t clock = weir_civil_ms(local); // as if the zone were UTC
    int64_t early = weir_zone_offset_ms(z, clock - day_ms), late = weir_zone_offset_ms(z, clock + day_ms);
    int64_t first = clock - early;
    if (early == late || weir_zone_offset_ms(z, first) == early)
        return first; // no change near, or it comes later
    int64_t second = clock - late;
    if (weir_zone_offset_ms(z, second) == late)
        return second;
    return change_between(z, clock - day_ms - early, clock + day_ms - late); // the local time is skipped
}
