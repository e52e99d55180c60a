#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files as feeds: growing, changed, quoted, packed, unpivoted, paced."""
import gzip
import json
import subprocess
import time

import harness

PIPELINE = """pipeline: feed
topic: {{name: feed, partitions: 2}}
event: {{format: json, fields: {fields}, key: device, time: time}}
feed: {{file: {{{feed}}}}}
queries:
  - table: raw
    columns: {columns}
    key: {key}
"""


class Feed(harness.Scenario):
    def pipeline(self, feed, fields="{device: string, time: long, value: optional double, note: optional string}",
                 columns="{device: text, time: bigint, value: double, note: text}", key="[[device], time asc]"):
        self.spec = self.write("feed.yaml", PIPELINE.format(feed=feed, fields=fields, columns=columns, key=key))
        self.data = self.folder / "data"

    def run_it(self, **options):
        done = harness.run_to_end(self.spec, self.data, **options)
        return done if done.code else done.summary()

    def raw(self):
        return harness.table(self.spec, self.data, "raw")

    def malformed_lines(self):
        return [int(letter["offset"]) for letter in harness.letters(self.spec, self.data, "--reason", "malformed")]

    # ---- files that change

    def rows(self, first, count):
        return "".join(f"dev-{i % 7},{1000 * i},{i / 4},\n" for i in range(first, first + count))

    def test_growing_file(self):
        self.pipeline("path: grow.csv")
        path = self.write("grow.csv", "device,time,value,note\n")
        self.assertEqual(self.run_it()["records"], 0)
        total = 0
        for count in (1, 500, 0, 2999):
            with open(path, "a") as file:
                file.write(self.rows(total, count))
            total += count
            summary = self.run_it()
            self.assertEqual((summary["records"], summary["rows"]["raw"]), (total, total))
        rows = self.raw()
        self.assertEqual(sorted(int(row["time"]) for row in rows), [1000 * i for i in range(total)])
        with open(path, "a") as file:
            file.write("broken\n" + self.rows(total, 1))
        self.assertEqual(self.run_it()["records"], total + 1)
        self.assertEqual(self.malformed_lines(), [total + 2])

    def test_growing_packed_file(self):
        """A gzip file grows by members, a zstd file by frames."""
        for ending, packed in ((".gz", gzip.compress), (".zst", zstd)):
            with self.subTest(ending):
                self.pipeline(f"path: grow.csv{ending}")
                self.data = self.folder / f"data{ending}"
                path = self.write(f"grow.csv{ending}", packed(("device,time,value,note\n" + self.rows(0, 1000)).encode()))
                self.assertEqual(self.run_it()["records"], 1000)
                with open(path, "ab") as file:
                    file.write(packed(self.rows(1000, 10).encode()) + packed(b"") + packed(self.rows(1010, 90).encode()))
                summary = self.run_it()
                self.assertEqual((summary["records"], summary["rows"]["raw"], len(self.raw())), (1100, 1100, 1100))

    def test_changed_file(self):
        self.pipeline("path: change.csv")
        self.write("change.csv", "device,time,value,note\n" + self.rows(0, 100))
        self.run_it()
        before = self.raw()
        for text in ("device,time,value,note\n" + self.rows(5000, 200), "time,device,value,note\n", "device,time,value,note\n" + self.rows(0, 50), ""):
            self.write("change.csv", text)
            done = self.run_it(expect=65)
            self.assertIn("change.csv", done.err)
            self.assertEqual(self.raw(), before)
        self.write("change.csv", "device,time,value,note\n" + self.rows(0, 101))
        self.assertEqual(self.run_it()["records"], 101)

    def test_file_that_cannot_be_read(self):
        self.pipeline("path: nowhere.csv")
        self.assertIn("nowhere.csv", self.run_it(expect=66).err)
        self.pipeline("path: columns.csv, fields: {value: valeu}")
        self.write("columns.csv", "device,time,value,note\na,1,1,\n")
        done = self.run_it(expect=65)
        self.assertIn("'valeu'", done.err)
        self.assertIn("'value'", done.err)

    def test_archive_cut_short(self):
        """What came before the cut is kept; the rest follows when the file is whole."""
        self.pipeline("path: cut.csv.gz")
        whole = gzip.compress(("device,time,value,note\n" + self.rows(0, 20_000)).encode())
        self.write("cut.csv.gz", whole[:len(whole) * 2 // 3])
        self.assertIn("cut.csv.gz", self.run_it(expect=74).err)
        self.write("cut.csv.gz", whole)
        summary = self.run_it()
        self.assertEqual((summary["records"], summary["dead"]["malformed"]), (20_000, 0))
        self.assertEqual(len(self.raw()), 20_000)

    # ---- what rows look like

    def test_csv_dialect(self):
        self.pipeline("path: odd.csv, delimiter: ';'")
        self.write("odd.csv", b"\xef\xbb\xbf" + "\r\n".join([
            'note;"device";time;value', '"two\r\nlines; and a ""word""";a;1;1.5', ';a;2;', '""; a ;3; 2 ', 'Zürich;"b";"4";"+.5e1"', "", 'it "is" so;b;5;-0',
            'x;b;6', 'x;b;7;8;9', '"never closed;b;8;1', 'y;b;9;NaN', '"z" z;b;10;1', 'last;b;11;Infinity']).encode())
        self.assertEqual(self.run_it()["records"], 7)
        got = [(row["device"], row["time"], row["value"], row["note"]) for row in self.raw()]
        self.assertEqual(got, [(" a ", "3", "2", None), ("a", "1", "1.5", 'two\r\nlines; and a "word"'), ("a", "2", None, None), ("b", "4", "5", "Zürich"),
                               ("b", "5", "-0", 'it "is" so'), ("b", "9", "NaN", "y"), ("b", "11", "Infinity", "last")])
        self.assertEqual(self.malformed_lines(), [9, 10, 11, 13])

    def test_json_lines(self):
        self.pipeline("path: odd.jsonl, fields: {value: v}")
        lines = ['{"device":"a","time":1,"v":1.5,"note":null,"other":{"v":[1,{}]}}', '{"time":2,"device":"\\u00fc\\n","note":"x"}', '{"device":"a"}',
                 '{"device":"a","time":"3"}', '', '[1]', '{"device":"a","time":3,"v":"4"}', '{"device":"a","time":5e3,"v":NaN}', '{"device":"a","time":6']
        self.write("odd.jsonl", "\n".join(lines))
        self.assertEqual(self.run_it()["records"], 3)
        got = [(row["device"], row["time"], row["value"], row["note"]) for row in self.raw()]
        self.assertEqual(got, [("a", "1", "1.5", None), ("a", "5000", "NaN", None), ("ü\n", "2", None, "x")])
        self.assertEqual(self.malformed_lines(), [3, 4, 6, 7, 9])

    def test_unpivot(self):
        self.pipeline("path: wide.csv, format: csv, unpivot: {columns: [pm, temp, 'rel hum'], name: metric, value: value}",
                      "{device: string, metric: string, time: long, value: double}", "{device: text, metric: text, time: bigint, value: double}",
                      "[[device, metric], time asc]")
        self.write("wide.csv", "time,device,temp,pm,rel hum,more\n1,a,20.5,3,50,x\n2,a,,4,,x\n3,a,,,,x\n4,b,warm,5,,x\n,b,1,2,3,x\n6,b,1,,,\n")
        self.assertEqual(self.run_it()["records"], 6)
        got = [(row["device"], row["metric"], row["time"], row["value"]) for row in self.raw()]
        self.assertEqual(got, [("a", "pm", "1", "3"), ("a", "pm", "2", "4"), ("a", "rel hum", "1", "50"), ("a", "temp", "1", "20.5"), ("b", "pm", "4", "5"),
                               ("b", "temp", "6", "1")])
        self.assertEqual(self.malformed_lines(), [5, 6])

    def test_iso8601(self):
        self.pipeline("path: iso.csv, time_format: iso8601")
        times = {"1970-01-01": 0, "2017-10-07T12:29:51": 1507379391000, "2017-10-07 12:29:51.25Z": 1507379391250, "2017-10-07T14:29+02:00": 1507379340000,
                 "1969-12-31T23:59:59.999": -1}
        bad = ["2017-02-30", "2017-10-07T25:00", "07.10.2017", "1507379391000", ""]
        self.write("iso.csv", "device,time,value,note\n" + "".join(f"a,{text},1,{text}\n" for text in [*times, *bad]))
        self.assertEqual(self.run_it()["records"], len(times))
        self.assertEqual({row["note"]: int(row["time"]) for row in self.raw()}, times)
        self.assertEqual(self.malformed_lines(), list(range(len(times) + 2, len(times) + len(bad) + 2)))

    def test_letters_hold_the_row(self):
        self.pipeline("path: bad.csv")
        self.write("bad.csv", 'device,time,value,note\na,soon,1,"what\nnow"\n')
        self.run_it()
        [letter] = harness.letters(self.spec, self.data)
        self.assertEqual((letter["reason"], letter["partition"], letter["offset"]), ("malformed", None, "2"))
        self.assertEqual(letter["value"], 'a,soon,1,"what\nnow"')
        self.assertIn("'soon'", letter["text"])
        [listed] = [json.loads(line) for line in harness.weir("dead", "list", self.spec, "--data", self.data, "--format", "json").out.splitlines()]
        self.assertEqual((listed["reason"], listed["count"]), ("malformed", 1))

    # ---- pace

    def seconds(self, pace):
        self.pipeline(f"path: pace.csv, pace: {pace}")
        self.data = self.folder / f"data-{pace}"
        started = time.monotonic()
        self.assertEqual(self.run_it()["records"], 121)
        return time.monotonic() - started

    def test_pace(self):
        """Two minutes of events at sixty times their pace take two seconds, at most pace hardly any."""
        self.write("pace.csv", "device,time,value,note\n" + "".join(f"a,{1_600_000_000_000 + 1000 * i},1,\n" for i in range(121)))
        at_once, paced = self.seconds("max"), self.seconds("60x")
        self.assertGreaterEqual(paced, 1.9)
        self.assertLess(paced, 4 + 3 * at_once)
        self.assertLess(at_once, paced)


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c", "-"], input=data, check=True, capture_output=True).stdout


if __name__ == "__main__":
    harness.main()
