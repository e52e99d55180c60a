// SPDX-License-Identifier: Apache-2.0
// Files of the binary: the page and what belongs to it. A browser asks again and is told that nothing changed.
#include "base/hash.h"
#include "base/memory.h"
#include "http/inside.h"
#include <stdio.h>

#define CONTENT_POLICY "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

char (*http_etags_new(void))[20]
{
    char(*etags)[20] = weir_zalloc(weir_page_file_count, sizeof *etags);
    for (size_t i = 0; i < weir_page_file_count; i++)
        snprintf(etags[i], sizeof *etags, "\"%016llx\"", (unsigned long long)weir_hash64(weir_page_files[i].data, weir_page_files[i].bytes, 0));
    return etags;
}

bool http_page(struct http_request *r, const char *path)
{
    size_t i = 0;
    while (i < weir_page_file_count && strcmp(weir_page_files[i].path, path) != 0)
        i++;
    if (i == weir_page_file_count)
        return false;
    const struct weir_page_file *file = &weir_page_files[i];
    const char *known = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known && (strstr(known, r->http->etags[i]) || strcmp(known, "*") == 0);
    r->reply.status = same ? 304 : 200;
    r->reply.type = same ? NULL : file->type;
    r->reply.fixed = same ? WEIR_STR("") : (struct weir_str){(const char *)file->data, (uint32_t)file->bytes};
    http_header(r, MHD_HTTP_HEADER_ETAG, r->http->etags[i]);
    http_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    http_header(r, "Content-Security-Policy", CONTENT_POLICY);
    http_header(r, "Referrer-Policy", "no-referrer");
    return true;
}
