// SPDX-License-Identifier: Apache-2.0
// Errors carry their fate: what the caller should do about them, beside what happened.
//
// Convention of every fallible function below cli/: it returns 0, or a negative number after filling *err, which the caller owns and passes
// last; outputs (`ret_x`) are untouched on failure. `err` is never NULL.
#pragma once
#include <stdarg.h>

enum weir_fate {
    WEIR_RETRY,       // the world may change: try again later
    WEIR_DEAD_LETTER, // this event can never pass: put it aside and go on
    WEIR_STOP,        // nothing sensible can follow
};

// Codes are the exit codes of the commands (BSD sysexits), so that a cause keeps its number all the way out.
enum weir_code {
    WEIR_OK = 0,
    WEIR_FAILED = 1,
    WEIR_USAGE = 64,
    WEIR_BAD_DATA = 65,
    WEIR_NO_INPUT = 66,
    WEIR_UNAVAILABLE = 69,
    WEIR_INTERNAL = 70,
    WEIR_IO = 74,
    WEIR_BAD_CONFIG = 78,
};

struct weir_error {
    enum weir_code code;
    enum weir_fate fate;
    char text[512]; // one sentence without a final full stop: what, where, and the remedy if there is one
};

// Fills *err and returns -1, so that a failure is one statement: `return weir_fail(err, WEIR_IO, WEIR_STOP, "...", ...);`
int weir_fail(struct weir_error *err, enum weir_code code, enum weir_fate fate, const char *format, ...) __attribute__((format(printf, 4, 5)));

// Puts "context: " before the text of an error that is on its way up; returns -1.
int weir_wrap(struct weir_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Prints to stderr and aborts. For what must be true, in release builds too.
#define weir_assert(condition) ((condition) ? (void)0 : weir_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void weir_assert_failed(const char *condition, const char *file, int line);

// Scope-bound release: `weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};`
#define weir_cleanup(fn) __attribute__((cleanup(fn)))
