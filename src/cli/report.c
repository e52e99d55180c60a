// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/term.h"
#include <stdlib.h>

int cli_report(const struct weir_error *err)
{
    bool color = term_color(stderr);
    fprintf(stderr, "weir: %serror:%s %s\n", color ? TERM_RED : "", color ? TERM_PLAIN : "", err->text);
    return err->code == WEIR_OK ? WEIR_FAILED : (int)err->code;
}

int cli_usage(const struct cli_args *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "weir %s: ", args->path);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\n'weir %s --help' says more\n", args->path);
    return WEIR_USAGE;
}

const char *cli_data_dir(const struct cli_args *args)
{
    const char *dir = args->where.data_dir ? args->where.data_dir : getenv("WEIR_DATA");
    return dir && *dir ? dir : "weir-data";
}
