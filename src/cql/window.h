// SPDX-License-Identifier: Apache-2.0
// How many requests a node may have in flight: as many as keep it busy, not so many that it falls behind. Pure.
//
//   grows    while answers come within the target latency and the window is really used: by one an answer until the first trouble, then by one a window
//   shrinks  to 0.9 once a round trip while latency is above the target, but not below 8; to half, at most once a round trip, on Overloaded and timeouts
//   target   four times the lowest latency seen lately, within 50 ms (below that nobody waits) and 150 ms (or twice the lowest, where that is more)
//
// Additive increase, multiplicative decrease (Chiu and Jain, 1989), with the delay as early sign (Brakmo and Peterson, 1995).
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cql_window {
    double limit;
    uint32_t max;
    bool probing;                      // nothing has gone wrong yet: double each round trip
    int64_t lowest_us, lowest_next_us; // lately; of this stretch of time, at whose end it may raise the former a little
    int64_t stretch_end_us;
    int64_t smoothed_us;
    int64_t cut_until_us; // what was sent before the last cut says nothing about the window since
};

void cql_window_init(struct cql_window *w, uint32_t max);
uint32_t cql_window_size(const struct cql_window *w); // at least 1
void cql_window_answered(struct cql_window *w, int64_t now_us, int64_t latency_us, uint32_t in_flight);
void cql_window_troubled(struct cql_window *w, int64_t now_us, int64_t latency_us); // Overloaded, a timeout
