// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

#include <stdarg.h>
#include <stdio.h>

int parse_fail(struct parse *p, const char *format, ...)
{
    char text[sizeof p->err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return weir_fail(p->err, WEIR_BAD_DATA, WEIR_STOP, "schema%s%s: %s", p->path_bytes ? ": " : "", p->path, text);
}

uint32_t parse_enter(struct parse *p, const char *format, ...)
{
    uint32_t mark = p->path_bytes;
    uint32_t room = PARSE_PATH_BYTES - mark;
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(p->path + mark, room, format, args);
    va_end(args);
    weir_assert(bytes >= 0);
    p->path_bytes += (uint32_t)bytes < room ? (uint32_t)bytes : room - 1;
    return mark;
}

void parse_leave(struct parse *p, uint32_t mark)
{
    p->path[mark] = 0;
    p->path_bytes = mark;
}
