// SPDX-License-Identifier: Apache-2.0
// Records of a topic as JSON, an object a line: {"partition":0,"offset":7,"time":"…","key":"…","value":…}.
#pragma once
#include "cli/session.h"

struct tail_options {
    const char *topic;
    int64_t partition; // -1: all
    int64_t offset;    // -1: the last `limit` of each partition
    uint64_t limit;    // 0: the last 10, or with an offset all
    bool follow;
};

// With s->decoder, values are decoded. Follows until stdout is gone or the process is interrupted.
int tail_topic(struct session *s, const struct tail_options *options, struct weir_error *err);
