// SPDX-License-Identifier: Apache-2.0
#include "cli/shipped.h"
#include "base/memory.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// Makes the folders of a path: "a/b/c" makes a and a/b.
static int make_parents(char *path, struct weir_error *err)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        int status = mkdir(path, 0777);
        int why = errno;
        *at = '/';
        if (status < 0 && why != EEXIST)
            return weir_fail(err, WEIR_IO, WEIR_STOP, "cannot make the folder of '%s': %s", path, strerror(why));
    }
    return 0;
}

static int write_file(const struct shipped_file *shipped, const char *path, struct weir_error *err)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(shipped->text, 1, shipped->bytes, file) == shipped->bytes;
    if (file && fclose(file) != 0)
        good = false;
    return good ? 0 : weir_fail(err, WEIR_IO, WEIR_STOP, "cannot write '%s': %s", path, strerror(errno));
}

int shipped_write(const char *dir, struct weir_error *err)
{
    for (const struct shipped_file *shipped = shipped_files; shipped->path; shipped++) {
        weir_cleanup(weir_freep) char *path = weir_format("%s/%s", dir, shipped->path);
        if (make_parents(path, err) < 0 || write_file(shipped, path, err) < 0)
            return -1;
    }
    return 0;
}
