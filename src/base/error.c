// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int weir_fail(struct weir_error *err, enum weir_code code, enum weir_fate fate, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[sizeof err->text]; // the arguments may point into err->text itself
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(err->text, text, sizeof text);
    err->code = code;
    err->fate = fate;
    return -1;
}

int weir_wrap(struct weir_error *err, const char *format, ...)
{
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    int left = used < 0 ? 0 : (int)sizeof err->text - used - 3; // for ": " and the NUL
    if (left > 0)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %.*s", left, inner);
    return -1;
}

void weir_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "weir: internal error: %s does not hold at %s:%d\n", condition, file, line);
    abort();
}
