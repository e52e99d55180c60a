// SPDX-License-Identifier: Apache-2.0
// The values of simulated events: pure functions of (seed, event number, field), so that nothing need be remembered.
//
// Where fields go round fixed sets (uuid, text with members), the largest set is that of the devices: event i of a set of N comes from device i mod N,
// and a smaller set of K is gone round with the devices (device mod K). What describes a device (text, one_of) depends on the device alone: it does
// not move. With only_device every event comes from that one.
#pragma once
#include "spec/plan.h"

struct simulated_clock { // of one event
    int64_t now_ms;      // wall clock, when the event is due
    int64_t clock_ms;    // the feed's faster clock; now_ms where it has none
};

// Fills values[] for event `number`; strings live in `arena` or the plan.
void simulated_event(const struct weir_plan *plan, uint64_t number, const struct simulated_clock *clock, struct weir_arena *arena,
                     struct weir_value *values);

uint64_t simulated_devices(const struct weir_plan *plan); // 0: no field goes round a set

void simulated_uuid(uint64_t seed, uint64_t member, char out[37]); // of version 4's shape
