# SPDX-License-Identifier: Apache-2.0
"""A look at compactions every few seconds: those that run, the SSTables of each table, and the last that were done."""
import json
import time

from .settings import Failure

HISTORY = 5


def ask(ring, node, *arguments):
    done = ring.nodetool(*arguments, node=node)
    if done.returncode:
        raise Failure(f"nodetool {arguments[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def is_system(keyspace):
    return keyspace == "system" or keyspace.startswith("system_")


def tables(ring, node, keyspace):
    """Yields (keyspace, table, SSTables, bytes on disk)."""
    found = json.loads(ask(ring, node, "tablestats", "-F", "json", *([keyspace] if keyspace else [])))
    for space, stats in sorted(found.items()):
        if isinstance(stats, dict) and (keyspace or not is_system(space)):
            for table, numbers in sorted(stats["tables"].items()):
                yield space, table, int(numbers["sstable_count"]), int(numbers["space_used_live"])


def history(ring, node, keyspace):
    """The last compactions: (when, keyspace, table, bytes in, bytes out)."""
    done = json.loads(ask(ring, node, "compactionhistory", "-F", "json")).get("CompactionHistory", [])
    wanted = [one for one in done if (one["keyspace_name"] == keyspace if keyspace else not is_system(one["keyspace_name"]))]
    wanted.sort(key=lambda one: one["compacted_at"])
    return [(one["compacted_at"], one["keyspace_name"], one["columnfamily_name"], one["bytes_in"], one["bytes_out"]) for one in wanted[-HISTORY:]]


def look(ring, node, keyspace):
    print(f"--- node {node}, {time.strftime('%H:%M:%S')}")
    print(ask(ring, node, "compactionstats").rstrip())
    print(f"\n{'table':<50}{'SSTables':>10}{'bytes':>14}")
    for space, table, count, size in tables(ring, node, keyspace):
        print(f"{space + '.' + table:<50}{count:>10}{size:>14,}")
    done = history(ring, node, keyspace)
    if done:
        print(f"\n{'done at':<26}{'table':<50}{'bytes in':>14}{'bytes out':>14}")
    for when, space, table, before, after in done:
        print(f"{when:<26}{space + '.' + table:<50}{int(before):>14,}{int(after):>14,}")
    print(flush=True)


def watch(ring, node, keyspace, every, times):
    looks = 0
    while True:
        began = time.monotonic()
        look(ring, node, keyspace)
        looks += 1
        if looks == times:
            return
        time.sleep(max(0, every - (time.monotonic() - began)))
