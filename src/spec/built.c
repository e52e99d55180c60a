// SPDX-License-Identifier: Apache-2.0
#include "spec/built.h"

static const struct {
    const char *name, *instead;
} missing[BUILT_ITEMS] = {
    [BUILT_SESSIONS_ACROSS] = {"a session window of groups that span partitions is", "group by the event's key too, or give the topic one partition"},
    [BUILT_MQTT_FEED] = {"a feed over MQTT is", "use 'file' or 'simulate'"},
};

void spec_require_built(struct reading *r, enum built_item item, struct place at, const char *origin, const char *where)
{
    if (!missing[item].name)
        return;
    if (at.line)
        spec_mistake(r, at, NULL, "%s%s not built in yet; %s", where, missing[item].name, missing[item].instead);
    else
        spec_mistake_outside(r, origin, "%s%s not built in yet; %s", where, missing[item].name, missing[item].instead);
}
