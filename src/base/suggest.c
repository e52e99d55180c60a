// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"
#include <stdio.h>

#define NAME_BYTES_MAX 64

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t weir_edit_distance(struct weir_str a, struct weir_str b)
{
    if (a.bytes > NAME_BYTES_MAX || b.bytes > NAME_BYTES_MAX)
        return SIZE_MAX;
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b.bytes; j++)
        previous[j] = j;
    for (size_t i = 1; i <= a.bytes; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b.bytes; j++) {
            unsigned char x = fold(a.data[i - 1]), y = fold(b.data[j - 1]);
            current[j] = least(least(previous[j], current[j - 1]) + 1, previous[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b.data[j - 2]) && y == fold(a.data[i - 2]))
                current[j] = least(current[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b.bytes];
}

static bool near_enough(size_t distance, size_t longer)
{
    size_t allowed = longer / 3 ? longer / 3 : 1;
    return distance <= allowed && distance < longer;
}

size_t weir_suggest(struct weir_str name, const char *const *candidates, size_t count, const char *ret[WEIR_SUGGESTIONS_MAX])
{
    size_t found = 0, best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i])
            continue;
        struct weir_str candidate = weir_str_of(candidates[i]);
        size_t distance = weir_edit_distance(name, candidate);
        if (distance > best || !near_enough(distance, name.bytes > candidate.bytes ? name.bytes : candidate.bytes))
            continue;
        if (distance < best)
            found = 0;
        best = distance;
        if (found < WEIR_SUGGESTIONS_MAX)
            ret[found++] = candidates[i];
    }
    return found;
}

bool weir_suggest_text(struct weir_str name, const char *const *candidates, size_t count, char *out, size_t bytes)
{
    const char *near[WEIR_SUGGESTIONS_MAX];
    size_t found = weir_suggest(name, candidates, count, near);
    out[0] = '\0';
    if (found == 1)
        snprintf(out, bytes, "did you mean '%s'?", near[0]);
    else if (found == 2)
        snprintf(out, bytes, "did you mean '%s' or '%s'?", near[0], near[1]);
    else if (found == 3)
        snprintf(out, bytes, "did you mean '%s', '%s' or '%s'?", near[0], near[1], near[2]);
    return found > 0;
}
