// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/term.h"

int session_plan(struct session *s, const struct cli_args *args, const char *file, struct weir_error *err)
{
    return weir_plan_load(file, &args->where, stderr, term_color(stderr), &s->plan, err);
}

static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

void session_begin(struct session *s, const struct cli_args *args, enum weir_open mode)
{
    s->backends = weir_backends_new(s->plan ? s->plan->data_dir : cli_data_dir(args), mode, say, NULL);
    weir_backends_where(s->backends, &args->where);
}

int session_log(struct session *s, struct weir_error *err)
{
    return s->log ? 0 : weir_backends_log(s->backends, s->plan, &s->log, err);
}

int session_registry(struct session *s, struct weir_error *err)
{
    return s->registry ? 0 : weir_backends_registry(s->backends, s->plan, &s->registry, err);
}

int session_store(struct session *s, struct weir_error *err)
{
    return s->store ? 0 : weir_backends_store(s->backends, s->plan, &s->store, err);
}

int session_dead(struct session *s, struct weir_error *err)
{
    return s->dead ? 0 : weir_backends_dead(s->backends, s->plan, &s->dead, err);
}

int session_decoder(struct session *s, struct weir_error *err)
{
    if (s->decoder)
        return 0;
    if (s->plan->event.format == WEIR_FORMAT_AVRO && session_registry(s, err) < 0)
        return -1;
    return weir_decoder_new(s->plan, s->registry, &s->decoder, err);
}

void session_close(struct session *s)
{
    if (s->decoder)
        weir_decoder_free(s->decoder);
    weir_backends_free(s->backends);
    if (s->plan)
        weir_plan_free(s->plan);
    *s = (struct session){0};
}
