// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"
#include "log/kafka/letters.h"

static const struct weir_str *find(const struct weir_kafka_header *headers, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0)
            return &headers[i].value;
    return NULL;
}

// A number in a header; 0 where there is none, as with schema ids.
static int64_t number(const struct weir_kafka_header *headers, uint32_t count, const char *name, bool *bad)
{
    int64_t value = 0;
    const struct weir_str *text = find(headers, count, name);
    if (text && weir_parse_i64(*text, &value) < 0)
        *bad = true;
    return value;
}

static const char *text(const struct weir_kafka_header *headers, uint32_t count, const char *name, struct weir_arena *arena)
{
    const struct weir_str *value = find(headers, count, name);
    return value ? weir_arena_copy(arena, *value).data : NULL;
}

// Up to the next slash, which is passed over; without one, to the end.
static struct weir_str next_part(struct weir_str *rest)
{
    const char *slash = rest->bytes ? memchr(rest->data, '/', rest->bytes) : NULL;
    struct weir_str part = {rest->data, slash ? (uint32_t)(slash - rest->data) : rest->bytes};
    uint32_t used = part.bytes + (slash != NULL);
    *rest = (struct weir_str){rest->data + used, rest->bytes - used};
    return part;
}

static bool is_partition(int64_t value)
{
    return value >= -1 && value <= INT32_MAX;
}

static int parse_mark(struct weir_str identity, struct weir_arena *arena, struct weir_dead_letter *ret)
{
    struct weir_dead_letter letter = {0};
    int64_t partition;
    if (weir_reason_parse(next_part(&identity), &letter.reason) < 0 || weir_parse_i64(next_part(&identity), &partition) < 0 ||
        !is_partition(partition) || weir_parse_i64(next_part(&identity), &letter.offset) < 0)
        return -1;
    letter.partition = (int32_t)partition;
    letter.query = identity.bytes ? weir_arena_copy(arena, identity).data : NULL;
    *ret = letter;
    return 1;
}

int letter_parse(const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count, struct weir_arena *arena,
                 struct weir_dead_letter *ret)
{
    const struct weir_str *mark = find(headers, header_count, "weir.replayed"), *reason = find(headers, header_count, "weir.reason");
    if (mark)
        return parse_mark(*mark, arena, ret);
    bool bad = !find(headers, header_count, "weir.partition") || !find(headers, header_count, "weir.offset");
    int64_t partition = number(headers, header_count, "weir.partition", &bad), schema_id = number(headers, header_count, "weir.schema.id", &bad);
    struct weir_dead_letter letter = {
        .partition = (int32_t)partition,
        .offset = number(headers, header_count, "weir.offset", &bad),
        .timestamp_ms = number(headers, header_count, "weir.timestamp", &bad),
        .schema_id = (int32_t)schema_id,
        .key = m->key,
        .null_key = m->null_key,
        .value = m->value,
    };
    bad |= !is_partition(partition) || schema_id != letter.schema_id;
    if (bad || !reason || weir_reason_parse(*reason, &letter.reason) < 0)
        return -1;
    letter.topic = text(headers, header_count, "weir.topic", arena);
    letter.query = text(headers, header_count, "weir.query", arena);
    letter.text = text(headers, header_count, "weir.error", arena);
    *ret = letter;
    return 0;
}
