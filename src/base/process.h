// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

// Whether a process is gone or about to be: one that was killed holds its locks until its memory has been given back.
bool weir_process_dying(long pid);
