#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py finds what it is for, and leaves good code alone."""
import tempfile
import unittest
from pathlib import Path

import tidy

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"
ALLOWED = tidy.layers("# comment\nbase:\nlog: base\ncli: base log\n")


def found(path, body, head=HEAD):
    return [what for _, what in tidy.check(path, head + body, ALLOWED)]


class Tidy(unittest.TestCase):
    def rule(self, path, body, words, head=HEAD):
        got = found(path, body, head)
        self.assertEqual(len(got), 1, got)
        self.assertIn(words, got[0])

    def clean(self, path, body):
        self.assertEqual(found(path, body), [])

    def test_layers(self):
        self.rule("src/base/x.c", '#include "log/log.h"\n', "may not include log/")
        self.rule("src/new/x.c", '#include "base/str.h"\n', "may not include base/")
        self.clean("src/log/x.c", '#include "base/str.h"\n#include "log/log.h"\n#include <stdio.h>\n')

    def test_includes_are_rooted(self):
        self.rule("src/log/x.c", '#include "../base/str.h"\n', "not rooted")
        self.rule("src/log/x.c", '#include "log.h"\n', "not rooted")

    def test_file_size(self):
        self.rule("src/base/x.c", "int a;\n" * 800, "file of 801 lines")
        self.clean("src/base/x.c", "int a;\n" * 799)

    def test_function_size(self):
        body = "int f(int a,\n      int b)\n{\n" + "    a++;\n" * 67 + "}\n"
        self.rule("src/base/x.c", body, "function of 71 lines")
        self.clean("src/base/x.c", body.replace("    a++;\n", "", 1))
        self.clean("src/base/x.c", "static const int a[] = {\n" + "    1,\n" * 100 + "};\n")

    def test_two_functions_are_not_one(self):
        self.clean("src/base/x.c", "int f(void)\n{\n" + "    g();\n" * 40 + "}\n\nint h(void)\n{\n" + "    g();\n" * 40 + "}\n")

    def test_banned_calls(self):
        for name in "strcpy strcat sprintf vsprintf gets atoi atol atof sleep usleep strtok system rand srand".split():
            self.rule("src/cli/x.c", f"    {name}(a);\n", f"banned call {name}()")
        self.clean("src/cli/x.c", '    // sleep(1)\n    f("system(x)");\n    it->system(a);\n    my_rand(b);\n    snprintf(a, 1, b);\n')

    def test_libraries_do_not_print(self):
        for line in ('printf("a");', 'fprintf(stderr, "a");', 'puts("a");', 'perror("a");', 'fputs("a", stdout);'):
            self.rule("src/log/x.c", f"    {line}\n", "neither prints nor logs")
            self.clean("src/cli/x.c", f"    {line}\n")
            self.clean("src/log/x_test.c", f"    {line}\n")
        self.clean("src/log/x.c", '    fprintf(file, "a");\n')

    def test_header_guard(self):
        self.rule("src/base/x.h", "int f(void);\n", "#pragma once")
        self.clean("src/base/x.h", "#pragma once\n")

    def test_spdx(self):
        self.rule("src/base/x.c", "int a;\n", "SPDX", head="")
        self.rule("scripts/x", "echo\n", "SPDX", head="#!/bin/sh\n")
        self.assertEqual(found("scripts/x", "echo\n", head="#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"), [])

    def test_blanks(self):
        self.rule("src/base/x.c", "int a; \n", "blanks at the end")
        self.rule("src/base/x.c", "\tint a;\n", "tab")

    def test_format(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / ".clang-format").write_text((tidy.ROOT / ".clang-format").read_text())
            (root / "bad.c").write_text("int f(void) {return 1;}\n")
            (root / "good.c").write_text("int f(void)\n{\n    return 1;\n}\n")
            self.assertTrue(any(line.startswith("bad.c:1") for line in tidy.check_format(root, ["bad.c"])))
            self.assertEqual(tidy.check_format(root, ["good.c"]), [])


if __name__ == "__main__":
    unittest.main()
