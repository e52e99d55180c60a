// SPDX-License-Identifier: Apache-2.0
// What a verb has open. Each piece is opened when asked for; session_close closes what was.
#pragma once
#include "cli/cli.h"
#include "engine/backends.h"
#include "format/format.h"

struct session {
    struct weir_plan *plan;
    struct weir_backends *backends; // owns log, registry, store and dead
    struct weir_log *log;
    struct weir_registry *registry;
    struct weir_store *store;
    struct weir_dead *dead;
    struct weir_decoder *decoder;
};

// Reads a pipeline file with the verb's overrides; its mistakes are printed to stderr.
int session_plan(struct session *s, const struct cli_args *args, const char *file, struct weir_error *err);
// Says how engines are to be opened, and where those that no plan names are: by the flags.
void session_begin(struct session *s, const struct cli_args *args, enum weir_open mode);
// These open what the plan names, or else the flags; session_begin must have been called.
int session_log(struct session *s, struct weir_error *err);
int session_registry(struct session *s, struct weir_error *err);
int session_store(struct session *s, struct weir_error *err);
int session_dead(struct session *s, struct weir_error *err);    // of the plan's pipeline
int session_decoder(struct session *s, struct weir_error *err); // of the plan's events
void session_close(struct session *s);
