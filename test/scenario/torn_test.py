#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""Files that lost their tail or got a bit turned: the right answer, or an error that names the file; never a wrong table."""
import re
import shutil
import signal

import fleet
import harness
import kills

ROWS = 60_000
FLIP_ROWS = 400_000


def newest_wal(data):
    return max((path for path in data.glob("*.log") if path.stem.isdigit()), key=lambda path: int(path.stem))


def cut(path, count, rnd):
    with open(path, "r+b") as file:
        file.truncate(max(path.stat().st_size - count, 0))


def blank(path, count, rnd):
    overwrite(path, count, bytes(count))


def garble(path, count, rnd):
    overwrite(path, count, rnd.randbytes(count))


def overwrite(path, count, data):
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(max(size - count, 0))
        file.write(data[:size])


class Torn(harness.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.rnd = harness.seeded()

    def kill_midway(self, spec, data):
        """A data folder whose run was killed when it had read some of the file."""
        while True:
            shutil.rmtree(data, ignore_errors=True)
            point = self.rnd.choice(["task.commit.after", "txn.commit.after", "feed.flush.before", "log.append.after"])
            done = harness.weir("run", spec, "--data", data, "--until-end", fault=f"{point}:{self.rnd.randrange(2, 12)}")
            if done.code == -signal.SIGKILL and newest_wal(data).stat().st_size > 5000:
                return

    def named(self, done, data):
        """The failure is an I/O error that says which file it is about."""
        self.assertEqual(done.code, 74, done)
        self.assertIn("error", done.err)
        self.assertRegex(done.err, rf"{re.escape(str(data))}|\d{{6}}\.(sst|blob|log)", "the file is named")

    def test_torn_write_ahead_log(self):
        spec = fleet.of_file(self.folder, self.rnd, ROWS, "avro", 2)
        calm, killed, torn = (self.folder / name for name in ("calm", "killed", "torn"))
        want = kills.Picture.undisturbed(spec, calm)
        whole = refused = 0
        for _ in range(4):
            self.kill_midway(spec, killed)
            size = newest_wal(killed).stat().st_size
            for damage in (cut, cut, cut, blank, garble):
                count = self.rnd.choice([1, 7, 4096, 33_000, self.rnd.randrange(1, size), size])
                shutil.rmtree(torn, ignore_errors=True)
                shutil.copytree(killed, torn)
                damage(newest_wal(torn), min(count, size), self.rnd)
                with self.subTest(damage=damage.__name__, bytes=count, of=size):
                    done = harness.run_to_end(spec, torn, expect=(0, 74))
                    if done.code:
                        refused += 1
                        self.named(done, torn)
                    else:
                        whole += 1
                        kills.Kills.same(self, spec, torn, want, f"{damage.__name__} {count} of {size} bytes")
        print(f"{whole} times the lost tail was read again, {refused} times it was refused", flush=True)

    def test_turned_bits(self):
        spec = fleet.of_file(self.folder, self.rnd, FLIP_ROWS, "json", 2)
        data = self.folder / "data"
        harness.run_to_end(spec, data)
        right = {name: harness.query_text(spec, data, name) for name in fleet.TABLES}
        lines = {name: set(text.splitlines()) for name, text in right.items()}
        files = sorted(path for path in data.iterdir() if path.suffix in (".sst", ".blob"))
        self.assertTrue(files, "something was flushed")
        seen = 0
        for _ in range(24):
            path = self.rnd.choice(files)
            at = self.rnd.randrange(path.stat().st_size)
            with self.subTest(file=path.name, byte=at):
                self.turn(path, at)
                seen += self.read_all(spec, data, right, lines)
                self.turn(path, at)
        print(f"{seen} of 24 turned bits lay where something was read", flush=True)

    def turn(self, path, at):
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))

    def read_all(self, spec, data, right, lines):
        """Reads tables and topic; True if some reading failed, as it may."""
        failed = False
        for name in ("readings", self.rnd.choice(fleet.TABLES)):
            done = harness.weir("query", spec, name, "--data", data, "--format", "csv", expect=(0, 74))
            if done.code:
                self.named(done, data)
                wrong = [line for line in done.out.splitlines()[:-1] if line not in lines[name]]
                self.assertEqual(wrong[:3], [], "rows before the failure are right")
            else:
                self.same_text(done.out, right[name], name)
            failed |= done.code != 0
        done = harness.weir("topic", "tail", spec, "--data", data, "--offset", 0, expect=(0, 74))
        if done.code:
            self.named(done, data)
        return failed or done.code != 0

    def test_run_on_turned_bits(self):
        """Goes on with a folder that has a turned bit: to the right end, or to an error."""
        spec = fleet.of_file(self.folder, self.rnd, FLIP_ROWS, "json", 2)
        calm, data = self.folder / "calm", self.folder / "data"
        want = kills.Picture.undisturbed(spec, calm)
        files = sorted(path.name for path in calm.iterdir() if path.suffix in (".sst", ".blob"))
        for _ in range(6):
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(calm, data)
            path = data / self.rnd.choice(files)
            at = self.rnd.randrange(path.stat().st_size)
            with self.subTest(file=path.name, byte=at):
                self.turn(path, at)
                done = harness.run_to_end(spec, data, expect=(0, 74))
                if done.code:
                    self.named(done, data)
                    continue
                self.assertEqual(harness.counts(done.summary())["records"], want.counts["records"])
                self.read_all(spec, data, want.tables, {name: set(text.splitlines()) for name, text in want.tables.items()})


if __name__ == "__main__":
    harness.main()
