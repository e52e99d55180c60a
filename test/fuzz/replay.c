// SPDX-License-Identifier: Apache-2.0
// Drives a fuzz target without libFuzzer: every file of the corpus folders named, as it is and in thousands of mutations. The mutations are a
// function of WEIR_FUZZ_SEED (printed) and the file, so that a finding can be had again.
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 1 << 16, MUTATIONS_EACH = 4000, MUTATION_BYTES_TOTAL = 8 << 20 };

struct dice {
    uint64_t state;
};

// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators)
static uint64_t roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct dice *dice, size_t limit)
{
    return limit ? roll(dice) % limit : 0;
}

static size_t cut(struct dice *dice, uint8_t *data, size_t bytes)
{
    size_t from = below(dice, bytes), count = 1 + below(dice, bytes - from);
    memmove(data + from, data + from + count, bytes - from - count);
    return bytes - count;
}

static size_t repeat(struct dice *dice, uint8_t *data, size_t bytes)
{
    size_t from = below(dice, bytes), count = 1 + below(dice, bytes - from);
    if (bytes + count > INPUT_BYTES_MAX)
        return bytes;
    memmove(data + from + count, data + from, bytes - from);
    return bytes + count;
}

// One small change; returns the new size.
static size_t mutate(struct dice *dice, uint8_t *data, size_t bytes)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"', '{', ',', '\n', '\\'};
    if (bytes == 0) {
        data[0] = (uint8_t)roll(dice);
        return 1;
    }
    switch (below(dice, 6)) {
    case 0:
        data[below(dice, bytes)] ^= (uint8_t)(1u << below(dice, 8));
        return bytes;
    case 1:
        data[below(dice, bytes)] = (uint8_t)roll(dice);
        return bytes;
    case 2:
        data[below(dice, bytes)] = edges[below(dice, sizeof(edges))];
        return bytes;
    case 3:
        return below(dice, bytes); // cut short
    case 4:
        return cut(dice, data, bytes);
    default:
        return repeat(dice, data, bytes);
    }
}

// In a block of exactly its size, so that a read past the end is seen.
static void try_input(const uint8_t *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    if (!copy)
        abort();
    memcpy(copy, data, bytes);
    LLVMFuzzerTestOneInput(copy, bytes);
    free(copy);
}

static size_t try_mutations(struct dice *dice, const uint8_t *seed, size_t bytes)
{
    static uint8_t data[INPUT_BYTES_MAX];
    size_t tries = MUTATION_BYTES_TOTAL / (bytes + 64);
    if (tries > MUTATIONS_EACH)
        tries = MUTATIONS_EACH;
    for (size_t i = 0; i < tries; i++) {
        memcpy(data, seed, bytes);
        size_t size = bytes;
        for (size_t changes = 1 + below(dice, 6); changes > 0; changes--)
            size = mutate(dice, data, size);
        try_input(data, size);
    }
    return tries;
}

static int replay_file(const char *path, uint64_t seed, size_t *tries)
{
    static uint8_t data[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    size_t bytes = fread(data, 1, sizeof(data), file);
    fclose(file);
    try_input(data, bytes);
    struct dice dice = {seed ^ bytes};
    for (const char *at = strrchr(path, '/'); at && *at; at++)
        dice.state = dice.state * 31 + (uint8_t)*at;
    *tries += 1 + try_mutations(&dice, data, bytes);
    return 0;
}

static int replay_folder(const char *folder, uint64_t seed, size_t *files, size_t *tries)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    int status = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            *files += 1;
            status |= replay_file(path, seed, tries);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

int main(int argc, char **argv)
{
    const char *chosen = getenv("WEIR_FUZZ_SEED");
    uint64_t seed = chosen ? strtoull(chosen, NULL, 10) : 1;
    size_t files = 0, tries = 0;
    int status = 0;
    for (int i = 1; i < argc; i++)
        status |= replay_folder(argv[i], seed, &files, &tries);
    printf("%zu files, %zu inputs, seed %llu\n", files, tries, (unsigned long long)seed);
    return status || files == 0;
}
