// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"
#include "cql/wire.h"
#include <arpa/inet.h>

static uint32_t load32(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return __builtin_bswap32(v);
}

static uint64_t load64(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

bool cql_cell_boolean(struct weir_str cell, bool *ret)
{
    if (cell.bytes != 1)
        return false;
    *ret = cell.data[0] != 0;
    return true;
}

bool cql_cell_int(struct weir_str cell, int32_t *ret)
{
    if (cell.bytes != sizeof *ret)
        return false;
    *ret = (int32_t)load32(cell.data);
    return true;
}

bool cql_cell_bigint(struct weir_str cell, int64_t *ret)
{
    if (cell.bytes != sizeof *ret)
        return false;
    *ret = (int64_t)load64(cell.data);
    return true;
}

bool cql_cell_float(struct weir_str cell, float *ret)
{
    if (cell.bytes != sizeof *ret)
        return false;
    uint32_t bits = load32(cell.data);
    memcpy(ret, &bits, sizeof bits);
    return true;
}

bool cql_cell_double(struct weir_str cell, double *ret)
{
    if (cell.bytes != sizeof *ret)
        return false;
    uint64_t bits = load64(cell.data);
    memcpy(ret, &bits, sizeof bits);
    return true;
}

bool cql_cell_uuid(struct weir_str cell, char ret_text[37])
{
    if (cell.bytes != 16)
        return false;
    weir_uuid_format((const uint8_t *)cell.data, ret_text);
    return true;
}

bool cql_cell_inet(struct weir_str cell, char ret_text[46])
{
    if (cell.bytes != 4 && cell.bytes != 16)
        return false;
    return inet_ntop(cell.bytes == 4 ? AF_INET : AF_INET6, cell.data, ret_text, INET6_ADDRSTRLEN) != NULL;
}

bool cql_cell_list(struct weir_str cell, struct weir_cursor *ret, int32_t *ret_count)
{
    struct weir_cursor c = cql_cursor(cell);
    int32_t count = cql_take_int(&c);
    if (c.bad || count < 0 || count > (c.end - c.at) / 4) // each has its length at least
        return false;
    *ret = c;
    *ret_count = count;
    return true;
}
