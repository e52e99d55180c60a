# SPDX-License-Identifier: Apache-2.0
"""What every scenario needs: weir as a user starts it, tables and summaries as a user reads them, waiting with a deadline.

Environment: WEIR, the binary; WEIR_BUILD, its build folder; WEIR_SEED, to repeat a run (the seed of every run is printed).
"""
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIR = os.path.abspath(os.environ.get("WEIR", ROOT / "build" / "weir"))
BUILD = Path(os.environ.get("WEIR_BUILD", Path(WEIR).parent))
UNIT = 60  # seconds that no single command takes, not even under a sanitizer


def sanitized():
    """Whether the binary was built for a sanitizer, and is therefore many times slower."""
    cache = BUILD / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    return bool(re.search(r"^WEIR_SANITIZE:\w+=\S", text, re.M) or re.search(r"^CMAKE_C_FLAGS:\w+=.*-fsanitize", text, re.M))


def seeded():
    """A random source whose seed is printed, and taken from WEIR_SEED if that is set."""
    seed = int(os.environ.get("WEIR_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed} (repeat with WEIR_SEED={seed})", flush=True)
    return random.Random(seed)


# ---- processes


def environment(fault=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    return dict(kept, NO_COLOR="1", **({"WEIR_FAULT": fault} if fault else {}))


class Finished:
    """A command that has ended: exit code (negative: the signal), stdout and stderr as text."""

    def __init__(self, args, code, out, err):
        self.args, self.code = args, code
        self.out, self.err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    def __str__(self):
        return f"weir {' '.join(map(str, self.args))}: exit {self.code}\n{self.out[-1500:]}\n{self.err[-2500:]}"

    def summary(self):
        try:
            return json.loads(self.out.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise AssertionError(f"no summary on the last line of stdout: {self}") from None


def weir(*args, expect=0, fault=None, kill_after=None, cwd=None):
    """Runs weir to its end. `expect`: exit codes that are right (None: any that is no crash).
    `kill_after`: seconds after which it is killed with SIGKILL, if it has not ended by then."""
    child = subprocess.Popen([WEIR, *map(str, args)], cwd=cwd, env=environment(fault), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=kill_after if kill_after is not None else 2 * UNIT)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        if kill_after is None:
            raise AssertionError(f"hung: {Finished(args, child.returncode, out, err)}") from None
    done = Finished(args, child.returncode, out, err)
    allowed = {0, 1, 64, 65, 66, 69, 74, 78, 130} if expect is None else {expect} if isinstance(expect, int) else set(expect)
    if fault or kill_after is not None:
        allowed.add(-signal.SIGKILL)
    if done.code not in allowed:
        raise AssertionError(f"exit {done.code}, wanted {sorted(allowed)}: {done}")
    return done


class Running:
    """weir in the background; ended with the `with` block at the latest."""

    def __init__(self, *args, folder):
        self.args = args
        self.out, self.err = (tempfile.TemporaryFile(dir=folder) for _ in range(2))
        self.child = subprocess.Popen([WEIR, *map(str, args)], env=environment(), stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.alive():
            self.child.kill()
        self.child.wait()
        self.out.close()
        self.err.close()

    def alive(self):
        return self.child.poll() is None

    def end(self, number=None):
        """Sends the signal, if one is given, and waits for the end."""
        if number:
            self.child.send_signal(number)
        try:
            self.child.wait(UNIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"weir {' '.join(map(str, self.args))} did not end") from None
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read())
        return Finished(self.args, self.child.returncode, *texts)

    def peak_bytes(self):
        """The most memory it had resident so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def poll(what, probe, seconds=UNIT):
    """Asks `probe` again and again until it answers something true, which is returned."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        select.select([], [], [], 0.01)


# ---- what weir knows


def run_to_end(spec, data, *more, **options):
    return weir("run", spec, "--data", data, "--until-end", "--close", "--format", "json", *more, **options)


def query_text(spec, data, table, *more):
    return weir("query", spec, table, "--data", data, "--format", "csv", *more).out


def parse_csv(text):
    """RFC 4180, where an empty cell is None and "" an empty text. The header line, then the rows."""
    rows, row, at = [], [], 0
    cell = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)')
    while at < len(text):
        match = cell.match(text, at)
        if not match:
            raise AssertionError(f"this is no CSV: {text[at:at + 200]!r}")
        quoted, plain, end = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        at = match.end()
        if end != ",":
            rows.append(row)
            row = []
    return (rows[0], rows[1:]) if rows else ([], [])


def table(spec, data, name, *more):
    """The rows of a table as dicts, in the order they were given."""
    header, rows = parse_csv(query_text(spec, data, name, *more))
    return [dict(zip(header, row, strict=True)) for row in rows]


def letters(spec, data, *more):
    """Every dead letter, without the time it was written at."""
    header, rows = parse_csv(weir("dead", "show", spec, "--data", data, "--format", "csv", *more).out)
    return [{name: cell for name, cell in zip(header, row, strict=True) if name != "time"} for row in rows]


def counts(summary):
    """What of a summary must be the same however often a run was interrupted."""
    return {"records": summary["records"], "rows": summary["rows"], "dead": summary["dead"]}


# ---- tests


class Scenario(unittest.TestCase):
    """A test with a folder of its own, kept for a look at it when WEIR_KEEP is set."""

    longMessage = True
    maxDiff = 4000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="weir-scenario-"))
        if os.environ.get("WEIR_KEEP"):
            print(f"{self.id()}: {self.folder}", flush=True)
        else:
            self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def subfolder(self):
        return Path(tempfile.mkdtemp(dir=self.folder))

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def same_text(self, got, want, what):
        """Like assertEqual, but says the first line that differs rather than all of them."""
        if got == want:
            return
        ours, theirs = got.splitlines(), want.splitlines()
        at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
        self.fail(f"{what}: {len(ours)} lines, wanted {len(theirs)}; line {at + 1}: {ours[at:at + 1]} wanted {theirs[at:at + 1]}")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main(verbosity=2)
