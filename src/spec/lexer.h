// SPDX-License-Identifier: Apache-2.0
// The words of an expression.
#pragma once
#include "spec/reading.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_INTEGER, TOKEN_DECIMAL, TOKEN_TEXT, TOKEN_SIGN, TOKEN_WRONG };

struct token {
    enum token_kind kind;
    uint32_t offset, bytes;
    struct weir_str text; // as written; of a NAME, a whole path: a.b[0]
    const char *message;  // WRONG
    const char *hint;     // WRONG; may be NULL
};

struct token lexer_next(struct weir_str text, uint32_t from);
