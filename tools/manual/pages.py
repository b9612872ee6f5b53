# SPDX-License-Identifier: BSD-2-Clause
"""The generated tables, and the pages that they are in."""

import re

from manual import sources
from manual.sources import ROOT
from nacre.test import engine_tests

PAGES = ROOT / "docs" / "reference" / "kernel"
# Pages elsewhere that have such tables.
OTHERS = [ROOT / "docs" / "testing.md"]
BLOCK = re.compile(r"(<!-- generated: (\w+)(?: (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)
# Interfaces whose operations are under another's.
WITH = {"seL4_X86_VCPU": ("nacre_VCPU",), "seL4_IRQHandler": ("nacre_IRQHandler",)}
BUILDS = {"DEBUG": "debug", "BENCHMARK": "benchmark", "VM": "all, with VT-x or AMD-V",
          "VCPU": "all, with VT-x or AMD-V"}


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def size(bits):
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if bits >= shift:
            return f"{1 << (bits - shift)} {unit}"
    return f"{1 << bits} bytes"


def objects():
    known = sources.numbers("object.h")
    names = sources.object_names()
    rows = []
    for number, kind, bits, device in sources.object_kinds():
        bits = known[bits].value if bits in known else int(bits)
        rows.append((number, f"`{names[kind]}`",
                     f"{size(bits)} (2^{bits})" if bits else "argument",
                     "yes" if device else ""))
    return table(("type", "object", "size", "from device memory"), rows)


def limits():
    known = sources.numbers("object.h").values()
    rows = [(f"`{number.name}`", number.value, number.note) for number in known if number.note]
    return table(("name", "value", "what"), rows)


def syscalls():
    ours = {number.value: number.name for number in
            sources.numbers("syscall.h", "syscall_number").values()}
    rows = []
    for number, name in sources.system_calls():
        if number in ours:
            word = ours.pop(number)[len("SYSCALL_"):].split("_")[0]
            rows.append((number, name, BUILDS.get(word, "all")))
        else:
            rows.append((number, name, "none"))
    for number in sorted(ours, reverse=True):
        words = ours[number][len("SYSCALL_"):].split("_")
        name = "".join(word if word == "VCPU" else word.capitalize() for word in words)
        rows.append((number, name,
                     BUILDS.get(words[0], "all")))
    return table(("number", "name", "builds that have it"), rows)


def struct(name, header):
    rows = [(member.offset, member.size, f"`{member.name}`", member.note)
            for member in sources.members(header, name)
            if not member.name.startswith(("padding", "reserved"))]
    return table(("offset", "bytes", "field", "content"), rows)


def registers():
    root = sources.generate.methods()
    context = next(method.structs["seL4_UserContext"] for method in root)
    return table(("word", "register"), list(enumerate(context)))


def faults():
    known = sources.numbers("fault.h")
    rows = []
    for name, number in sources.numbers("fault.h", "fault_kind").items():
        length = known.get(f"{name}_LENGTH")
        reply = known.get(f"{name}_REPLY_LENGTH")
        rows.append((number.value, number.note or name, length.value if length else "",
                     reply.value if reply else ""))
    return table(("number", "fault", "words", "words of the reply that count"), rows)


def root_slots():
    rows = [(number.value, number.note) for number in
            sources.numbers("bootinfo.h", "root_slot").values() if number.note]
    return table(("slot", "capability"), rows)


def identify():
    text = (ROOT / "src" / "arch" / "x86_64" / "object" / "kinds.c").read_text()
    rows = re.findall(r'\[CAP_\w+\] = \{"(\w+)", \w+, \w+, (\d+)(?:, true)?\}', text)
    found = [(int(code), name.replace("_", " ")) for name, code in rows
             if code != "0" or name == "null"]
    nodes = ((9, "PML4"), (7, "PDPT"), (5, "page directory"), (3, "page table"), (29, "EPT PML4"),
             (27, "EPT PDPT"), (25, "EPT PD"), (23, "EPT PT"), (17, "I/O page table"))
    return table(("number", "kind"), sorted(found + list(nodes)))


def state_groups():
    rows = [(number.value.bit_length() - 1, f"`{number.name}`", number.note) for number in
            sources.numbers("vcpu_state.h", "vcpu_group").values() if number.name != "VCPU_GROUPS"]
    return table(("bit", "group", "what it has"), rows)


def state_reasons():
    rows = [(number.value, f"`{number.name}`", number.note or number.above.rstrip("."))
            for number in sources.numbers("vcpu_state.h", "vcpu_exit_reason").values()
            if number.name != "VCPU_EXIT_REASONS"]
    return table(("reason", "name", "what happened; AMD-V's exit codes"), rows)


def payload(words):
    return f" ({words})" if words else ""


def operation(one, outcomes):
    text = f"### {one.name}\n\nLabel {one.label:#x}. " if one.label > 0xfff else \
        f"### {one.name}\n\nLabel {one.label}. "
    text += f"{one.brief}\n\n"
    if one.arguments:
        text += table(("place", "argument", "meaning"),
                      [(place, f"`{name}`", meaning) for place, name, meaning in one.arguments])
        text += "\n"
    if outcomes:
        text += table(("#", "error", "when"),
                      [(row.order, row.error + payload(row.words), row.condition)
                       for row in outcomes])
        text += "\n"
    return text


def invocations(interface):
    rows = sources.outcomes()
    every = sources.operations()
    found = [one for name in (interface, *WITH.get(interface, ())) for one in every[name]]
    return "".join(operation(one, rows.get(one.identity, [])) for one in found).rstrip("\n") + "\n"


def guest_tests():
    absent = engine_tests.absences()
    rows = []
    for name, sentence in engine_tests.sentences().items():
        where = [absent[engine][name].reason if name in absent[engine] else "yes"
                 for engine in engine_tests.ENGINES]
        rows.append((f"`{name}`", sentence, *where))
    return table(("test", "what must hold", *engine_tests.ENGINES.values()), rows)


TABLES = {
    "objects": objects, "limits": limits, "syscalls": syscalls, "registers": registers,
    "faults": faults, "root_slots": root_slots, "identify": identify,
    "state_groups": state_groups, "state_reasons": state_reasons,
    "state_page": lambda: struct("vcpu_state_page", "vcpu_state.h"),
    "ipc_buffer": lambda: struct("ipc_buffer", "message.h"),
    "bootinfo": lambda: struct("bootinfo", "bootinfo.h"),
    "invocations": invocations,
    "guest_tests": guest_tests,
}


def current(text):
    """The page with its tables made anew."""
    def block(match):
        made = TABLES[match[2]](*([match[3]] if match[3] else []))
        return f"{match[1]}\n{made}\n{match[4]}"
    return BLOCK.sub(block, text)


def outdated():
    """(path, text as it should be) of each page that is not current."""
    for path in [*sorted(PAGES.glob("*.md")), *OTHERS]:
        text = path.read_text()
        made = current(text)
        if made != text:
            yield path, made
