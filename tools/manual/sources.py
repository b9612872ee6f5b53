# SPDX-License-Identifier: BSD-2-Clause
"""What the headers, the interface descriptions and the table of outcomes say, as data."""

import dataclasses
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
ABI = ROOT / "include" / "abi"
INTERFACES = ROOT / "include" / "interfaces"
ROWS = ROOT / "tests" / "kernel" / "rows.txt"

sys.path.insert(0, str(INTERFACES))

import generate  # noqa: E402

# Object kinds stand in the one source file that has this array.
NUMBER = re.compile(r"^\s*([A-Z]\w+)(?:\s=\s([^,/]+))?,\s*(?://\s*(.*))?$")
COMMENT = re.compile(r"^\s*// (.*)$")
MEMBER = re.compile(r"^\t(?:struct )?(\w+) ([\w\[\], ]+);\s*(?://\s*(.*))?$")
DECLARATOR = re.compile(r"(\w+)(?:\[(\w+)\])?")
OBJECT = re.compile(r"^\tROW\((\d+), (\w+), \w+, (\w+), ([01])\)", re.MULTILINE)
LABEL = re.compile(r"^\tROW\((\w+), (\w+), \w+, (\w+), (\d+), (\d+)\)", re.MULTILINE)


@dataclasses.dataclass
class Number:
    name: str
    value: int
    note: str
    above: str = ""  # the comment in the lines above, where it has one


def header(name):
    return (ABI / name).read_text()


def _one_line(match):
    """An enum that stands in one line, its enumerators each in one."""
    return "enum {\n" + match[1].replace(", ", ",\n") + ",\n};"


def numbers(name, enum=None):
    """The enumerators of a header, or of one enum of it, with what their comments say."""
    text = header(name)
    if enum:
        text = re.search(rf"enum {enum} {{\n(.*?)^}};", text, re.MULTILINE | re.DOTALL)[1]
    found, value, above = {}, -1, []
    text = re.sub(r"=\n\s*", "= ", text)
    text = re.sub(r"^enum \w*\s*{ (.*) };.*$", _one_line, text, flags=re.MULTILINE)
    for line in text.splitlines():
        match = NUMBER.match(line)
        if re.match(r"(typedef )?enum", line):
            value = -1
        if match:
            # Plain arithmetic of earlier enumerators.
            earlier = {key: number.value for key, number in found.items()}
            value = eval(match[2], {}, earlier) if match[2] else value + 1  # noqa: S307
            found[match[1]] = Number(match[1], value, match[3] or "", " ".join(above))
        above = [*above, comment[1]] if (comment := COMMENT.match(line)) else []
    return found


@dataclasses.dataclass
class Member:
    name: str
    offset: int
    size: int
    note: str


def members(name, struct):
    """The members of a structure without holes, with their places."""
    body = re.search(rf"struct {struct} {{\n(.*?)^}};", header(name), re.MULTILINE | re.DOTALL)[1]
    sizes = {"uint64_t": 8, "uint32_t": 4, "uint16_t": 2, "uint8_t": 1, "bootinfo_range": 16,
             "bootinfo_untyped": 16, "vcpu_event": 8, "vcpu_segment": 16, "vcpu_table": 16}
    known = {key: number.value for key, number in numbers(name).items()}
    found, offset = [], 0
    for match in filter(None, map(MEMBER.match, body.splitlines())):
        for member, dimension in DECLARATOR.findall(match[2]):
            size = sizes[match[1]] * (known.get(dimension) or int(dimension or 1))
            found.append(Member(member, offset, size, match[3] or ""))
            offset += size
    return found


def object_names():
    """{OBJECT_TCB: seL4_TCBObject, ...}"""
    text = (ROOT / "include" / "sel4" / "objecttype.h").read_text()
    pairs = re.findall(r"((?:seL4|nacre)_\w+) = (OBJECT_\w+),", text)
    return {ours: theirs for theirs, ours in pairs if not theirs.endswith("Count")}


def object_kinds():
    """(type number, OBJECT_TCB, TCB_BITS or "0", may be made of device memory) for each row."""
    return [(int(number), f"OBJECT_{name}", size, device == "1")
            for number, name, size, device in OBJECT.findall(header("object.h"))]


@dataclasses.dataclass
class Outcome:
    order: int
    error: str
    words: str
    condition: str


def outcomes():
    """{operation: its outcomes but success, in order}"""
    found = {}
    for line in ROWS.read_text().splitlines():
        text = line.split("  #")[0].strip()
        if not text or text.startswith("#"):
            continue
        head, _, condition = text.partition(": ")
        place, _, error = head.partition(" ")
        operation, _, order = place.partition("/")
        error, _, words = error.partition(" ")
        rows = found.setdefault(operation, [])
        if order != "0":
            rows.append(Outcome(int(order), error, words, condition))
    return found


@dataclasses.dataclass
class Operation:
    identity: str
    name: str
    label: int
    brief: str
    arguments: list  # (place, name, meaning)
    errors: set


def place_of(bits, width):
    word, shift = divmod(bits, generate.WORD)
    if width == generate.WORD:
        return f"w{word}"
    return f"w{word} bit {shift}" if width == 1 else f"w{word} bits {shift} to {shift + width - 1}"


def arguments(method):
    """Where each argument and result is: capabilities in order, data as generate.Layout says."""
    found, capability = [], 0
    for direction in ("in", "out"):
        bits = 0
        for param in method.params(direction):
            kind, name = param.get("type"), param.get("name")
            prefix = "" if direction == "in" else "result "
            if kind in method.structs:
                count = len(method.members(param))
                place = f"w{bits // generate.WORD} to w{bits // generate.WORD + count - 1}"
                bits += count * generate.WORD
            elif kind in generate.WIDTHS:
                width = generate.WIDTHS[kind]
                bits = -(-bits // width) * width
                place = place_of(bits, width)
                bits += width
            else:
                place = f"cap {capability}"
                capability += 1
            found.append((prefix + place, name, param.get("description")))
    return found


def operation_of(method, label):
    errors = {error.get("name")[len("seL4_"):] for error in method.element.findall("error")}
    return Operation(method.element.get("id"), method.name, label,
                     method.element.findtext("brief"), arguments(method), errors)


def extensions():
    """The methods of object-api-nacre.xml with the labels of their rows."""
    root = ElementTree.parse(INTERFACES / "object-api-nacre.xml").getroot()
    rows = [(int(number, 16), name) for number, name, *_ in LABEL.findall(header("invocation.h"))
            if number.startswith("0x")]
    found = [(interface.get("name"), element) for interface in root.findall("interface")
             for element in interface.findall("method")]
    if len(rows) != len(found):
        raise SystemExit(f"object-api-nacre.xml: {len(found)} methods for {len(rows)} labels")
    return [(interface, generate.Method(interface, element, name, {}), label)
            for (interface, element), (label, name) in zip(found, rows)]


def operations():
    """{interface: its operations in the order of their labels}"""
    found = {}
    for label, method in enumerate(generate.methods(), 1):
        found.setdefault(method.interface, []).append(operation_of(method, label))
    for interface, method, label in extensions():
        found.setdefault(interface, []).append(operation_of(method, label))
    return found


def system_calls():
    """(number, name, options that make it part of a libsel4) for each in api/syscall.xml."""
    root = ElementTree.parse(ROOT / "include" / "api" / "syscall.xml").getroot()
    number = 0
    for group in ("api-mcs", "debug"):
        for config in root.find(group).findall("config"):
            for call in config.findall("syscall"):
                number -= 1
                yield number, call.get("name")
