#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Events that were seen before are dropped, and counted: against a model, through restarts and kill -9."""
import math
import signal

import harness
from model import partition_of
from windows_model import compare, forked, pipeline, query, random_events, run_in_pieces, spread, table_rows, tumbling, Folded

CASES = 8
RAW = """  - table: raw
    columns: {id: text, grp: text, t: bigint, v: double}
    key: [[id], t asc, v asc, grp asc]
"""


def without_duplicates(events, by, within):
    """The events of one partition, those that do not count without their value: a key is dropped while the highest event time before it is less than `within` past the key's first."""
    seen, high, kept = {}, -math.inf, []
    for event in events:
        key = tuple(event[i] for i in by)
        if key not in seen or seen[key] + within <= high:
            seen[key] = event[2]
            kept.append(event)
        else:
            kept.append((*event[:3], None))
        high = max(high, event[2])
    return kept


def repeated(rnd, events, back):
    """The events, half of them told again: at once, or some events later; now and then with another value."""
    told = []
    for event in events:
        told.append(event)
        while rnd.random() < 0.5:
            told.append(rnd.choice(told[-rnd.choice([1, 5, back]):]))
    return told


class Dedupe(harness.Scenario):
    FIELDS = ["id", "grp", "t", "v"]

    def case(self, rnd, name, pace="max", count=None):
        by = rnd.sample(range(4), rnd.randrange(1, 5))
        within = rnd.choice([1, 500, 20_000, 10 ** 9])
        partitions = rnd.choice([1, 3])
        made = random_events(rnd, count or rnd.choice([5, 200, 3000]), [f"id{i}" for i in range(30)], ["x", "y", "z"], step=200,
                             back=rnd.choice([300, 30_000]), grid=rnd.choice([1, 100]))
        events = repeated(rnd, made, 300)
        event = f"  dedupe: {{by: [{', '.join(self.FIELDS[i] for i in by)}], within: {within} ms}}\n"
        lines = [RAW, query("w", "tumbling 10 s", lateness=5_000), query("u", "tumbling 10 s", lateness=5_000, emit="update"),
                 query("everyone", "tumbling 10 s", group="grp", lateness=5_000)]
        spec = pipeline(self, lines, events, name, partitions=partitions, event=event, pace=pace)
        return spec, events, [without_duplicates(part, by, within) for part in spread(events, partitions)], f"by {by} within {within}"

    def check(self, spec, data, summary, events, kept, what):
        self.assertEqual(summary["records"], len(events), what)
        counting = [event for part in kept for event in part if event[3] is not None]
        self.assertEqual(summary["rows"]["raw"], len(counting), f"{what}: those that count")
        header, rows = harness.parse_csv(harness.query_text(spec, data, "raw"))
        got = sorted((id, group, int(t), float(v)) for id, group, t, v in rows)
        self.assertEqual(got, sorted({(e[0], e[1], e[2], float(e[3])) for e in counting}), what)
        folded = Folded(kept, tumbling(10_000), 5_000)
        for table in ("w", "u"):
            compare(self, table_rows(spec, data, table), folded.rows(), f"{what}: {table}")
        compare(self, table_rows(spec, data, "everyone", "grp"), Folded(kept, tumbling(10_000), 5_000, group=1).rows(), f"{what}: everyone")
        self.assertEqual(summary["dead"]["late"], 3 * len(folded.late), f"{what}: late for three queries")

    def test_against_a_model(self):
        source = harness.seeded()
        for number in range(CASES):
            seed, rnd = forked(source)
            spec, events, kept, what = self.case(rnd, f"case{number}")
            data = self.folder / f"data{number}"
            if rnd.random() < 0.5:
                run_in_pieces(self, spec, data, rnd, events, 4, f"case{number}")
            self.check(spec, data, harness.run_to_end(spec, data).summary(), events, kept, f"case {seed}, {what}")

    def test_killed(self):
        """However often it is killed, each event counts once, and none that was seen before comes in again."""
        rnd, kills = harness.seeded(), 0
        spec, events, kept, what = self.case(rnd, "killed", pace="800x", count=4000)
        data = self.folder / "data"
        while True:
            done = harness.weir("run", spec, "--data", data, "--until-end", "--close", "--format", "json",
                                **({"kill_after": rnd.uniform(0.02, 0.15)} if kills < 20 else {}))
            if done.code != -signal.SIGKILL:
                break
            kills += 1
        print(f"{kills} kills", flush=True)
        self.check(spec, data, done.summary(), events, kept, f"after {kills} kills, {what}")

    def test_status_counts_duplicates(self):
        events = [("a", "x", t, 1) for t in range(100)] * 2
        spec = pipeline(self, [RAW], events, event="  dedupe: {by: [id, t], within: 1 day}\n")
        data = self.folder / "data"
        with harness.Running("run", spec, "--data", data, "--listen", "127.0.0.1:0", folder=self.folder) as run:
            harness.poll("every event", lambda: self.duplicates(spec, data) == 100, 20)
            self.assertEqual(run.end(signal.SIGTERM).code, 0)
        self.assertEqual(harness.run_to_end(spec, data).summary()["rows"]["raw"], 100)

    def duplicates(self, spec, data):
        done = harness.weir("status", "--data", data, "--format", "json", expect=None)
        return self.find(harness.json.loads(done.out), "duplicates") if done.code == 0 and done.out.strip() else None

    def find(self, tree, name):
        """The sum of all numbers of that name."""
        if isinstance(tree, dict):
            return sum(v if k == name else self.find(v, name) for k, v in tree.items() if k == name or isinstance(v, (dict, list)))
        return sum(self.find(one, name) for one in tree if isinstance(one, (dict, list))) if isinstance(tree, list) else 0


if __name__ == "__main__":
    harness.main()
