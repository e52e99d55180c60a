// SPDX-License-Identifier: Apache-2.0
// Streaming decompression, one implementation a format.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct unpack_step { // moves on as bytes are consumed and made
    const unsigned char *in;
    size_t in_bytes;
    unsigned char *out;
    size_t out_bytes;
};

struct unpack {
    const char *(*step)(struct unpack *u, struct unpack_step *s); // NULL, or what is wrong; bytes made before are good
    bool (*at_end)(const struct unpack *u);                       // the bytes so far may be all
    void (*free)(struct unpack *u);
};

struct unpack *unpack_gzip(void);
struct unpack *unpack_zstd(void);

// For a file that starts with these bytes; NULL: it is no archive.
struct unpack *unpack_for(const unsigned char *head, size_t bytes);

static inline const char *unpack_step(struct unpack *u, struct unpack_step *s)
{
    return u->step(u, s);
}

static inline bool unpack_at_end(const struct unpack *u)
{
    return u->at_end(u);
}

static inline void unpack_free(struct unpack *u)
{
    if (u)
        u->free(u);
}
