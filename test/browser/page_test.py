#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# builds: plain
"""The page in a real browser: installs what drives it (package-lock.json says what) and runs page_test.mjs."""
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main():
    installed = FOLDER / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, check=True)
    weir = os.path.abspath(os.environ.get("WEIR", FOLDER.parents[1] / "build" / "weir"))
    tests = ["node", "--test", "--test-reporter=spec", "logic_test.mjs", "page_test.mjs"]
    return subprocess.run(tests, cwd=FOLDER, env=dict(os.environ, WEIR=weir), timeout=600, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
