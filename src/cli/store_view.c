// SPDX-License-Identifier: Apache-2.0
#include "cli/store_view.h"
#include "base/arena.h"
#include "cli/printer.h"
#include "cli/term.h"
#include <string.h>

enum { CELLS_MAX = 10, NUMBER_BYTES = 32, BAR_COLUMNS = 20, BAR_BYTES = 4 * BAR_COLUMNS + 1 };

// How a member of an object is written into its column.
enum look { TEXT, COUNT, BYTES, MS, SHARE, STATE, WINDOW };

struct column {
    const char *member;
    enum look look;
    struct printer_column head;
};

static const struct column node_columns[] = {
    {"address", TEXT, {"node", PRINTER_TEXT}},
    {"up", STATE, {"state", PRINTER_TEXT}},
    {"datacenter", TEXT, {"data centre", PRINTER_TEXT}},
    {"ownership", SHARE, {"owns", PRINTER_NUMBER}},
    {"in_flight", WINDOW, {"in flight", PRINTER_NUMBER}},
    {"latency_ms", MS, {"latency", PRINTER_NUMBER}},
    {"requests", COUNT, {"requests", PRINTER_NUMBER}},
    {"errors", COUNT, {"errors", PRINTER_NUMBER}},
    {"timeouts", COUNT, {"timeouts", PRINTER_NUMBER}},
    {"overloaded", COUNT, {"overloaded", PRINTER_NUMBER}},
};

static const struct column table_columns[] = {
    {"table", TEXT, {"table", PRINTER_TEXT}},
    {"rows", COUNT, {"rows, about", PRINTER_NUMBER}},
    {"sstables", COUNT, {"SSTables", PRINTER_NUMBER}},
    {"bytes", BYTES, {"on disk", PRINTER_NUMBER}},
    {"reads", COUNT, {"reads", PRINTER_NUMBER}},
    {"read_latency_ms", MS, {"a read", PRINTER_NUMBER}},
    {"writes", COUNT, {"writes", PRINTER_NUMBER}},
    {"write_latency_ms", MS, {"a write", PRINTER_NUMBER}},
    {"compactions_pending", COUNT, {"compactions pending", PRINTER_NUMBER}},
};

// ---- cells

static void quantity(const json_t *value, const char *unit, char *out, size_t bytes)
{
    char number[NUMBER_BYTES - 8];
    term_quantity(json_number_value(value), number, sizeof number);
    snprintf(out, bytes, "%s%s%s", number, strpbrk(number, "kMGTP") ? "" : " ", unit);
}

static void write_cell(const struct column *c, const json_t *object, const json_t *value, char *out, size_t bytes)
{
    switch (c->look) {
    case TEXT:
        snprintf(out, bytes, "%s", json_string_value(value));
        break;
    case COUNT:
        term_number((uint64_t)json_integer_value(value), out, bytes);
        break;
    case BYTES:
        quantity(value, "B", out, bytes);
        break;
    case MS:
        snprintf(out, bytes, "%.*f ms", json_number_value(value) < 10 ? 2 : 0, json_number_value(value));
        break;
    case SHARE:
        snprintf(out, bytes, "%.1f %%", json_number_value(value) * 100);
        break;
    case STATE:
        snprintf(out, bytes, "%s", json_is_true(value) ? "up" : "down");
        break;
    case WINDOW:
        snprintf(out, bytes, "%lld of %lld", (long long)json_integer_value(value), (long long)json_integer_value(json_object_get(object, "window")));
        break;
    }
}

static void print_row(struct printer *p, const struct column *columns, uint32_t count, const json_t *object)
{
    char texts[CELLS_MAX][200];
    struct printer_cell cells[CELLS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, columns[i].member);
        cells[i] = (struct printer_cell){.null = !value || json_is_null(value)};
        if (cells[i].null)
            continue;
        write_cell(&columns[i], object, value, texts[i], sizeof texts[i]);
        cells[i].text = weir_str_of(texts[i]);
    }
    printer_row(p, cells);
}

static void print_list(FILE *out, const struct column *columns, uint32_t count, const json_t *list)
{
    struct printer_column heads[CELLS_MAX];
    size_t i;
    json_t *object;
    if (json_array_size(list) == 0)
        return;
    for (uint32_t c = 0; c < count; c++)
        heads[c] = columns[c].head;
    fputc('\n', out);
    struct printer *p = printer_open(out, CLI_FORMAT_TABLE, heads, count);
    json_array_foreach((json_t *)list, i, object) print_row(p, columns, count, object);
    printer_close(p);
}

// ---- the rest

static void print_troubles(FILE *out, const json_t *nodes)
{
    size_t i;
    json_t *node;
    json_array_foreach((json_t *)nodes, i, node)
    {
        const char *trouble = json_string_value(json_object_get(node, "trouble"));
        if (trouble)
            fprintf(out, "%s is down: %s\n", json_string_value(json_object_get(node, "address")), trouble);
    }
}

static void print_compactions(FILE *out, const json_t *list)
{
    size_t i;
    json_t *c;
    json_array_foreach((json_t *)list, i, c)
    {
        char done[NUMBER_BYTES], total[NUMBER_BYTES], bar[BAR_BYTES];
        const char *kind = json_string_value(json_object_get(c, "kind")), *table = json_string_value(json_object_get(c, "table"));
        const char *node = json_string_value(json_object_get(c, "node"));
        double share = json_number_value(json_object_get(c, "done_bytes")) / json_number_value(json_object_get(c, "total_bytes"));
        term_bar(share >= 0 && share <= 1 ? share : 0, BAR_COLUMNS, bar, sizeof bar);
        quantity(json_object_get(c, "done_bytes"), "B", done, sizeof done);
        quantity(json_object_get(c, "total_bytes"), "B", total, sizeof total);
        fprintf(out, "%s%s of %s on %s  %s  %s of %s\n", i ? "" : "\n", kind ? kind : "compaction", table ? table : "?", node ? node : "?", bar, done,
                total);
    }
}

static void print_sent(FILE *out, const json_t *store)
{
    static const struct {
        const char *member, *text;
    } counts[] = {{"rows_sent", "rows sent"}, {"requests", "requests"}, {"retries", "sent again"}, {"refused", "rows refused"}};
    const char *where = json_string_value(json_object_get(store, "where"));
    fprintf(out, "  %-13s %s %s", "store", json_string_value(json_object_get(store, "kind")), where ? where : "?");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char number[NUMBER_BYTES];
        term_number((uint64_t)json_integer_value(json_object_get(store, counts[i].member)), number, sizeof number);
        fprintf(out, "   %s %s", number, counts[i].text);
    }
    fprintf(out, "   %.1f rows a batch\n", json_number_value(json_object_get(store, "rows_per_batch")));
}

void store_print(FILE *out, const json_t *store)
{
    const char *kind = json_string_value(json_object_get(store, "kind"));
    if (!kind || strcmp(kind, "embedded") == 0)
        return;
    const json_t *nodes = json_object_get(store, "nodes");
    print_sent(out, store);
    print_list(out, node_columns, sizeof node_columns / sizeof *node_columns, nodes);
    print_troubles(out, nodes);
    print_list(out, table_columns, sizeof table_columns / sizeof *table_columns, json_object_get(store, "tables"));
    print_compactions(out, json_object_get(store, "compactions"));
}
