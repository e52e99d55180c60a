# SPDX-License-Identifier: Apache-2.0
"""The engines' jars, by Maven, into a cache outside the tree; a version is complete or not there."""
import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .settings import CACHE, Failure

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
GET = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"

# folder: coordinates whose jars, dependencies included, are put there
LIBRARIES = {
    "cassandra-5.0.9": ("org.apache.cassandra:cassandra-all:5.0.9", "com.github.jbellis:jamm:0.4.0"),
    "kafka-3.9.1": ("org.apache.kafka:kafka_2.13:3.9.1", "org.apache.kafka:kafka-tools:3.9.1", "org.slf4j:slf4j-reload4j:1.7.36"),
}
# folder: an archive that holds all it needs
ARCHIVES = {"apicurio-2.6.13": "io.apicurio:apicurio-registry-app:2.6.13.Final:tar.gz:all"}


def java():
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if not found:
        raise Failure("no java; scripts/install-deps installs it")
    return found


def maven(*arguments):
    if not shutil.which("mvn"):
        raise Failure("no mvn; scripts/install-deps installs it")
    done = subprocess.run(["mvn", "-q", "-B", f"-Dmaven.repo.local={CACHE / 'm2'}", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"Maven cannot fetch the engine:\n{(done.stdout + done.stderr)[-2000:]}")


def project(coordinates):
    wanted = "".join("<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>" % tuple(c.split(":"))
                     for c in coordinates)
    return ('<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>weir</groupId><artifactId>engines'
            f"</artifactId><version>1</version><packaging>pom</packaging><dependencies>{wanted}</dependencies></project>\n")


def fetch(name, into):
    if name in ARCHIVES:
        group, artifact, version, kind, classifier = ARCHIVES[name].split(":")
        maven(GET, "-Dtransitive=false", f"-Dartifact={ARCHIVES[name]}")
        stored = CACHE / "m2" / group.replace(".", "/") / artifact / version / f"{artifact}-{version}-{classifier}.{kind}"
        into.mkdir()
        subprocess.run(["tar", "-xzf", stored, "-C", into], check=True)
        return
    pom = into.with_name(into.name + ".xml")
    pom.write_text(project(LIBRARIES[name]))
    maven("-f", str(pom), COPY, "-DincludeScope=runtime", f"-DoutputDirectory={into}")


def folder(name):
    """The folder with a library's or archive's files, fetched when it is not there yet."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / name).is_dir():
            print(f"fetching {name}", flush=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as beside:
                into = Path(beside) / name
                fetch(name, into)
                into.rename(CACHE / name)
    return CACHE / name
