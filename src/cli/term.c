// SPDX-License-Identifier: Apache-2.0
#include "cli/term.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool term_is(FILE *file)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(file)) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool term_color(FILE *file)
{
    const char *no = getenv("NO_COLOR");
    return term_is(file) && !(no && *no);
}

void term_size(FILE *file, int *ret_columns, int *ret_rows)
{
    struct winsize size = {0};
    bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *ret_columns = known ? size.ws_col : 80;
    *ret_rows = known && size.ws_row > 0 ? size.ws_row : 24;
}

// The bytes of the character or escape sequence at the start of `text`, and whether it takes a column.
static size_t next_piece(const char *text, size_t bytes, bool *ret_column)
{
    *ret_column = true;
    if (text[0] == '\033' && bytes > 1 && text[1] == '[') {
        size_t i = 2;
        while (i < bytes && (unsigned char)text[i] < 0x40)
            i++;
        *ret_column = false;
        return i < bytes ? i + 1 : bytes;
    }
    size_t i = 1;
    while (i < bytes && ((unsigned char)text[i] & 0xc0) == 0x80)
        i++;
    return i;
}

size_t term_fit(const char *text, size_t bytes, size_t columns)
{
    size_t at = 0, used = 0;
    while (at < bytes) {
        bool column;
        size_t piece = next_piece(text + at, bytes - at, &column);
        if (column && used == columns)
            break;
        used += column;
        at += piece;
    }
    return at;
}

size_t term_width(const char *text, size_t bytes)
{
    size_t at = 0, used = 0;
    while (at < bytes) {
        bool column;
        at += next_piece(text + at, bytes - at, &column);
        used += column;
    }
    return used;
}

void term_quantity(double value, char *out, size_t bytes)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, bytes, "%.*f%s", decimals, value, units[unit]);
}

void term_number(uint64_t value, char *out, size_t bytes)
{
    char digits[24];
    int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    size_t at = 0;
    for (int i = 0; i < count && at + 2 < bytes; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

void term_clock(double seconds, char *out, size_t bytes)
{
    long whole = seconds > 0 && seconds < 1e9 ? (long)seconds : 0;
    if (whole >= 3600)
        snprintf(out, bytes, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(out, bytes, "%ld:%02ld", whole / 60, whole % 60);
}

static void append(char *out, size_t bytes, const char *piece)
{
    size_t used = strlen(out), more = strlen(piece);
    if (used + more < bytes)
        memcpy(out + used, piece, more + 1);
}

void term_bar(double share, int columns, char *out, size_t bytes)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    share = share > 1 ? 1 : share > 0 ? share : 0;
    int filled = (int)(share * columns * 8 + 0.5);
    out[0] = '\0';
    for (int i = 0; i < columns; i++) {
        int cell = filled - i * 8;
        append(out, bytes, eighths[cell > 8 ? 8 : cell < 0 ? 0 : cell]);
    }
}

void term_sparkline(const double *values, size_t count, char *out, size_t bytes)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int level = most > 0 && values[i] > 0 ? (int)(values[i] / most * 7 + 0.5) : 0;
        append(out, bytes, levels[level]);
    }
}
