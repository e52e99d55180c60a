// SPDX-License-Identifier: Apache-2.0
// A terminal's alternate screen, redrawn in place. One at a time.
#pragma once
#include <stdio.h>

void screen_open(void);
void screen_draw(const char *text); // lines; what does not fit the terminal is left out
void screen_close(void);            // back to what was there before; also when the process exits
