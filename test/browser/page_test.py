#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""The page in a real browser. What drives it is installed in the build folder (package-lock.json says what), and runs the *_test.mjs there."""
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEIR = Path(os.environ.get("WEIR", ROOT / "build" / "weir")).absolute()
FOLDER = Path(os.environ.get("WEIR_BUILD", WEIR.parent)) / "browser"


def install():
    """The test's files and packages, in FOLDER."""
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="ascii") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # tests that run at once install once
        install_alone()


def install_alone():
    lock = (HERE / "package-lock.json").read_bytes()
    installed = FOLDER / "installed.json"
    for path in (HERE / ".npmrc", *HERE.glob("*.json"), *HERE.glob("*.mjs")):
        shutil.copyfile(path, FOLDER / path.name)
    if not installed.exists() or installed.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, check=True)
        installed.write_bytes(lock)


def run(tests, **more):
    """Runs test files that are in FOLDER; gives node's exit code."""
    environment = dict(os.environ, WEIR=str(WEIR), WEIR_WEB=f"{ROOT / 'web'}/", **more)
    return subprocess.run(["node", "--test", "--test-reporter=spec", *tests], cwd=FOLDER, env=environment, timeout=600, check=False).returncode


def main():
    install()
    return run(sorted(path.name for path in HERE.glob("*_test.mjs")))


if __name__ == "__main__":
    sys.exit(main())
