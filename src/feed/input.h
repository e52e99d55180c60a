// SPDX-License-Identifier: Apache-2.0
// The bytes of a file, unpacked where they are gzip (RFC 1952, any number of members) or zstd (RFC 8878, any number of frames). What it is, its first
// bytes say, not its name. Belongs to one thread.
#pragma once
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { INPUT_HEAD_BYTES = 4096 };

struct input;

int input_open(const char *path, struct input **ret, struct weir_error *err);
void input_close(struct input *in);

// Up to `bytes` unpacked bytes; 0 at the end. A file that cannot be read, is cut short or damaged fails with WEIR_IO, naming the file and where;
// what was whole before has been given by then.
ssize_t input_read(struct input *in, void *to, size_t bytes, struct weir_error *err);

// Moves on to an unpacked offset at or behind the present one: a plain file by seeking, an archive by unpacking. Fails with WEIR_BAD_DATA where the
// file ends before.
int input_skip_to(struct input *in, uint64_t offset, struct weir_error *err);

uint64_t input_offset(const struct input *in); // unpacked bytes given or skipped so far
uint64_t input_stored(const struct input *in); // bytes of the file consumed
uint64_t input_size(const struct input *in);   // of the file, when it was opened

// The first bytes of the file as stored, at most INPUT_HEAD_BYTES.
const void *input_head(const struct input *in, size_t *ret_bytes);
