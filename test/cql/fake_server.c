// SPDX-License-Identifier: Apache-2.0
// The fake ring as a program, for clients in other languages: prints its port and serves until its input ends. A line of input is a command, and each is
// answered by a line:
//
//   rows | doubled | misrouted | garbage          a count
//   stop N | start N | forget N                   a node
//   event TYPE CHANGE N | error CODE TIMES        as the header has them; the error is for EXECUTE and BATCH
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>

static void count(struct fake_ring *r, const char *what)
{
    struct fake_stats s = fake_stats(r, FAKE_ANY);
    uint64_t n = 0;
    if (strcmp(what, "rows") == 0)
        n = fake_row_count(r);
    else if (strcmp(what, "doubled") == 0)
        n = fake_rows_doubled(r);
    else if (strcmp(what, "misrouted") == 0)
        n = s.misrouted;
    else if (strcmp(what, "garbage") == 0)
        n = s.garbage;
    printf("%llu\n", (unsigned long long)n);
}

static bool node_command(struct fake_ring *r, const char *line)
{
    unsigned node;
    if (sscanf(line, "stop %u", &node) == 1)
        fake_node_stop(r, node);
    else if (sscanf(line, "start %u", &node) == 1)
        fake_node_start(r, node);
    else if (sscanf(line, "forget %u", &node) == 1)
        fake_node_forget(r, node);
    else
        return false;
    return true;
}

static void command(struct fake_ring *r, const char *line)
{
    char type[32], change[32];
    unsigned node, code, times;
    if (sscanf(line, "event %31s %31s %u", type, change, &node) == 3) {
        fake_event(r, type, change, node);
    } else if (sscanf(line, "error %x %u", &code, &times) == 2) {
        fake_rule_add(r, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .times = times, .error = (int32_t)code});
        fake_rule_add(r, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_BATCH, .times = times, .error = (int32_t)code});
    } else if (!node_command(r, line)) {
        count(r, line);
        return;
    }
    puts("ok");
}

static struct fake_options options_of(int argc, char **argv)
{
    struct fake_options o = {.nodes = 3};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "v4") == 0)
            o.version_max = 4;
        else if (strcmp(argv[i], "beta") == 0)
            o.v5_beta = true;
        else if (strcmp(argv[i], "plain") == 0)
            o.no_compression = true;
        else if (strcmp(argv[i], "old") == 0)
            o.no_peers_v2 = true;
        else if (strcmp(argv[i], "login") == 0)
            o.username = "cassandra", o.password = "secret";
    }
    return o;
}

int main(int argc, char **argv)
{
    struct fake_options options = options_of(argc, argv);
    struct fake_ring *r = fake_ring_open(&options);
    char line[256];
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%u\n", fake_port(r));
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        command(r, line);
    }
    fake_ring_close(r);
    return 0;
}
