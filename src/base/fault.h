// SPDX-License-Identifier: Apache-2.0
// Named points at which a test may kill the process: WEIR_FAULT=name or WEIR_FAULT=name:N kills it (SIGKILL) at the Nth passage, WEIR_FAULT=name:N:stop
// freezes it there (SIGSTOP).
// Without the variable a point costs one predictable branch.
#pragma once
#include <stdbool.h>

extern bool weir_faults_armed;
void weir_fault_hit(const char *name);

static inline void weir_fault(const char *name)
{
    if (__builtin_expect(weir_faults_armed, 0))
        weir_fault_hit(name);
}
