// SPDX-License-Identifier: Apache-2.0
#include "spec/built.h"

void spec_read_feed(struct reading *r, const struct node *node)
{
    enum { SIMULATE, FILE_, HTTP, MQTT, COUNT };
    static const char *const names[] = {"simulate", "file", "http", "mqtt"};
    const struct node *at[COUNT] = {0};
    if (!node || !spec_read_keys(r, node, "'feed'", names, COUNT, at))
        return;
    if (node->count > 1)
        spec_mistake(r, node->keys[1]->at, NULL, "a pipeline has one feed");
    if (!node->count)
        spec_mistake(r, node->at, NULL, "'feed' needs one of simulate, file, http");
    if (at[SIMULATE])
        spec_read_simulate(r, at[SIMULATE]);
    else if (at[FILE_])
        spec_read_file_feed(r, at[FILE_]);
    else if (at[HTTP] && spec_read_keys(r, at[HTTP], "'http'", NULL, 0, NULL))
        r->plan->feed.kind = WEIR_FEED_HTTP;
    else if (at[MQTT])
        spec_require_built(r, BUILT_MQTT_FEED, spec_place_of_name(at[MQTT]), NULL, "");
}
