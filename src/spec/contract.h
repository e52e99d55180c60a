// SPDX-License-Identifier: Apache-2.0
// A pipeline's contracts as documents: Avro records of what goes into it and of what comes out.
#pragma once
#include "base/buffer.h"
#include "spec/plan.h"

// The rows of a query as an Avro record: hourly_aggregates becomes HourlyAggregate, in the namespace of the event's record. One line of JSON.
void weir_contract_rows(struct weir_buffer *out, const struct weir_plan *plan, const struct weir_query_spec *query);
// The subject that a registry keeps them under, KEYSPACE.TABLE-value: a table's name alone may be another pipeline's, or a topic's. The caller's.
char *weir_contract_rows_subject(const struct weir_plan *plan, const struct weir_query_spec *query);

// The event: an Avro event's schema as in its file; a JSON event's fields as a record named after the topic.
void weir_contract_event(struct weir_buffer *out, const struct weir_plan *plan);
