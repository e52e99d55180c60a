// SPDX-License-Identifier: Apache-2.0
#include "spec/built.h"

static const struct {
    const char *name, *instead;
} missing[BUILT_ITEMS] = {
    [BUILT_KAFKA] = {"a log on kafka:// is", "use 'embedded'"},
    [BUILT_HTTP_REGISTRY] = {"a registry on http:// is", "use 'embedded'"},
    [BUILT_CASSANDRA] = {"a store on cassandra:// is", "use 'embedded'"},
    [BUILT_SLIDING] = {"sliding windows are", "use 'tumbling'"},
    [BUILT_CALENDAR] = {"calendar windows are", "use 'tumbling'"},
    [BUILT_SESSION] = {"session windows are", "use 'tumbling'"},
    [BUILT_AMEND] = {"amending closed windows is", "use a longer 'lateness'"},
    [BUILT_DEDUPE] = {"dropping duplicates is", "leave 'dedupe' out"},
    [BUILT_QUANTILE] = {"median and quantile are", "use avg, min and max"},
    [BUILT_TIME_ZONE] = {"year(), month(), day() and hour() in other time zones than UTC are", "use 'timezone: UTC'"},
    [BUILT_HTTP_FEED] = {"a feed over HTTP is", "use 'file' or 'simulate'"},
    [BUILT_MQTT_FEED] = {"a feed over MQTT is", "use 'file' or 'simulate'"},
    [BUILT_SPANNING_GROUPS] = {"groups that span partitions are", "group by the event's key too, or use one partition"},
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
