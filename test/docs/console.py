# SPDX-License-Identifier: Apache-2.0
"""Runs what documents show: lines of fenced blocks that begin with "$ " are commands for one shell, those below are what it answers.

`$ cat FILE` is not run but makes the file, of the lines below it. A block of YAML whose first line is "# NAME.yaml" makes that file.
"""
import os
import re
import subprocess
import time
from pathlib import Path

PATIENCE_S = 60
PAUSE_S = 0.2
END = "end-of-answer"


def steps(text):
    """[(command, answer)] of a document, in its order; a file that a block of YAML shows is the command "cat NAME"."""
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M):
        name = re.match(r"# (\S+\.yaml)\n", block)
        if language == "yaml" and name:
            found.append((f"cat {name[1]}", block))
        if language:
            continue
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, answer = re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.S).groups()
            found.append((command, answer))
    return found


def plain(text):
    """An answer without what differs from run to run: durations, and the width of columns."""
    return re.sub(r"\b\d+\.\d s\b", "0.0 s", re.sub(" +", " ", text)).strip()


class Shell:
    """One bash that is given commands in turn; weir is in its PATH and nothing of weir in its environment."""

    def __init__(self, folder, log=str):
        self.folder, self.log = Path(folder), log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        environment["PATH"] = f"{Path(os.environ['WEIR']).parent}:{os.environ['PATH']}"
        self.bash = subprocess.Popen(["bash", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)

    def ask(self, command):
        self.bash.stdin.write(f"{command}\necho; echo {END}\n")
        self.bash.stdin.flush()
        lines = []
        for line in self.bash.stdout:
            if line.strip() == END:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended at: {command}\n{''.join(lines)}")

    def step(self, command, answer):
        """Runs a command, or makes a file; what a query answers may take a while to be there."""
        made = re.fullmatch(r"cat (\S+)", command)
        if made:
            (self.folder / made[1]).write_text(answer)
            return
        deadline = time.monotonic() + (PATIENCE_S if re.match(r"weir (query|schema (list|diff))", command) else 0)
        while True:
            got = self.ask(command)
            if plain(got) == plain(answer) or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_S)
        if plain(got) != plain(answer):
            raise AssertionError(f"$ {command}\nanswers\n{got}\nnot\n{answer}\n{self.log()}")

    def close(self):
        self.ask("kill $(jobs -p) 2> /dev/null")
        self.bash.stdin.close()
        self.bash.wait(30)
        self.bash.stdout.close()
