#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tree against its own rules: layers, sizes, banned calls, formatting. Prints path:line: what, exits 1 where anything is found."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "test", "bench", "scripts", ".ci")
FILE_LINES = 800
FUNCTION_LINES = 70

BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atoll|atof|sleep|usleep|nanosleep|strtok|system|rand|srand)\s*\(")
PRINTS = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|vprintf|syslog)\s*\(|\b(stderr|stdout)\b")
TALKATIVE = {"engine", "http", "cli"}  # folders that may log
LAST_WORDS = {"src/base/error.c", "src/base/memory.c", "src/base/fault.c"}  # say why the process ends
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def layers(text):
    """src/LAYERS as {folder: folders it may include}."""
    allowed = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            folder, _, others = line.partition(":")
            allowed[folder.strip()] = {folder.strip(), *others.split()}
    return allowed


def blank_out(text):
    """The C text with comments and the insides of literals turned to blanks, line by line the same length."""
    def blanks(match):
        found = match.group(0)
        keep = found[0] if found[0] in "\"'" else " "
        return keep + re.sub(r"[^\n]", " ", found[1:-1]) + (keep if len(found) > 1 and found[-1] != "\n" else "")
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blanks, text, flags=re.S)


def functions(code):
    """(first line, length) of each function of formatted code: its brace stands alone in column 0, its signature right above."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{" and number > 0:
            start = number
            while start > 0 and lines[start - 1].strip() and not lines[start - 1].startswith(("}", "#")) and not lines[start - 1].rstrip().endswith(";"):
                start -= 1
        elif line.startswith("}") and start is not None:
            yield start + 1, number - start + 1
            start = None


def check_include(path, target, allowed):
    if target.startswith("../") or "/../" in target:
        return f"include '{target}' is not rooted at src/"
    if not path.startswith("src/"):
        return None
    folder = path.split("/")[1]
    if "/" not in target:
        return f"include '{target}' is not rooted at src/"
    if target.split("/")[0] not in allowed.get(folder, ()):
        return f"{folder}/ may not include {target.split('/')[0]}/ (src/LAYERS)"
    return None


def may_print(path):
    parts = path.split("/")
    return parts[0] != "src" or parts[1] in TALKATIVE or path in LAST_WORDS or path.endswith("_test.c")


def check_c(path, text, allowed):
    code = blank_out(text)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        wrong = match and check_include(path, match.group(1), allowed)
        if wrong:
            yield number, wrong
    for number, line in enumerate(code.splitlines(), 1):
        if "\t" in line:
            yield number, "tab"
        for match in BANNED.finditer(line):
            yield number, f"banned call {match.group(1)}()"
        if not may_print(path) and PRINTS.search(line):
            yield number, "a library neither prints nor logs"
    for number, length in functions(code):
        if length > FUNCTION_LINES:
            yield number, f"function of {length} lines, at most {FUNCTION_LINES}"
    if path.endswith(".h") and "#pragma once" not in text:
        yield 1, "no #pragma once"


def check_spdx(path, lines):
    if path.endswith(".json") or not lines:
        return False
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    return "SPDX-License-Identifier: Apache-2.0" not in first


def check(path, text, allowed):
    """Yields (line, what is wrong) of one file; `path` is relative to the root."""
    lines = text.splitlines()
    if check_spdx(path, lines):
        yield 1, "the first line is not the SPDX identifier"
    if len(lines) > FILE_LINES:
        yield len(lines), f"file of {len(lines)} lines, at most {FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
    if path.endswith((".c", ".h")):
        yield from check_c(path, text, allowed)


def sources(root):
    for name in FOLDERS:
        for path in sorted((root / name).rglob("*")):
            relative = path.relative_to(root).as_posix()
            if path.is_file() and "/corpus/" not in relative and "__pycache__" not in relative:
                if path.suffix in (".c", ".h", ".py", ".cmake", "") and path.name != "LAYERS":
                    yield relative, path
    for name in ("CMakeLists.txt", "Makefile"):
        yield name, root / name


def check_format(root, paths):
    tool = shutil.which("clang-format")
    if not tool:
        return ["clang-format is not installed"]
    done = subprocess.run([tool, "--dry-run", "-Werror", *paths], cwd=root, capture_output=True, text=True)
    found = [line.split(" error:")[0] + " not as clang-format has it" for line in done.stderr.splitlines() if " error: " in line]
    return found or ([done.stderr.strip()] if done.returncode else [])


def main():
    allowed = layers((ROOT / "src/LAYERS").read_text())
    found, formatted = [], []
    for relative, path in sources(ROOT):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            found.append(f"{relative}: not UTF-8")
            continue
        found += [f"{relative}:{number}: {wrong}" for number, wrong in check(relative, text, allowed)]
        if path.suffix in (".c", ".h"):
            formatted.append(relative)
    found += check_format(ROOT, formatted)
    for line in found:
        print(line)
    print(f"{len(formatted)} C files, {len(found)} untidy places")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
