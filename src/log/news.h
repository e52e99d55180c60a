// SPDX-License-Identifier: Apache-2.0
// Something new: a count that goes up, and waiting for it to. Thread-safe.
#pragma once
#include <pthread.h>
#include <stdint.h>

struct log_news {
    pthread_mutex_t mutex;
    pthread_cond_t told;
    uint64_t count;
};

void log_news_init(struct log_news *n);
void log_news_drop(struct log_news *n);
void log_news_tell(struct log_news *n);
// Waits until there is news since *seen, or timeout_ms passed; updates *seen.
void log_news_wait(struct log_news *n, uint64_t *seen, int64_t timeout_ms);
