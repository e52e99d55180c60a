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
static int fault_signal = SIGKILL;

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
    char *end = NULL;
    atomic_store(&passages_left, colon ? strtol(colon + 1, &end, 10) : 1);
    if (end && strcmp(end, ":stop") == 0)
        fault_signal = SIGSTOP;
    weir_faults_armed = true;
}

void weir_fault_hit(const char *name)
{
    if (strcmp(name, fault_name) == 0 && atomic_fetch_sub(&passages_left, 1) == 1)
        kill(getpid(), fault_signal);
}
