// SPDX-License-Identifier: Apache-2.0
// Any bytes as a JSON event. What the scanner takes must be JSON, and what it takes out must survive being written and read again.
#include "base/error.h"
#include "format/json_scan.h"

static const struct json_want wants[] = {{"id", WEIR_STRING, true},  {"time", WEIR_LONG, true}, {"value", WEIR_DOUBLE, true}, {"n", WEIR_INT, true},
                                         {"on", WEIR_BOOLEAN, true}, {"f", WEIR_FLOAT, true},   {"id", WEIR_STRING, true}};
enum { WANTS = sizeof wants / sizeof *wants };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const struct weir_value *value, struct weir_arena *arena)
{
    struct weir_buffer out = {0};
    struct json_text_string string;
    struct weir_str back;
    if (value->null)
        return;
    weir_assert(json_text_quote(value->str, false, &out) == 0);
    struct json_text t = {(char *)out.data, (char *)out.data, (char *)out.data + out.bytes};
    weir_assert(!json_text_string(&t, &string) && !json_text_value(&string, arena, &back) && weir_str_eq(back, value->str));
    weir_buffer_drop(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_scan *scan = json_scan_new(wants, WANTS);
    struct weir_arena arena = {0};
    struct weir_value values[WANTS];
    struct weir_str text = {(const char *)data, (uint32_t)size};
    char why[192];
    for (int again = 0; again < 2; again++) {
        int taken = json_scan_object(scan, text, &arena, values, why, sizeof why);
        weir_assert(taken == 0 || strlen(why) > 0);
        if (json_text_utf8(text) && taken == 0)
            weir_assert(json_text_valid(text));
        if (taken == 0)
            check_string(&values[0], &arena);
        if (taken == 0 && !values[0].null)
            weir_assert(weir_str_eq(values[0].str, values[WANTS - 1].str));
    }
    weir_arena_drop(&arena);
    json_scan_free(scan);
    return 0;
}
