// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.h"

static int not_built_in(const struct cli_args *args)
{
    struct weir_error err;
    weir_fail(&err, WEIR_UNAVAILABLE, WEIR_STOP, "'%s' is not built in yet; 'make bench' runs the measurements there are", args->path);
    return cli_report(&err);
}

int bench_avro(const struct cli_args *args)
{
    return not_built_in(args);
}
