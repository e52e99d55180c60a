// SPDX-License-Identifier: Apache-2.0
// The HTTP side of a running engine: the API, health and metrics, server-sent events, the page. src/http/openapi.json describes every path.
//
// Requests are answered by a few threads of the server's own. It takes at most 256 connections, 32 KiB of request line and headers, the body that
// the pipeline file allows, 15 seconds of silence and 30 seconds for a request to arrive; answers are at most 8 MiB and 10,000 rows, continued by page.
#pragma once
#include "base/error.h"
#include "engine/engine.h"
#include "registry/registry.h"
#include "spec/plan.h"
#include <stdbool.h>

struct weir_http_options {
    const char *listen;                           // host:port, before spec->listen. NULL: 127.0.0.1:8080, or the next port that is free
    const struct weir_http_spec *spec;            // who may ask; NULL: nothing is configured. Must outlive the server
    bool access_log;                              // a line for each request
    void (*log)(void *context, const char *line); // any thread. NULL: silence
    void *log_context;
};

struct weir_http;

// Listens and serves until weir_http_stop. A port that was given and is taken fails with WEIR_UNAVAILABLE; an address that others can reach with
// neither tokens nor JWT configured, and keys that cannot be read, fail with WEIR_BAD_CONFIG. The engine must outlive the server and need not run yet; it
// is told the address (weir_engine_set_url).
int weir_http_start(struct weir_engine *e, const struct weir_http_options *o, struct weir_http **ret, struct weir_error *err);
// The same for the embedded registry, on 127.0.0.1:8081 unless `listen` says otherwise: the REST API of the Confluent Schema Registry. Bodies have at
// most 4 MiB. spec->listen is not looked at; tokens and JWT are, where `spec` has them: readers may ask, operators may change.
int weir_http_start_registry(struct weir_registry *registry, const struct weir_http_options *o, struct weir_http **ret, struct weir_error *err);
const char *weir_http_url(const struct weir_http *h); // http://127.0.0.1:8080
void weir_http_stop(struct weir_http *h);             // ends streams, waits shortly for answers under way; NULL is nothing
