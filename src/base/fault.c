// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool weir_faults_armed;
static char fault_name[64];
static atomic_long passages_left;

__attribute__((constructor)) static void arm(void)
{
    const char *spec = getenv("WEIR_FAULT");
    if (!spec || !*spec)
        return;
    const char *colon = strchr(spec, ':');
    size_t bytes = colon ? (size_t)(colon - spec) : strlen(spec);
    if (bytes >= sizeof fault_name)
        return;
    memcpy(fault_name, spec, bytes);
    atomic_store(&passages_left, colon ? strtol(colon + 1, NULL, 10) : 1);
    weir_faults_armed = true;
}

void weir_fault_hit(const char *name)
{
    if (strcmp(name, fault_name) == 0 && atomic_fetch_sub(&passages_left, 1) == 1)
        kill(getpid(), SIGKILL);
}
