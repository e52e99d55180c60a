// SPDX-License-Identifier: Apache-2.0
// The values of simulated events: pure functions of (seed, event number, field), so that nothing need be remembered.
//
// Where the event has a uuid field, event i comes from member i mod N of its set. What describes the member (text, one_of) then depends on the member
// alone: a device does not move.
#pragma once
#include "spec/plan.h"

struct simulated_clock { // of one event
    int64_t now_ms;      // wall clock, when the event is due
    int64_t clock_ms;    // the feed's faster clock; now_ms where it has none
};

// Fills values[] for event `number`; strings live in `arena` or the plan.
void simulated_event(const struct weir_plan *plan, uint64_t number, const struct simulated_clock *clock, struct weir_arena *arena,
                     struct weir_value *values);

void simulated_uuid(uint64_t seed, uint64_t member, char out[37]); // of version 4's shape
