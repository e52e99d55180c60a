// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"
#include "cli/term.h"
#include <stdlib.h>
#include <string.h>

static bool opened; // a process has one terminal

void screen_open(void)
{
    static bool registered;
    if (!registered)
        atexit(screen_close);
    registered = opened = true;
    fputs("\033[?1049h\033[?25l\033[2J", stdout);
}

void screen_draw(const char *text)
{
    int columns, rows;
    term_size(stdout, &columns, &rows);
    fputs("\033[H", stdout);
    for (int row = 0; row < rows && *text; row++) {
        size_t bytes = strcspn(text, "\n");
        fputs(row ? "\r\n" : "", stdout);
        fwrite(text, 1, term_fit(text, bytes, (size_t)columns), stdout);
        fputs(TERM_PLAIN "\033[K", stdout);
        text += bytes + (text[bytes] == '\n');
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

void screen_close(void)
{
    if (!opened)
        return;
    opened = false;
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
}
