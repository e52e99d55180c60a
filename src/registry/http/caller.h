// SPDX-License-Identifier: Apache-2.0
// Requests to a registry: addresses, credentials, time limits, and what it means when there is no answer.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include <jansson.h>

enum { CALLER_BODY_BYTES_MAX = 10 << 20 };

struct caller;

int caller_new(const char *url, uint32_t option_count, const struct weir_option *options, struct caller **ret, struct weir_error *err);
void caller_free(struct caller *c);        // takes NULL
bool caller_waits(const struct caller *c); // on_unavailable: wait

// Tries for ten seconds until the registry answers.
int caller_connect(struct caller *c, struct weir_error *err);
bool caller_healthy(struct caller *c, struct weir_buffer *reasons);

// Sends a request (body NULL: GET) to the first address that answers, and gives its status (200 to 499) and its body, NULL if that is no JSON; the
// caller's to let go. No answer from any address, or only answers of 401, 403, 408, 429 and from 500 on, fail with WEIR_UNAVAILABLE and WEIR_RETRY. Any thread.
int caller_send(struct caller *c, const char *path, const char *body, json_t **ret_json, struct weir_error *err);

void caller_escape(struct weir_buffer *out, const char *text); // as one segment of a path
