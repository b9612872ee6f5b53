#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes <interfaces/sel4_client.h>, a function for each method of the object-api*.xml beside it.

usage: generate.py FILE.h"""

import dataclasses
import pathlib
import re
import sys
import textwrap
import xml.etree.ElementTree as ElementTree

FOLDER = pathlib.Path(__file__).resolve().parent
FILES = ("object-api.xml", "object-api-sel4-arch.xml", "object-api-arch.xml")
LABELS = FOLDER.parent / "abi" / "invocation.h"
ROW = re.compile(r"^\tROW\((\d+), (\w+),", re.MULTILINE)
WORD = 64
MESSAGE_REGISTERS = 4
# Width in bits of the types that share a message word or fill one.
WIDTHS = {"seL4_Bool": 1, "seL4_Uint8": 8, "seL4_Uint16": 16, "seL4_Uint32": 32,
          "seL4_Uint64": WORD, "seL4_Word": WORD, "seL4_Time": WORD,
          "seL4_CapRights_t": WORD, "seL4_X86_VMAttributes": WORD}
HEAD = """\
// SPDX-License-Identifier: BSD-2-Clause
// Operations on kernel objects: one function a method of the object-api*.xml in this folder.
// Each returns seL4_NoError, or an error whose details are in message words 0 to 3.
#pragma once

#include <sel4/invoke.h>
"""


@dataclasses.dataclass
class Method:
    interface: str
    element: ElementTree.Element
    label: str
    structs: dict

    @property
    def name(self):
        return f"{self.interface}_{self.element.get('name')}"

    def params(self, direction):
        return [param for param in self.element.findall("param")
                if param.get("dir") == direction]

    def results(self):
        """What is returned by value; structures are written through a pointer instead."""
        return [param for param in self.params("out") if param.get("type") not in self.structs]

    def members(self, param):
        return self.structs[param.get("type")]


def methods():
    """All methods in the order of their labels."""
    labels = [name for _, name in ROW.findall(LABELS.read_text())]
    roots = [ElementTree.parse(FOLDER / name).getroot() for name in FILES]
    structs = {struct.get("name"): [member.get("name") for member in struct.findall("member")]
               for root in roots for struct in root.findall("struct")}
    found = [(interface.get("name"), method) for root in roots
             for interface in root.findall("interface") for method in interface.findall("method")]
    if len(labels) < len(found):
        raise SystemExit(f"{LABELS}: {len(labels)} labels for {len(found)} methods")
    return [Method(interface, element, f"LABEL_{label}", structs)
            for (interface, element), label in zip(found, labels)]


class Layout:
    """Where each parameter lies: capabilities in order, data at the next multiple of its width."""

    def __init__(self, method):
        self.caps = []
        self.words = {}
        self.bits = 0
        for param in method.params("in"):
            kind = param.get("type")
            if kind in method.structs:
                for member in method.members(param):
                    self.put(f"{param.get('name')}->{member}", WORD)
            elif kind in WIDTHS:
                self.put(value(param), WIDTHS[kind])
            else:
                self.caps.append(param.get("name"))

    def put(self, text, width):
        place = -(-self.bits // width) * width
        shift = place % WORD
        text = f"({text} & 1u)" if width == 1 else text
        self.words.setdefault(place // WORD, []).append(f"{text} << {shift}" if shift else text)
        self.bits = place + width

    @property
    def length(self):
        return -(-self.bits // WORD)

    def word(self, index):
        return " | ".join(self.words.get(index, ["0"]))


def value(param):
    """The parameter as an unsigned word."""
    name, kind = param.get("name"), param.get("type")
    if kind == "seL4_CapRights_t":
        return f"{name}.words[0]"
    return name if kind in ("seL4_Word", "seL4_Uint64", "seL4_Time") else f"(seL4_Word){name}"


def comment(method):
    """What the method does, its parameters and errors."""
    lines = [method.element.findtext("brief")]
    lines += [f"{param.get('name')}: {param.get('description')}"
              for param in method.element.findall("param")]
    errors = [error.get("name")[len("seL4_"):] for error in method.element.findall("error")]
    if errors:
        lines.append(f"Errors: {', '.join(errors)}.")
    return "".join(textwrap.fill(line, 97, initial_indent="// ", subsequent_indent="//   ") + "\n"
                   for line in lines)


def declaration(method):
    params = [f"{method.interface} _service"]
    for param in method.element.findall("param"):
        is_struct = param.get("type") in method.structs
        if param.get("dir") == "in" or is_struct:
            params.append(f"{param.get('type')} {'*' if is_struct else ''}{param.get('name')}")
    kind = f"{method.name}_t" if method.results() else "seL4_Error"
    return textwrap.fill(f"static inline {kind} {method.name}({', '.join(params)}) {{", 97,
                         subsequent_indent="\t", break_long_words=False) + "\n"


def result_type(method):
    fields = "".join(f"\t{param.get('type')} {param.get('name')};\n" for param in method.results())
    return (f"typedef struct {method.name} {{\n\tint error;\n{fields}}} {method.name}_t;\n\n"
            if fields else "")


def body(method):
    layout = Layout(method)
    words = [layout.word(index) for index in range(MESSAGE_REGISTERS)]
    lines = [f"struct sel4_invocation call = {{{method.label}, {len(layout.caps)}, "
             f"{layout.length}, {{{', '.join(words)}}}}};"]
    lines += [f"seL4_SetCap({index}, {name});" for index, name in enumerate(layout.caps)]
    lines += [f"seL4_SetMR({index}, {layout.word(index)});"
              for index in range(MESSAGE_REGISTERS, layout.length)]
    structs = [param for param in method.params("out") if param not in method.results()]
    if method.results():
        lines += [f"{method.name}_t result;", "result.error = (int)sel4_invoke(_service, &call);"]
        lines += [f"result.{param.get('name')} = ({param.get('type')})call.words[{index}];"
                  for index, param in enumerate(method.results())]
        lines.append("return result;")
    elif structs:
        lines.append("seL4_Error error = sel4_invoke(_service, &call);")
        lines += [f"sel4_results(&call, (seL4_Word *){param.get('name')}, "
                  f"{len(method.members(param))});" for param in structs]
        lines.append("return error;")
    else:
        lines.append("return sel4_invoke(_service, &call);")
    return "".join(textwrap.fill(line, 97, initial_indent="\t", subsequent_indent="\t\t",
                                 break_long_words=False) + "\n" for line in lines)


def header():
    return HEAD + "".join(f"\n{result_type(method)}{comment(method)}{declaration(method)}"
                          f"{body(method)}}}\n" for method in methods())


def main(words):
    if len(words) != 1:
        raise SystemExit(__doc__)
    pathlib.Path(words[0]).write_text(header())


if __name__ == "__main__":
    main(sys.argv[1:])
