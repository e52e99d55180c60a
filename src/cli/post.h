// SPDX-License-Identifier: Apache-2.0
// Events to a running weir, over HTTP: POST /api/v1/topics/{topic}/records, as arrays of JSON. One connection, kept open; one thread.
#pragma once
#include "base/error.h"
#include "base/str.h"

struct post;

// `url` is the server's ("http://127.0.0.1:8080"), `token` a bearer token or NULL. Connects with the first post.
struct post *post_open(const char *url, const char *topic, const char *token);
// Sends one body; 0 once the server has it durably. A server that is not there fails with WEIR_UNAVAILABLE, one that wants another token with
// WEIR_BAD_CONFIG, events that it does not take with WEIR_BAD_DATA and its words.
int post_send(struct post *p, struct weir_str json, struct weir_error *err);
void post_close(struct post *p); // takes NULL
