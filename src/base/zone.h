// SPDX-License-Identifier: Apache-2.0
// Time zones from the system's tzdata: TZif files (RFC 8536), the rule in their footer (POSIX TZ) beyond their last transition.
// A zone is immutable after it was opened, and so thread-safe.
#pragma once
#include "base/error.h"
#include "base/time.h"

struct weir_zone;

// An IANA name such as "Europe/Rome" or "UTC". One that does not exist or cannot be read fails with WEIR_BAD_CONFIG.
int weir_zone_open(const char *name, struct weir_zone **ret, struct weir_error *err);
void weir_zone_close(struct weir_zone *zone); // takes NULL

int64_t weir_zone_offset_ms(const struct weir_zone *zone, int64_t ms); // what is added to UTC at that instant; zone NULL: UTC
struct weir_civil weir_zone_civil(const struct weir_zone *zone, int64_t ms);

// The first instant at which the local clock shows `local` or later: of a time that comes twice the first, of one that is skipped the moment of the skip.
int64_t weir_zone_instant(const struct weir_zone *zone, const struct weir_civil *local);
