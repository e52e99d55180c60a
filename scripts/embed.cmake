# SPDX-License-Identifier: Apache-2.0
# Writes the files of FILES (paths below ROOT) into OUT as a C table, declared in src/cli/shipped.h.
set(rows "")
set(code "// SPDX-License-Identifier: Apache-2.0\n// Made by scripts/embed.cmake.\n#include \"cli/shipped.h\"\n\n")
set(number 0)
foreach(path ${FILES})
  file(READ ${ROOT}/${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND code "static const unsigned char file_${number}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${path}\", (const char *)file_${number}, sizeof(file_${number}) - 1},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND code "\nconst struct shipped_file shipped_files[] = {\n${rows}    {0},\n};\n")
file(WRITE ${OUT} "${code}")
