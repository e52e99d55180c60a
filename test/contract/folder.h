// SPDX-License-Identifier: Apache-2.0
// Folders for tests: made under the temporary folder, copied, removed.
#pragma once
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[256];
};

static inline struct folder folder_make(void)
{
    struct folder f;
    const char *tmp = getenv("TMPDIR");
    snprintf(f.path, sizeof f.path, "%s/weir-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(f.path))
        abort();
    return f;
}

static inline void folder_each(const struct folder *f, void (*visit)(void *context, const char *path, const char *name), void *context)
{
    DIR *dir = opendir(f->path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", f->path, entry->d_name);
        if (entry->d_name[0] != '.')
            visit(context, path, entry->d_name);
    }
    if (dir)
        closedir(dir);
}

static inline void folder_unlink(void *context, const char *path, const char *name)
{
    (void)context, (void)name;
    unlink(path);
}

static inline void folder_remove(const struct folder *f)
{
    folder_each(f, folder_unlink, NULL);
    rmdir(f->path);
}

static inline void folder_copy_file(void *context, const char *path, const char *name)
{
    const struct folder *to = context;
    char target[600], bytes[65536];
    snprintf(target, sizeof target, "%s/%s", to->path, name);
    FILE *in = fopen(path, "rb"), *out = fopen(target, "wb");
    if (!in || !out)
        abort();
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        if (fwrite(bytes, 1, got, out) != got)
            abort();
    fclose(in);
    fclose(out);
}

static inline struct folder folder_copy(const struct folder *from)
{
    struct folder to = folder_make();
    folder_each(from, folder_copy_file, &to);
    return to;
}

struct folder_search {
    const char *ending;
    char path[600];
};

static inline void folder_keep_last(void *context, const char *path, const char *name)
{
    struct folder_search *search = context;
    size_t bytes = strlen(name), ending = strlen(search->ending);
    if (bytes < ending || strcmp(name + bytes - ending, search->ending) != 0 || strcmp(path, search->path) < 0)
        return;
    snprintf(search->path, sizeof search->path, "%s", path);
}

// The file that ends so and sorts last; an empty path if there is none.
static inline struct folder_search folder_last(const struct folder *f, const char *ending)
{
    struct folder_search search = {.ending = ending};
    folder_each(f, folder_keep_last, &search);
    return search;
}

static inline long file_bytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}
