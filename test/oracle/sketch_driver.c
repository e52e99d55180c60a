// SPDX-License-Identifier: Apache-2.0
// Answers questions about quantiles, a line of JSON each, for sketch_test.py:
//   {"values": [NUMBER…], "quantiles": [NUMBER…], "parts": N}
//   → {"sketch": [NUMBER…], "exact": [NUMBER…], "bytes": memory of the sketch, "saved": its size in a checkpoint, "same": BOOL}
// `same`: dealt out to N sketches and merged backwards, and restored from their bytes, the values leave the same bytes; exact sets, too.
#include "query/exact.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *quantiles_of(struct blob *blob, const json_t *quantiles, bool exact)
{
    json_t *answers = json_array(), *q;
    size_t i;
    json_array_foreach(quantiles, i, q)
    {
        double at = json_number_value(q);
        json_array_append_new(answers, json_real(exact ? exact_quantile(blob, at) : sketch_quantile(blob, at)));
    }
    return answers;
}

static void save(struct blob *blob, bool exact, struct weir_buffer *out)
{
    if (exact)
        exact_save(blob, out);
    else
        sketch_save(blob, out);
}

static struct blob *saved_and_restored(struct blob *blob, bool exact)
{
    struct weir_buffer bytes = {0};
    struct blob *restored = NULL;
    save(blob, exact, &bytes);
    struct weir_cursor c = {bytes.data, bytes.data + bytes.bytes, false};
    if ((exact ? exact_restore(&restored, &c) : sketch_restore(&restored, &c)) < 0)
        fprintf(stderr, "what was saved is refused\n");
    weir_buffer_drop(&bytes);
    blob_drop(&blob);
    return restored;
}

static struct blob *of_values(const json_t *values, size_t parts, size_t part, bool exact)
{
    struct blob *blob = NULL;
    for (size_t i = part; i < json_array_size(values); i += parts)
        (exact ? exact_add : sketch_add)(&blob, json_number_value(json_array_get(values, i)));
    return blob;
}

static bool same_in_parts(struct blob *whole, const json_t *values, size_t parts, bool exact)
{
    struct blob *merged = NULL;
    for (size_t part = parts; part-- > 0;) {
        struct blob *blob = saved_and_restored(of_values(values, parts, part, exact), exact);
        (exact ? exact_merge : sketch_merge)(&merged, blob);
        blob_drop(&blob);
    }
    struct weir_buffer a = {0}, b = {0};
    save(whole, exact, &a);
    save(merged, exact, &b);
    bool same = weir_str_eq(weir_buffer_view(&a), weir_buffer_view(&b));
    weir_buffer_drop(&a);
    weir_buffer_drop(&b);
    blob_drop(&merged);
    return same;
}

static size_t saved_bytes(struct blob *sketch)
{
    struct weir_buffer bytes = {0};
    sketch_save(sketch, &bytes);
    size_t count = bytes.bytes;
    weir_buffer_drop(&bytes);
    return count;
}

static json_t *answer_to(const json_t *question)
{
    const json_t *values = json_object_get(question, "values"), *quantiles = json_object_get(question, "quantiles");
    size_t parts = (size_t)json_integer_value(json_object_get(question, "parts"));
    struct blob *sketch = of_values(values, 1, 0, false), *exact = of_values(values, 1, 0, true);
    bool same = same_in_parts(sketch, values, parts, false) && same_in_parts(exact, values, parts, true);
    json_t *answer = json_object();
    json_object_set_new(answer, "sketch", quantiles_of(sketch, quantiles, false));
    json_object_set_new(answer, "exact", quantiles_of(exact, quantiles, true));
    json_object_set_new(answer, "bytes", json_integer((json_int_t)(sizeof *sketch + sketch->capacity)));
    json_object_set_new(answer, "saved", json_integer((json_int_t)saved_bytes(sketch)));
    json_object_set_new(answer, "same", json_boolean(same));
    blob_drop(&sketch);
    blob_drop(&exact);
    return answer;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        json_t *question = json_loads(line, 0, NULL), *answer = answer_to(question);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(question);
        json_decref(answer);
    }
    free(line);
    return 0;
}
