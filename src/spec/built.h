// SPDX-License-Identifier: Apache-2.0
// What a pipeline file may say but this version cannot do yet. An item leaves this table when it is built.
#pragma once
#include "spec/reading.h"

enum built_item {
    BUILT_MQTT_FEED,
    BUILT_SESSIONS_ACROSS,
    BUILT_ITEMS,
};

// Reports a mistake if the item is not built in yet. `origin` names what asks for it where that is not in the file (at.line is 0); `where` is put
// before the message and may be "".
void spec_require_built(struct reading *r, enum built_item item, struct place at, const char *origin, const char *where);
