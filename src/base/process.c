// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include "base/error.h"
#include "base/memory.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A line "NAME:\t…" of /proc/PID/status, from behind its tab; empty where there is none.
static void read_status(long pid, const char *name, char *ret, size_t bytes)
{
    weir_cleanup(weir_freep) char *path = weir_format("/proc/%ld/status", pid);
    FILE *file = fopen(path, "re");
    char line[256];
    *ret = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            snprintf(ret, bytes, "%s", line + strlen(name) + 2);
    if (file)
        fclose(file);
}

bool weir_process_dying(long pid)
{
    char state[64], pending[64];
    read_status(pid, "State", state, sizeof state);
    read_status(pid, "ShdPnd", pending, sizeof pending);
    return *state == 0 || *state == 'Z' || *state == 'X' || strtoull(pending, NULL, 16) >> (SIGKILL - 1) & 1;
}
