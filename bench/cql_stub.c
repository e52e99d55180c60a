// SPDX-License-Identifier: Apache-2.0
// A Cassandra node that does as little as can be: it answers every EXECUTE and BATCH with VOID. A process of its own, so that bench_cql's CPU is the
// client's alone. Usage: cql_stub [v4] [plain]; prints its port, ends with its input.
#include "fake.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    struct fake_options options = {.fast = true};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "v4") == 0)
            options.version_max = 4;
        if (strcmp(argv[i], "plain") == 0)
            options.no_compression = true;
    }
    struct fake_ring *r = fake_ring_open(&options);
    printf("%u\n", fake_port(r));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    fake_ring_close(r);
    return 0;
}
