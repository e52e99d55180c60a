// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"
#include "cli/printer.h"
#include "cli/term.h"

void summary_json(FILE *out, const struct weir_pipeline_status *status)
{
    fprintf(out, "{\"pipeline\":");
    print_json_text(out, weir_str_of(status->plan->pipeline));
    fprintf(out, ",\"records\":%llu,\"rows\":{", (unsigned long long)status->records);
    for (uint32_t q = 0; q < status->plan->query_count; q++) {
        fputs(q ? "," : "", out);
        print_json_text(out, weir_str_of(status->plan->queries[q].table.name));
        fprintf(out, ":%llu", (unsigned long long)status->rows[q]);
    }
    fprintf(out, "},\"dead\":{");
    for (int r = 0; r < WEIR_REASONS; r++)
        if (r < WEIR_REFUSED || status->dead[r]) // rows that a store refuses are rare enough to be left out where there are none
            fprintf(out, "%s\"%s\":%llu", r ? "," : "", weir_reason_name((enum weir_reason)r), (unsigned long long)status->dead[r]);
    fprintf(out, "},\"seconds\":%.3f}\n", status->seconds);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static int name_width(const struct weir_plan *plan, bool feed_only)
{
    size_t width = 24;
    for (uint32_t q = 0; q < plan->query_count && !feed_only; q++) {
        size_t bytes = strlen(plan->queries[q].table.name);
        width = bytes > width ? bytes : width;
    }
    return (int)width;
}

void summary_text(FILE *out, const struct weir_pipeline_status *status, bool feed_only)
{
    char number[32];
    const int width = name_width(status->plan, feed_only);
    term_number(status->records, number, sizeof(number));
    fprintf(out, "%s: %s record%s in %.1f s\n", status->plan->pipeline, number, plural(status->records), status->seconds);
    for (uint32_t q = 0; q < status->plan->query_count && !feed_only; q++) {
        term_number(status->rows[q], number, sizeof(number));
        fprintf(out, "  %-*s %12s row%s written\n", width, status->plan->queries[q].table.name, number, plural(status->rows[q]));
    }
    if (status->duplicates) {
        term_number(status->duplicates, number, sizeof(number));
        fprintf(out, "  %-*s %12s event%s seen before\n", width, "duplicates", number, plural(status->duplicates));
    }
    for (int r = 0; r < WEIR_REASONS; r++) {
        if (status->dead[r] == 0)
            continue;
        term_number(status->dead[r], number, sizeof(number));
        fprintf(out, "  %-*s %12s dead letter%s\n", width, weir_reason_name((enum weir_reason)r), number, plural(status->dead[r]));
    }
}
