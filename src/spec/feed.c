// SPDX-License-Identifier: Apache-2.0
#include "spec/built.h"

void read_feed(struct reading *r, const struct node *node)
{
    enum { SIMULATE, FILE_, HTTP, MQTT, COUNT };
    static const char *const names[] = {"simulate", "file", "http", "mqtt"};
    const struct node *at[COUNT] = {0};
    if (!node || !read_keys(r, node, "'feed'", names, COUNT, at))
        return;
    if (node->count > 1)
        mistake(r, node->keys[1]->at, NULL, "a pipeline has one feed");
    if (!node->count)
        mistake(r, node->at, NULL, "'feed' needs one of simulate, file, http");
    if (at[SIMULATE])
        read_simulate(r, at[SIMULATE]);
    else if (at[FILE_])
        read_file_feed(r, at[FILE_]);
    else if (at[HTTP] && read_keys(r, at[HTTP], "'http'", NULL, 0, NULL)) {
        r->plan->feed.kind = WEIR_FEED_HTTP;
        require_built(r, BUILT_HTTP_FEED, place_of_name(at[HTTP]), NULL, "");
    } else if (at[MQTT])
        require_built(r, BUILT_MQTT_FEED, place_of_name(at[MQTT]), NULL, "");
}
