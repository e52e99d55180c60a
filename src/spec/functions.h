// SPDX-License-Identifier: Apache-2.0
// Calls: functions of an event's or a row's values, and aggregates. Between check.c and functions.c only.
#pragma once
#include "spec/check.h"

struct weir_expr *spec_check_call(struct scope *s, const struct syntax *call, bool want_time);

const char *spec_function_name(enum weir_op op);     // NULL for what is no function
const char *spec_aggregate_name(enum weir_agg kind); // as it is called

struct place spec_check_place(const struct scope *s, const struct syntax *syntax);
struct weir_expr *spec_check_new(struct scope *s, const struct syntax *syntax, enum weir_op op, enum weir_type type, bool nullable);
bool spec_check_args(struct scope *s, const struct syntax *syntax, bool want_time, struct weir_expr *e);
bool spec_check_number_arg(struct scope *s, const struct syntax *arg, const struct weir_expr *e, const char *what);
