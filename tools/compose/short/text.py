# SPDX-License-Identifier: BSD-2-Clause
"""A tree as the text of a description."""
from xml.sax import saxutils

COLUMNS = 100
INDENT = 4 * " "
# As characters in an attribute they would be read as blanks.
ESCAPES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;", '"': "&quot;"}


def _attribute(name, value):
    return f'{name}="{saxutils.escape(value, ESCAPES)}"'


def _opening(element, margin, end):
    """The element's first tag, in lines that are not too long where it can be broken."""
    lines, line = [], f"{margin}<{element.name}"
    for name, value in element.attributes.items():
        word = _attribute(name, value)
        if len(line) + 1 + len(word) + len(end) > COLUMNS and line.strip() != f"<{element.name}":
            lines.append(line)
            line = margin + " " * len(f"<{element.name}") + " " + word
        else:
            line += " " + word
    return [*lines, line + end]


def _lines(element, margin):
    if not element.children:
        yield from _opening(element, margin, "/>")
        return
    yield from _opening(element, margin, ">")
    reason = element.origin
    for child in element.children:
        # Elements in turn that one short element means are headed by its name.
        if child.origin not in (None, reason) and child.origin.name != child.name:
            yield f"{margin}{INDENT}<!-- <{child.origin.name}> of line {child.line} -->"
        reason = child.origin
        yield from _lines(child, margin + INDENT)
    yield f"{margin}</{element.name}>"


def as_xml(root):
    """The whole description."""
    head = ['<?xml version="1.0" encoding="UTF-8"?>', "<!-- Without short elements. -->"]
    return "\n".join([*head, *_lines(root, "")]) + "\n"
