// SPDX-License-Identifier: Apache-2.0
// Many threads register the same and different schemas while others look up and delete: ids are unique, no version is lost, and all of it is there again
// after the folder is opened anew.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "registry/contracts.h"
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WRITERS = 6, READERS = 2, SUBJECTS = 12, SCHEMAS = SUBJECTS * WRITERS };

struct bed {
    char folder[64];
    struct weir_embedded *db;
    struct weir_registry *registry;
    struct weir_contracts *contracts;
    int32_t same_ids[WRITERS][SUBJECTS]; // what each got for the schema that all register
    int32_t own_ids[WRITERS][SUBJECTS];
    atomic_bool done;
    atomic_int failed;
};

struct part {
    struct bed *bed;
    int number;
};

static void open_bed(struct bed *b)
{
    struct weir_error err;
    if (weir_embedded_open(b->folder, WEIR_OWNER, &b->db, &err) < 0 || weir_registry_embedded(b->db, &b->registry, &err) < 0)
        fail_msg("%s", err.text);
    b->contracts = weir_contracts_of(b->registry);
}

static void close_bed(struct bed *b)
{
    weir_registry_close(b->registry);
    weir_embedded_close(b->db);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

static char *record_of(const char *field, int number)
{
    return weir_format("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"%s%d\",\"type\":[\"null\",\"int\"],\"default\":null}]}", field,
                       number);
}

static int32_t enroll(struct bed *b, const char *subject, const char *schema)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_contracts_error why;
    const struct weir_contract contract = {.schema = schema};
    int32_t id = 0;
    if (weir_contracts_register(b->contracts, &arena, &why, subject, &contract, false, &id) < 0)
        atomic_fetch_add(&b->failed, 1);
    return id;
}

// Every writer registers in each subject the subject's schema, which is the same for all, and one of its own.
static void *write_all(void *context)
{
    const struct part *p = context;
    struct bed *b = p->bed;
    for (int i = 0; i < SUBJECTS; i++) {
        int s = (i + p->number) % SUBJECTS;
        weir_cleanup(weir_freep) char *subject = weir_format("s%d", s), *same = record_of("same", s),
                                      *own = record_of("own", s * WRITERS + p->number);
        b->same_ids[p->number][s] = enroll(b, subject, same);
        b->own_ids[p->number][s] = enroll(b, subject, own);
    }
    return NULL;
}

static void *read_all(void *context)
{
    const struct part *p = context;
    struct bed *b = p->bed;
    while (!atomic_load(&b->done)) {
        weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
        struct weir_contract *list, found;
        struct weir_contracts_error why;
        const struct weir_selection all = {.deleted = true};
        uint32_t count = weir_contracts_select(b->contracts, &all, &arena, &list);
        for (uint32_t i = 0; i < count; i++) // what was shown once can be had by its id
            if (weir_contracts_by_id(b->contracts, &arena, &why, list[i].id, &found) < 0 || strcmp(found.schema, list[i].schema) != 0)
                atomic_fetch_add(&b->failed, 1);
    }
    return NULL;
}

static void run_threads(struct bed *b)
{
    pthread_t writers[WRITERS], readers[READERS];
    struct part parts[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        parts[i] = (struct part){b, i};
        assert_int_equal(pthread_create(&writers[i], NULL, write_all, &parts[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, &parts[i]), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&b->done, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
}

static void check_ids(const struct bed *b)
{
    uint8_t seen[SUBJECTS + SCHEMAS + 1] = {0}; // ids have no gaps either
    for (int s = 0; s < SUBJECTS; s++) {
        for (int w = 0; w < WRITERS; w++) {
            assert_int_equal(b->same_ids[w][s], b->same_ids[0][s]);
            assert_in_range(b->own_ids[w][s], 1, SUBJECTS + SCHEMAS);
            assert_int_equal(seen[b->own_ids[w][s]]++, 0);
        }
        assert_in_range(b->same_ids[0][s], 1, SUBJECTS + SCHEMAS);
        assert_int_equal(seen[b->same_ids[0][s]]++, 0);
    }
}

static void check_versions(struct bed *b)
{
    for (int s = 0; s < SUBJECTS; s++) {
        weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
        weir_cleanup(weir_freep) char *subject = weir_format("s%d", s);
        struct weir_contract *list;
        const struct weir_selection of = {.subject = subject, .bare = true};
        uint32_t count = weir_contracts_select(b->contracts, &of, &arena, &list);
        assert_int_equal(count, WRITERS + 1);
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(list[i].version, i + 1);
    }
}

static void nothing_is_lost_or_given_twice(void **state)
{
    (void)state;
    struct bed *b = weir_zalloc(1, sizeof *b);
    snprintf(b->folder, sizeof b->folder, "/tmp/weir-registry-test-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    open_bed(b);
    run_threads(b);
    assert_int_equal(atomic_load(&b->failed), 0);
    check_ids(b);
    check_versions(b);
    close_bed(b);
    open_bed(b);
    check_versions(b);
    for (int s = 0; s < SUBJECTS; s++) { // every id is what it was
        weir_cleanup(weir_freep) char *subject = weir_format("s%d", s), *same = record_of("same", s), *own = record_of("own", s * WRITERS);
        assert_int_equal(enroll(b, subject, same), b->same_ids[0][s]);
        assert_int_equal(enroll(b, subject, own), b->own_ids[0][s]);
    }
    assert_int_equal(atomic_load(&b->failed), 0);
    close_bed(b);
    assert_int_equal(nftw(b->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_or_given_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
