# SPDX-License-Identifier: Apache-2.0
"""What bench_avro_resolution asks of fastavro: lines of JSON {writer, reader, hex} in, nanoseconds a record out, or "cannot"."""
import io
import json
import sys
import time

import fastavro

for line in sys.stdin:
    case = json.loads(line)
    body = bytes.fromhex(case["hex"])
    try:
        writer, reader = fastavro.parse_schema(json.loads(case["writer"])), fastavro.parse_schema(json.loads(case["reader"]))
        best = 1e9
        for _ in range(3):
            start = time.perf_counter_ns()
            for _ in range(2000):
                fastavro.schemaless_reader(io.BytesIO(body), writer, reader)
            best = min(best, (time.perf_counter_ns() - start) / 2000)
        print(f"{best:.1f}")
    except Exception:  # whatever it raises, it cannot
        print("cannot")
