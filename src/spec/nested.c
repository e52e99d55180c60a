// SPDX-License-Identifier: Apache-2.0
// Paths into an Avro record, `location.city`, `readings[0]`: each that an expression uses becomes an event field behind the record's own.
#include "avro/place.h"
#include "spec/reading.h"

enum { NESTED_MAX = 1000 };

static int look(const struct reading *r, struct weir_str path, struct weir_field *field, const char **ret_kind)
{
    struct weir_avro_step steps[WEIR_AVRO_STEPS_MAX];
    int count = weir_avro_steps(path, steps);
    *ret_kind = NULL;
    if (!r->record || count < 2)
        return -1;
    return weir_avro_place(r->record, steps, count, 0, &field->type, &field->optional, ret_kind);
}

static uint32_t add(struct reading *r, struct weir_field field)
{
    struct weir_event_spec *event = &r->plan->event;
    uint32_t count = event->field_count + event->nested_count;
    if ((event->nested_count & (event->nested_count - 1)) == 0) { // 0, 1, 2, 4, …: room for as many again
        struct weir_field *grown = weir_arena_zalloc(r->arena, (count + event->nested_count + 1) * sizeof *grown);
        memcpy(grown, event->fields, count * sizeof *grown);
        event->fields = grown;
    }
    event->fields[count] = field;
    event->nested_count++;
    return count;
}

int64_t spec_find_nested(struct reading *r, struct weir_str path)
{
    struct weir_field field = {0};
    const char *kind;
    if (r->plan->event.nested_count == NESTED_MAX || look(r, path, &field, &kind) < 0)
        return -1;
    field.name = weir_arena_copy(r->arena, path).data;
    return add(r, field);
}

void spec_mistake_nested(struct reading *r, struct place at, const char *what, struct weir_str path)
{
    struct weir_field field;
    const char *kind;
    int bytes = (int)(path.bytes < 100 ? path.bytes : 100);
    if (r->plan->event.nested_count == NESTED_MAX)
        spec_mistake(r, at, NULL, "%smore than %d different paths into the event", what, NESTED_MAX);
    else if (look(r, path, &field, &kind) < 0 && kind)
        spec_mistake(r, at, NULL, "%s'%.*s' is of type %s, which no expression can use", what, bytes, path.data, kind);
    else
        spec_mistake(r, at, NULL, "%sthe event has nothing at '%.*s'", what, bytes, path.data);
}
