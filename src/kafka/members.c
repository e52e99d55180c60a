// SPDX-License-Identifier: Apache-2.0
#include "kafka/inside.h"

enum { REQUEST_MS = 10000 };

static int fail(struct weir_kafka *k, const char *group, rd_kafka_resp_err_t code, struct weir_error *err)
{
    return kafka_fail_admin(k, err, code, NULL, "ask Kafka at %s who is in group '%s'", k->brokers, group);
}

int weir_kafka_group_members(struct weir_kafka *k, const char *group, uint32_t *ret_count, struct weir_error *err)
{
    rd_kafka_t *rk;
    const struct rd_kafka_group_list *list;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, group, &list, REQUEST_MS);
    if (code)
        return fail(k, group, code, err);
    uint32_t count = 0;
    for (int i = 0; i < list->group_cnt; i++) {
        code = code ? code : list->groups[i].err;
        count += (uint32_t)list->groups[i].member_cnt;
    }
    rd_kafka_group_list_destroy(list);
    if (code)
        return fail(k, group, code, err);
    *ret_count = count;
    return 0;
}
