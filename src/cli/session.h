// SPDX-License-Identifier: Apache-2.0
// What a verb has open. Each piece is opened when asked for; session_close closes what was.
#pragma once
#include "cli/cli.h"
#include "embedded/embedded.h"
#include "format/format.h"
#include "log/dead.h"
#include "log/log.h"
#include "registry/registry.h"
#include "store/store.h"

struct session {
    struct weir_plan *plan;
    struct weir_embedded *db;
    struct weir_log *log;
    struct weir_registry *registry;
    struct weir_store *store;
    struct weir_dead *dead;
    struct weir_decoder *decoder;
};

// Reads a pipeline file with the verb's overrides; its mistakes are printed to stderr.
int session_plan(struct session *s, const struct cli_args *args, const char *file, struct weir_error *err);
// Opens the data folder: the plan's if there is a plan, else the verb's.
int session_data(struct session *s, const struct cli_args *args, enum weir_open mode, struct weir_error *err);
// These open the data folder's parts; session_data must have been called.
int session_log(struct session *s, struct weir_error *err);
int session_registry(struct session *s, struct weir_error *err);
int session_store(struct session *s, struct weir_error *err);
int session_dead(struct session *s, struct weir_error *err);    // of the plan's pipeline
int session_decoder(struct session *s, struct weir_error *err); // of the plan's events
void session_close(struct session *s);
