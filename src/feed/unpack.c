// SPDX-License-Identifier: Apache-2.0
#include "feed/unpack.h"

#include "base/error.h"
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

// ---- gzip

struct gzip {
    struct unpack base;
    z_stream stream;
    bool between; // members
    bool padding; // zeros follow the last member, as tape archives have them
};

// A member has ended and more follows: another one, or zeros up to the end.
static const char *next_member(struct gzip *g, struct unpack_step *s)
{
    if (g->padding || *s->in == 0) {
        g->padding = true;
        for (; s->in_bytes; s->in++, s->in_bytes--)
            if (*s->in != 0)
                return "something that is no gzip follows the archive";
        return NULL;
    }
    weir_assert(inflateReset(&g->stream) == Z_OK);
    g->between = false;
    return NULL;
}

static const char *gzip_step(struct unpack *u, struct unpack_step *s)
{
    struct gzip *g = (struct gzip *)u;
    while (s->out_bytes && (s->in_bytes || !g->between)) { // without input, what inflate still holds may come
        const char *wrong = g->between ? next_member(g, s) : NULL;
        if (wrong || g->between)
            return wrong;
        g->stream.next_in = (unsigned char *)(uintptr_t)s->in;
        g->stream.avail_in = (unsigned)s->in_bytes;
        g->stream.next_out = s->out;
        g->stream.avail_out = (unsigned)s->out_bytes;
        int status = inflate(&g->stream, Z_NO_FLUSH);
        *s = (struct unpack_step){g->stream.next_in, g->stream.avail_in, g->stream.next_out, g->stream.avail_out};
        if (status != Z_STREAM_END)
            return status == Z_OK || status == Z_BUF_ERROR ? NULL : "the gzip archive is damaged";
        g->between = true;
    }
    return NULL;
}

static bool gzip_at_end(const struct unpack *u)
{
    return ((const struct gzip *)u)->between;
}

static void gzip_free(struct unpack *u)
{
    struct gzip *g = (struct gzip *)u;
    inflateEnd(&g->stream);
    free(g);
}

struct unpack *unpack_gzip(void)
{
    enum { GZIP_ONLY = 16 };
    struct gzip *g = weir_zalloc(1, sizeof *g);
    g->base = (struct unpack){gzip_step, gzip_at_end, gzip_free};
    weir_assert(inflateInit2(&g->stream, MAX_WBITS + GZIP_ONLY) == Z_OK);
    return &g->base;
}

// ---- zstd

struct zstd {
    struct unpack base;
    ZSTD_DCtx *context;
    bool between; // frames
};

static const char *zstd_step(struct unpack *u, struct unpack_step *s)
{
    struct zstd *z = (struct zstd *)u;
    ZSTD_inBuffer in = {s->in, s->in_bytes, 0};
    ZSTD_outBuffer out = {s->out, s->out_bytes, 0};
    size_t left = z->between ? 0 : 1;
    if (in.size || !z->between)
        left = ZSTD_decompressStream(z->context, &out, &in);
    if (!ZSTD_isError(left))
        z->between = left == 0;
    *s = (struct unpack_step){s->in + in.pos, s->in_bytes - in.pos, s->out + out.pos, s->out_bytes - out.pos};
    return ZSTD_isError(left) ? "the zstd archive is damaged" : NULL;
}

static bool zstd_at_end(const struct unpack *u)
{
    return ((const struct zstd *)u)->between;
}

static void zstd_free(struct unpack *u)
{
    struct zstd *z = (struct zstd *)u;
    ZSTD_freeDCtx(z->context);
    free(z);
}

struct unpack *unpack_zstd(void)
{
    struct zstd *z = weir_zalloc(1, sizeof *z);
    z->base = (struct unpack){zstd_step, zstd_at_end, zstd_free};
    z->context = ZSTD_createDCtx();
    weir_assert(z->context != NULL);
    return &z->base;
}

struct unpack *unpack_for(const unsigned char *head, size_t bytes)
{
    if (bytes >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0)
        return unpack_gzip();
    if (bytes >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
        return unpack_zstd();
    return NULL;
}
