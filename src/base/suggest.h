// SPDX-License-Identifier: Apache-2.0
// Names that somebody may have meant: nearest by Damerau-Levenshtein distance (optimal string alignment), letter case aside.
#pragma once
#include "base/str.h"
#include <stddef.h>

#define WEIR_SUGGESTIONS_MAX 3

// The candidates nearest to `name`, all at the same distance, in the candidates' order; none where even the nearest is too far to be a slip
// (more than a third of the longer name). Returns how many were written to `ret`; candidates may hold NULLs, which are passed over.
size_t weir_suggest(struct weir_str name, const char *const *candidates, size_t count, const char *ret[WEIR_SUGGESTIONS_MAX]);

// "did you mean 'a'?", "did you mean 'a', 'b' or 'c'?"; an empty string where nothing is near. Returns whether something is.
bool weir_suggest_text(struct weir_str name, const char *const *candidates, size_t count, char *out, size_t bytes);

// Edits between two names, case aside: insertion, deletion, substitution, swap of neighbours. SIZE_MAX for names over 64 bytes.
size_t weir_edit_distance(struct weir_str a, struct weir_str b);
