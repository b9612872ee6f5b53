# SPDX-License-Identifier: BSD-2-Clause
"""Numbers of C for the assembler. `names`: what the assembler's files use and do not define, as
lines of offsets.c. `values`: that file, compiled to assembly text, as NASM definitions."""

import pathlib
import re
import sys

NO_CODE = re.compile(r'"[^"]*"|;.*')
NAME = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
DEFINED = re.compile(r"^(?:%x?define\s+(\w+)|(\w+)\s+equ\b)", re.MULTILINE)
MARK = re.compile(r'^\s*\.ascii\s+"@define (\w+) \$(-?\d+)"$', re.MULTILINE)
# By a name's first word what the rest of it is; all other names are constants of C.
MEANINGS = {
    "CONTEXT": "offsetof(struct context, {lower})",
    "CPU": "offsetof(struct cpu, {lower})",
    "GUEST": "offsetof(struct guest, {lower})",
    "MITIGATION": "MITIGATION_BIT({rest})",
    "SVM": "offsetof(struct guest, svm.{lower})",
    "THREAD": "offsetof(struct thread, {lower})",
    "TRAP": "offsetof(struct thread, trap.{lower})",
    "TSS": "offsetof(struct cpu, tss.{lower})",
    "VMX": "offsetof(struct guest, vmx.{lower})",
}


def define(name):
    word, _, rest = name.partition("_")
    return f"DEFINE({name}, {MEANINGS.get(word, name).format(rest=rest, lower=rest.lower())});"


def names(sources):
    text = NO_CODE.sub("", "\n".join(source.read_text() for source in sources))
    defined = {name for pair in DEFINED.findall(text) for name in pair}
    return [define(name) for name in sorted(set(NAME.findall(text)) - defined)]


def values(sources):
    return [f"%define {name} {value}" for source in sources
            for name, value in MARK.findall(source.read_text())]


def main():
    command, target, *sources = sys.argv[1:]
    lines = {"names": names, "values": values}[command](list(map(pathlib.Path, sources)))
    if not lines:
        print(f"{sources[0]}:1: nothing to share between C and assembler", file=sys.stderr)
        return 1
    pathlib.Path(target).write_text("\n".join(lines) + "\n")
    return 0


sys.exit(main())
