// SPDX-License-Identifier: Apache-2.0
// Expressions as written: names are not looked up and types not known yet (check.h does that).
//
//   or  <  and  <  not  <  == != < <= > >=  <  + -  <  * /  <  unary -  <  call, name, number, 'text', ( )
#pragma once
#include "spec/reading.h"

#define SYNTAX_DEPTH_MAX 100 // of the tree, so that whoever walks it may recurse

enum syntax_kind { SYNTAX_NAME, SYNTAX_INTEGER, SYNTAX_DECIMAL, SYNTAX_TEXT, SYNTAX_CALL, SYNTAX_OPERATOR };

struct syntax {
    enum syntax_kind kind;
    enum weir_op op;        // OPERATOR
    struct weir_str text;   // NAME, CALL: the name; TEXT: what it says
    int64_t i64;            // INTEGER
    double f64;             // DECIMAL
    uint32_t offset, bytes; // of the token in the scalar: the name, the operator, the constant
    uint32_t depth;
    uint32_t count; // operands, arguments
    struct syntax *first, *next;
};

// Parses a scalar's text from byte `from` to its end. NULL after reporting a mistake.
struct syntax *syntax_parse(struct reading *r, const struct node *node, uint32_t from);
