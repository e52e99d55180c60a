// SPDX-License-Identifier: Apache-2.0
#include "query/eval.h"

#include "base/error.h"
#include "base/time.h"
#include <math.h>

static struct weir_column column_new(enum weir_kind kind, const struct eval_frame *f)
{
    size_t item = kind == WEIR_STRS ? sizeof(struct weir_str) : 8;
    return (struct weir_column){.kind = kind, .data = weir_arena_alloc(f->arena, f->rows * item)};
}

static uint8_t *valid_new(const struct eval_frame *f, uint8_t value)
{
    return memset(weir_arena_alloc(f->arena, f->rows + 1), value, f->rows + 1);
}

// A row is valid where it is in both; NULL where all are.
static uint8_t *valid_both(const struct weir_column *a, const struct weir_column *b, const struct eval_frame *f)
{
    if (!a->valid || !b->valid)
        return a->valid ? a->valid : b->valid;
    uint8_t *valid = valid_new(f, 1);
    for (uint32_t i = 0; i < f->rows; i++)
        valid[i] = a->valid[i] & b->valid[i];
    return valid;
}

// A validity array that may be written to: a copy where it is an input's.
static uint8_t *valid_own(const uint8_t *valid, const struct eval_frame *f)
{
    uint8_t *own = valid_new(f, 1);
    return valid ? memcpy(own, valid, f->rows) : own;
}

struct weir_column eval_to_f64(struct weir_column column, const struct eval_frame *f)
{
    if (column.kind == WEIR_F64)
        return column;
    struct weir_column c = column_new(WEIR_F64, f);
    for (uint32_t i = 0; i < f->rows; i++)
        c.f64[i] = (double)column.i64[i];
    c.valid = column.valid;
    return c;
}

static struct weir_column constant(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column c = column_new(weir_kind_of(e->type), f);
    if (e->op == WEIR_OP_NULL) {
        memset(c.data, 0, f->rows * (c.kind == WEIR_STRS ? sizeof(struct weir_str) : 8));
        c.valid = valid_new(f, 0);
        return c;
    }
    for (uint32_t i = 0; i < f->rows; i++) {
        if (c.kind == WEIR_STRS)
            c.str[i] = e->text;
        else if (c.kind == WEIR_F64)
            c.f64[i] = e->f64;
        else
            c.i64[i] = e->i64;
    }
    return c;
}

static struct weir_column arithmetic_f64(enum weir_op op, struct weir_column a, struct weir_column b, const struct eval_frame *f)
{
    struct weir_column c = column_new(WEIR_F64, f);
    c.valid = valid_both(&a, &b, f);
    if (op == WEIR_OP_DIV)
        c.valid = valid_own(c.valid, f);
    for (uint32_t i = 0; i < f->rows; i++) {
        double x = a.f64[i], y = b.f64[i];
        c.f64[i] = op == WEIR_OP_ADD ? x + y : op == WEIR_OP_SUB ? x - y : op == WEIR_OP_MUL ? x * y : x / y;
        if (op == WEIR_OP_DIV)
            c.valid[i] &= y != 0;
    }
    return c;
}

static struct weir_column arithmetic_i64(enum weir_op op, struct weir_column a, struct weir_column b, const struct eval_frame *f)
{
    struct weir_column c = column_new(WEIR_I64, f);
    c.valid = valid_own(valid_both(&a, &b, f), f);
    for (uint32_t i = 0; i < f->rows; i++) {
        long long x = a.i64[i], y = b.i64[i], result;
        bool overflow = op == WEIR_OP_ADD   ? __builtin_saddll_overflow(x, y, &result)
                        : op == WEIR_OP_SUB ? __builtin_ssubll_overflow(x, y, &result)
                                            : __builtin_smulll_overflow(x, y, &result);
        c.i64[i] = overflow ? 0 : result;
        c.valid[i] &= !overflow;
    }
    return c;
}

static struct weir_column arithmetic(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), b = eval_expr(e->args[1], f);
    if (weir_kind_of(e->type) == WEIR_F64)
        return arithmetic_f64(e->op, eval_to_f64(a, f), eval_to_f64(b, f), f);
    return arithmetic_i64(e->op, a, b, f);
}

static struct weir_column negate(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), c = column_new(a.kind, f);
    c.valid = a.kind == WEIR_I64 ? valid_own(a.valid, f) : a.valid;
    for (uint32_t i = 0; i < f->rows; i++) {
        if (a.kind == WEIR_F64)
            c.f64[i] = -a.f64[i];
        else if (a.i64[i] == INT64_MIN)
            c.i64[i] = c.valid[i] = 0;
        else
            c.i64[i] = -a.i64[i];
    }
    return c;
}

static bool holds(enum weir_op op, int order)
{
    switch (op) {
    case WEIR_OP_EQ:
        return order == 0;
    case WEIR_OP_NE:
        return order != 0;
    case WEIR_OP_LT:
        return order < 0;
    case WEIR_OP_LE:
        return order <= 0;
    case WEIR_OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static struct weir_column compare(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), b = eval_expr(e->args[1], f), c = column_new(WEIR_I64, f);
    if (a.kind != b.kind) {
        a = eval_to_f64(a, f);
        b = eval_to_f64(b, f);
    }
    c.valid = valid_both(&a, &b, f);
    for (uint32_t i = 0; i < f->rows; i++) {
        if (a.kind == WEIR_F64 && (isnan(a.f64[i]) || isnan(b.f64[i])))
            c.i64[i] = e->op == WEIR_OP_NE;
        else if (a.kind == WEIR_F64)
            c.i64[i] = holds(e->op, (a.f64[i] > b.f64[i]) - (a.f64[i] < b.f64[i]));
        else if (a.kind == WEIR_I64)
            c.i64[i] = holds(e->op, (a.i64[i] > b.i64[i]) - (a.i64[i] < b.i64[i]));
        else if (weir_column_is_null(&a, i) || weir_column_is_null(&b, i))
            c.i64[i] = 0;
        else if (e->op == WEIR_OP_EQ || e->op == WEIR_OP_NE)
            c.i64[i] = weir_str_eq(a.str[i], b.str[i]) == (e->op == WEIR_OP_EQ);
        else
            c.i64[i] = holds(e->op, weir_str_compare(a.str[i], b.str[i]));
    }
    return c;
}

// `or` is decided by a true side, `and` by a false one; otherwise a null side makes it null.
static struct weir_column logic(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), b = eval_expr(e->args[1], f), c = column_new(WEIR_I64, f);
    bool decider = e->op == WEIR_OP_OR;
    if (a.valid || b.valid)
        c.valid = valid_new(f, 1);
    for (uint32_t i = 0; i < f->rows; i++) {
        bool a_null = weir_column_is_null(&a, i), b_null = weir_column_is_null(&b, i);
        bool decided = (!a_null && (a.i64[i] != 0) == decider) || (!b_null && (b.i64[i] != 0) == decider);
        c.i64[i] = decided ? decider : !decider;
        if (c.valid)
            c.valid[i] = decided || (!a_null && !b_null);
    }
    return c;
}

static struct weir_column negation(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), c = column_new(WEIR_I64, f);
    c.valid = a.valid;
    for (uint32_t i = 0; i < f->rows; i++)
        c.i64[i] = !a.i64[i];
    return c;
}

static void copy_value(struct weir_column *to, const struct weir_column *from, uint32_t i)
{
    if (to->kind == WEIR_STRS)
        to->str[i] = from->str[i];
    else
        to->i64[i] = from->i64[i]; // the bits of a double too
}

static struct weir_column as_kind(struct weir_column c, enum weir_kind kind, const struct eval_frame *f)
{
    return kind == WEIR_F64 ? eval_to_f64(c, f) : c;
}

static struct weir_column choose(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column when = eval_expr(e->args[0], f), c = column_new(weir_kind_of(e->type), f);
    struct weir_column yes = as_kind(eval_expr(e->args[1], f), c.kind, f), no = as_kind(eval_expr(e->args[2], f), c.kind, f);
    if (yes.valid || no.valid)
        c.valid = valid_new(f, 1);
    for (uint32_t i = 0; i < f->rows; i++) {
        const struct weir_column *chosen = !weir_column_is_null(&when, i) && when.i64[i] ? &yes : &no;
        copy_value(&c, chosen, i);
        if (c.valid)
            c.valid[i] = !weir_column_is_null(chosen, i);
    }
    return c;
}

static struct weir_column coalesce(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column c = column_new(weir_kind_of(e->type), f);
    c.valid = valid_new(f, 0);
    for (uint32_t a = 0; a < e->arg_count; a++) {
        struct weir_column from = as_kind(eval_expr(e->args[a], f), c.kind, f);
        for (uint32_t i = 0; i < f->rows; i++) {
            if (c.valid[i])
                continue;
            copy_value(&c, &from, i);
            c.valid[i] = !weir_column_is_null(&from, i);
        }
    }
    return c;
}

static struct weir_column absolute(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), c = column_new(a.kind, f);
    c.valid = a.kind == WEIR_I64 ? valid_own(a.valid, f) : a.valid;
    for (uint32_t i = 0; i < f->rows; i++) {
        if (a.kind == WEIR_F64)
            c.f64[i] = fabs(a.f64[i]);
        else if (a.i64[i] == INT64_MIN)
            c.i64[i] = c.valid[i] = 0;
        else
            c.i64[i] = a.i64[i] < 0 ? -a.i64[i] : a.i64[i];
    }
    return c;
}

// Half to even at `digits` decimals (0 to 15). A number too large to have that many is itself.
static double round_digits(double x, int64_t digits)
{
    double scale = pow(10, (double)digits), scaled = x * scale;
    return fabs(scaled) < 0x1p52 ? nearbyint(scaled) / scale : x;
}

static struct weir_column rounded(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_to_f64(eval_expr(e->args[0], f), f), c = column_new(WEIR_F64, f), digits = {0};
    c.valid = a.valid;
    if (e->arg_count > 1) {
        digits = eval_expr(e->args[1], f);
        c.valid = valid_both(&a, &digits, f);
    }
    for (uint32_t i = 0; i < f->rows; i++)
        c.f64[i] = round_digits(a.f64[i], digits.data ? digits.i64[i] : 0);
    return c;
}

static int64_t time_part(enum weir_op op, const struct weir_zone *zone, int64_t ms)
{
    if (op == WEIR_OP_EPOCH_S)
        return weir_floor_div(ms, 1000);
    if (op == WEIR_OP_EPOCH_MS)
        return ms;
    struct weir_civil civil = weir_zone_civil(zone, ms);
    return op == WEIR_OP_YEAR ? civil.year : op == WEIR_OP_MONTH ? civil.month : op == WEIR_OP_DAY ? civil.day : civil.hour;
}

static struct weir_column time_function(const struct weir_expr *e, const struct eval_frame *f)
{
    struct weir_column a = eval_expr(e->args[0], f), c = column_new(WEIR_I64, f);
    c.valid = a.valid;
    for (uint32_t i = 0; i < f->rows; i++)
        c.i64[i] = weir_column_is_null(&a, i) ? 0 : time_part(e->op, f->zone, a.i64[i]);
    return c;
}

struct weir_column eval_expr(const struct weir_expr *e, const struct eval_frame *f)
{
    switch (e->op) {
    case WEIR_OP_FIELD:
        return f->fields[e->index];
    case WEIR_OP_EVENT_TIME:
        return f->event_time;
    case WEIR_OP_GROUP:
        return f->groups[e->index];
    case WEIR_OP_WINDOW_START:
        return f->window_start;
    case WEIR_OP_WINDOW_END:
        return f->window_end;
    case WEIR_OP_AGGREGATE:
        return f->aggregates[e->index];
    case WEIR_OP_NUMBER ... WEIR_OP_NULL:
        return constant(e, f);
    case WEIR_OP_ADD ... WEIR_OP_DIV:
        return arithmetic(e, f);
    case WEIR_OP_NEG:
        return negate(e, f);
    case WEIR_OP_EQ ... WEIR_OP_GE:
        return compare(e, f);
    case WEIR_OP_AND:
    case WEIR_OP_OR:
        return logic(e, f);
    case WEIR_OP_NOT:
        return negation(e, f);
    case WEIR_OP_IF:
        return choose(e, f);
    case WEIR_OP_COALESCE:
        return coalesce(e, f);
    case WEIR_OP_ABS:
        return absolute(e, f);
    case WEIR_OP_ROUND:
        return rounded(e, f);
    case WEIR_OP_EPOCH_S ... WEIR_OP_HOUR:
        return time_function(e, f);
    case WEIR_OP_COUNT_:
        break;
    }
    weir_assert(!"an expression of a known kind");
    return (struct weir_column){0};
}

uint32_t eval_select(const struct weir_expr *where, const struct eval_frame *frame, const uint32_t *rows, uint32_t count, uint32_t *ret_rows)
{
    struct weir_column truth = eval_expr(where, frame);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < count; j++) {
        uint32_t i = rows[j];
        ret_rows[kept] = i;
        kept += truth.i64[i] && !weir_column_is_null(&truth, i);
    }
    return kept;
}
