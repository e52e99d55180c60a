# SPDX-License-Identifier: Apache-2.0
"""`weir run` as a process among others: started, frozen, killed, asked how it is. And the shipped pipelines on real engines, under names of their own."""
import os
import re
import signal
import subprocess
import time

import httpx

import cluster
from cluster import ROOT, WEIR

TICKS = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 60


def pipeline(shipped, path, name, topic, partitions, store, log=None, registry="embedded", replication=1, idle="5 seconds", log_options=()):
    """A shipped pipeline, written to `path` with its engines and names replaced, its updates quick and its silences short."""
    text = (ROOT / "pipelines" / f"{shipped}.yaml").read_text()
    options = "".join(f"\n    {key}: {value}" for key, value in log_options)
    log = f"log:\n  url: {log}\n  options:{options}\n" if options else f"log: {log or 'kafka://' + cluster.kafka()}\n"
    for pattern, by in (
        (r"pipeline: .*\n", f"pipeline: {name}\n"),
        (r"log: .*\n", log),
        (r"registry: .*\n", f"registry: {registry}\n"),
        (r"store: .*\n", f"store: {store}\n"),
        (r"topic: .*\n", f"topic: {{name: {topic}, partitions: {partitions}, replication: {replication}, retention: 750 hours}}\n"),
    ):
        text = re.sub(f"(?m)^{pattern}", lambda _, by=by: by, text)
    text = re.sub(r"schema: \.\./(\S+)", lambda m: f"schema: {ROOT / m.group(1)}", text)
    text = re.sub(r"(?m)^( *)lateness: ", rf"\1idle: {idle}\n\1lateness: ", text)
    text = re.sub(r"(?m)^( *)every: 1(0 seconds| minute)$", r"\1every: 1 second", text)
    path.write_text(text)
    return path


def store_url(space, hosts=None, port=None):
    return f"cassandra://{','.join(hosts or cluster.hosts())}:{port or cluster.cql_port()}/{space}"


def weir(*arguments, seconds=120, **more):
    """A verb that ends by itself."""
    return subprocess.run([WEIR, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, **more)


class Run:
    """A `weir run --no-feed` that serves HTTP on a free port."""

    def __init__(self, case, *files, data, more=(), env=None, verb="run"):
        listen = ("--listen", "127.0.0.1:0") if verb == "run" else ()
        feed = ("--no-feed",) if verb == "run" and "--feed" not in more else ()
        words = [word for word in more if word != "--feed"]
        self.process = case.spawn(WEIR, verb, *files, *feed, "--data", data, *listen, *words, env={**os.environ, **(env or {})})
        self.data = data

    @property
    def log(self):
        return self.process.log.read_text(errors="replace")

    @property
    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=STOP_SECONDS):
        """A clean stop; gives the exit code."""
        self.thaw()
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    @property
    def url(self):
        found = re.search(r"dashboard (http://\S+)", self.log)
        return found and found.group(1)

    def ready(self):
        """(status, text) of /readyz; (0, "") while nobody answers."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5)
            return answer.status_code, answer.text
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, ""

    @property
    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))

    @property
    def stat(self):
        """The fields of /proc/PID/stat from the state on."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()

    @property
    def frozen(self):
        return self.stat[0] == "T"

    @property
    def cpu_seconds(self):
        fields = self.stat
        return (int(fields[11]) + int(fields[12])) / TICKS

    def cpu_share(self, seconds):
        """Cores in use, over some seconds."""
        before, begun = self.cpu_seconds, time.monotonic()
        cluster.eventually(lambda: time.monotonic() - begun >= seconds, seconds + 5)
        return (self.cpu_seconds - before) / (time.monotonic() - begun)


def await_ready(case, run, status=200, seconds=60):
    """Until /readyz says so; gives its text. A run that ends meanwhile fails at once."""

    def answered():
        alive(case, run)
        found = run.ready()
        return found if found[0] == status else None

    return cluster.eventually(answered, seconds, 0.2, f"{status} of /readyz")[1]


def alive(case, run):
    """Fails with the end of what it said when a run is no more."""
    case.assertTrue(run.running, f"weir ended with {run.process.returncode}: {run.log[-2000:]}")
