# SPDX-License-Identifier: Apache-2.0
"""Processes that outlive their starter, known by pid and start time, so that a pid used again is never taken for ours."""
import os
import shutil
import signal
import socket
import subprocess
import time

from .settings import Failure


def wait_for(what, done, seconds, every=0.1):
    """Polls done() until it gives something true, and gives that; raises Failure when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while True:
        result = done()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} seconds")
        time.sleep(every)


def answers(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def started_at(pid):
    """Clock ticks since boot when a process began; None for one that ended, zombies included."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            rest = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if rest[0] in "ZX" else int(rest[19])


def identity(pid):
    """A process beyond doubt, as text."""
    return f"{pid} {started_at(pid)}"


def lives(text):
    """The pid of the process that identity() gave this text for, while it lives; else None."""
    pid, ticks = map(int, text.split())
    return pid if started_at(pid) == ticks else None


class Process:
    """One engine's process. Its folder holds pid, log, conf/ and data/."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "log"
        self.conf = folder / "conf"
        self.data = folder / "data"

    @property
    def name(self):
        return self.folder.name

    @property
    def pid(self):
        """The pid while the process lives, else None."""
        try:
            return lives((self.folder / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def start(self, command):
        self.conf.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self.log_from = self.log.stat().st_size
        with open(self.log, "ab") as log:
            child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        (self.folder / "pid").write_text(identity(child.pid))
        child.returncode = 0  # it is not ours to wait for

    def said(self, words):
        """Whether the log holds the words since the last start."""
        with open(self.log, "rb") as log:
            log.seek(getattr(self, "log_from", 0))
            return words.encode() in log.read()

    def wait(self, what, done, seconds):
        """Like wait_for, and fails at once, with the end of the log, when the process dies."""

        def done_or_dead():
            if done():
                return True
            if not self.pid:
                raise Failure(f"{self.name} ended before it was up; the end of {self.log}:\n{self.tail(20)}")
            return False

        wait_for(f"{self.name}: {what}", done_or_dead, seconds)

    def tail(self, lines):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def signal(self, number):
        pid = self.pid
        if not pid:
            raise Failure(f"{self.name} does not run")
        os.kill(pid, number)

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        wait_for(f"end of {self.name}", lambda: not self.pid, 30, 0.02)

    def terminate(self):
        """Asks it to end, without waiting."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)

    def end(self, seconds):
        """Waits for one that was asked to end; when it takes longer, it is killed."""
        try:
            wait_for(self.name, lambda: not self.pid, seconds, 0.05)
        except Failure:
            self.kill()
        (self.folder / "pid").unlink(missing_ok=True)

    @property
    def rss_mb(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def end_all(processes, wipe):
    """Ends them side by side. What will be wiped need not be put in order first, and gets less time for it."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + (3 if wipe else 60)
    for process in processes:
        process.end(max(0, deadline - time.monotonic()))
        if wipe:
            shutil.rmtree(process.folder, ignore_errors=True)
