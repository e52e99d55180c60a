// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/term.h"

int session_plan(struct session *s, const struct cli_args *args, const char *file, struct weir_error *err)
{
    return weir_plan_load(file, &args->where, stderr, term_color(stderr), &s->plan, err);
}

int session_data(struct session *s, const struct cli_args *args, enum weir_open mode, struct weir_error *err)
{
    return weir_embedded_open(s->plan ? s->plan->data_dir : cli_data_dir(args), mode, &s->db, err);
}

int session_log(struct session *s, struct weir_error *err)
{
    return s->log ? 0 : weir_log_embedded(s->db, &s->log, err);
}

int session_registry(struct session *s, struct weir_error *err)
{
    return s->registry ? 0 : weir_registry_embedded(s->db, &s->registry, err);
}

int session_store(struct session *s, struct weir_error *err)
{
    return s->store ? 0 : weir_store_embedded(s->db, &s->store, err);
}

int session_dead(struct session *s, struct weir_error *err)
{
    return s->dead ? 0 : weir_dead_embedded(s->db, s->plan->pipeline, &s->dead, err);
}

int session_decoder(struct session *s, struct weir_error *err)
{
    if (s->decoder)
        return 0;
    if (session_registry(s, err) < 0)
        return -1;
    return weir_decoder_new(s->plan, s->registry, &s->decoder, err);
}

void session_close(struct session *s)
{
    if (s->decoder)
        weir_decoder_free(s->decoder);
    if (s->dead)
        weir_dead_close(s->dead);
    if (s->store)
        weir_store_close(s->store);
    if (s->registry)
        weir_registry_close(s->registry);
    if (s->log)
        weir_log_close(s->log);
    weir_embedded_close(s->db);
    if (s->plan)
        weir_plan_free(s->plan);
    *s = (struct session){0};
}
