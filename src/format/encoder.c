// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "format/codec.h"
#include <stdlib.h>

struct weir_encoder {
    const struct weir_plan *plan;
    struct codec_encoder *codec;
};

int weir_encoder_new(const struct weir_plan *plan, struct weir_registry *registry, struct weir_encoder **ret, struct weir_error *err)
{
    struct codec_encoder *codec;
    int got = plan->event.format == WEIR_FORMAT_AVRO ? codec_avro_encoder(plan, registry, &codec, err) : codec_json_encoder(plan, &codec, err);
    if (got < 0)
        return -1;
    *ret = encoder_of_codec(plan, codec);
    return 0;
}

struct weir_encoder *encoder_of_codec(const struct weir_plan *plan, struct codec_encoder *codec)
{
    struct weir_encoder *e = weir_alloc(sizeof *e);
    *e = (struct weir_encoder){plan, codec};
    return e;
}

void weir_encoder_free(struct weir_encoder *e)
{
    if (!e)
        return;
    e->codec->free(e->codec);
    free(e);
}

int weir_encode(struct weir_encoder *e, const struct weir_value *values, struct weir_buffer *out, struct weir_error *err)
{
    const struct weir_event_spec *event = &e->plan->event;
    for (uint32_t f = 0; f < event->field_count; f++)
        if (values[f].null && !event->fields[f].optional)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: null in a required field", event->fields[f].name);
    size_t before = out->bytes;
    int encoded = e->codec->event(e->codec, values, out, err);
    if (encoded < 0)
        out->bytes = before;
    return encoded;
}
