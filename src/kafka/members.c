// SPDX-License-Identifier: Apache-2.0
#include "kafka/inside.h"

enum { REQUEST_MS = 10000 };

int weir_kafka_group_members(struct weir_kafka *k, const char *group, uint32_t *ret_count, struct weir_error *err)
{
    rd_kafka_t *rk;
    const struct rd_kafka_group_list *list;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, group, &list, REQUEST_MS);
    if (code)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "consumer group '%s' in Kafka at %s: %s", group, weir_kafka_brokers(k),
                         rd_kafka_err2str(code));
    *ret_count = 0;
    for (int i = 0; i < list->group_cnt; i++)
        *ret_count += (uint32_t)list->groups[i].member_cnt;
    rd_kafka_group_list_destroy(list);
    return 0;
}
