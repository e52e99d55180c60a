// SPDX-License-Identifier: Apache-2.0
// A pipeline's store as status.json has it (engine.h), for people: what this process sent, then tables of nodes, tables and running compactions, as
// `nodetool` shows them. The embedded store has nothing of the kind.
#pragma once
#include <jansson.h>
#include <stdio.h>

void store_print(FILE *out, const json_t *store);
