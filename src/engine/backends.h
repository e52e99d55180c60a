// SPDX-License-Identifier: Apache-2.0
// The engines under pipelines, as their files name them: what a process has open of the data folder, of Kafka, of a registry and of Cassandra. Each part
// is opened when it is first asked for and closed with the rest, so that nothing is asked of an engine that a pipeline does not use.
//
// One thread at a time; what it gives is thread-safe as its own header says.
#pragma once
#include "log/dead.h"
#include "log/log.h"
#include "registry/registry.h"
#include "spec/plan.h"
#include "state/state.h"
#include "store/store.h"

struct weir_backends;

// `log`: one line of what happens to an engine, any thread; NULL: silence.
struct weir_backends *weir_backends_new(const char *data_dir, enum weir_open mode, void (*log)(void *context, const char *line), void *log_context);
void weir_backends_free(struct weir_backends *b); // takes NULL

// Those of a plan; without a plan (NULL) those that the flags and the environment name, else the embedded ones. An engine on the network is tried for
// ten seconds, then it is WEIR_UNAVAILABLE and its address is named.
int weir_backends_log(struct weir_backends *b, const struct weir_plan *plan, struct weir_log **ret, struct weir_error *err);
int weir_backends_registry(struct weir_backends *b, const struct weir_plan *plan, struct weir_registry **ret, struct weir_error *err);
int weir_backends_store(struct weir_backends *b, const struct weir_plan *plan, struct weir_store **ret, struct weir_error *err);
int weir_backends_state(struct weir_backends *b, const struct weir_plan *plan, struct weir_state **ret, struct weir_error *err);
int weir_backends_dead(struct weir_backends *b, const struct weir_plan *plan, struct weir_dead **ret, struct weir_error *err);
void weir_backends_where(struct weir_backends *b, const struct weir_overrides *flags); // what flags say where there is no plan

// The addresses and options of a plan's engines alone, connecting nowhere.
int weir_backends_check(const struct weir_plan *plan, struct weir_error *err);

// What is open: NULL where the log is embedded, or the data folder was not needed.
struct weir_kafka *weir_backends_kafka(const struct weir_backends *b, const struct weir_plan *plan);
struct weir_embedded *weir_backends_embedded(const struct weir_backends *b);
int weir_backends_refresh(struct weir_backends *b, struct weir_error *err); // of a reader of the data folder: what was committed since

char *weir_partials_topic(const struct weir_plan *plan); // the name of the topic of groups that span partitions; the caller's

// Starts a pipeline over: forgets its state and raises the epoch, so that everything in the topic is read again and what is then written wins over what
// was written before. WEIR_UNAVAILABLE where a process runs it.
int weir_backends_reset(struct weir_backends *b, const struct weir_plan *plan, struct weir_error *err);
