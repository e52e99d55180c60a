// SPDX-License-Identifier: Apache-2.0
// The avro-c library, for measuring against it. Its <avro/schema.h> is hidden by ours: take the next one on the include path, then the rest.
#pragma once
#include <avro/platform.h>
#include_next <avro/schema.h>

#include <avro.h>
