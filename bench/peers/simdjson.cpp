// SPDX-License-Identifier: Apache-2.0
// The events of bench_json.c read with simdjson's on-demand interface: five fields each, one event after the other, nothing kept but sums.
// The only C++ of the project: what it is compared with is a C++ library. Built by scripts/bench where libsimdjson-dev is installed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <simdjson.h>
#include <string>
#include <vector>

static const int events = 50000, rounds = 15;

static std::vector<simdjson::padded_string> make_events()
{
    static const char *const types[] = {"THERM", "HEARTRATE", "FUEL"};
    std::vector<simdjson::padded_string> all;
    char text[256];
    for (int i = 0; i < events; i++) {
        int bytes = snprintf(text, sizeof text, "{\"group\":\"group-%d\",\"id\":\"sensor-%d\",\"type\":\"%s\",\"timestamp\":%lld,\"value\":%.2f}", i % 7, i % 100,
                             types[i % 3], 1700000000000LL + i * 10, (1000 + i * 79 % 9000) / 100.0);
        all.emplace_back(text, (size_t)bytes);
    }
    return all;
}

int main()
{
    auto all = make_events();
    simdjson::ondemand::parser parser;
    double best_ns = 1e9, sum = 0;
    for (int round = 0; round < rounds; round++) {
        auto start = std::chrono::steady_clock::now();
        for (const auto &event : all) {
            auto doc = parser.iterate(event);
            std::string_view group = doc["group"], id = doc["id"], type = doc["type"];
            sum += (double)(int64_t)doc["timestamp"] + (double)doc["value"] + (double)(group.size() + id.size() + type.size());
        }
        std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best_ns = took.count() / events < best_ns ? took.count() / events : best_ns;
    }
    printf("json, %d events, 5 fields, best of %d (checksum %.0f)\n  simdjson on demand, fields in order             %.1f ns/event\n", events, rounds, sum / rounds, best_ns);
}
