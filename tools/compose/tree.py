# SPDX-License-Identifier: BSD-2-Clause
"""XML into elements that know their line and column, which the standard trees do not keep."""
import xml.parsers.expat

# No right description is deeper: 63 protection domains, one inside the other, and what is in them.
MAX_DEPTH = 70


class Element:
    """One that is written; or one made of it, which is at the same place."""

    def __init__(self, name, attributes, line, column, origin=None):
        self.origin = origin
        self.name = name
        self.attributes = attributes
        self.line = line
        self.column = column
        self.children = []
        self.text = ""

    def __deepcopy__(self, _):
        """Where something is, is one place for all copies of a model."""
        return self

    def written(self):
        """The element of the description."""
        return self.origin or self

    def short(self):
        """The short element that it was made of, if it was."""
        written = self.written()
        # An attribute of a protection domain is not far from what it means.
        return None if written.name in (self.name, "protection_domain") else written

    def make(self, name, attributes=None, children=()):
        """An element that this one means."""
        made = Element(name, dict(attributes or {}), self.line, self.column, self.written())
        made.children = list(children)
        return made


class _Builder:
    def __init__(self, problems):
        self.problems = problems
        self.parser = xml.parsers.expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.open = []
        self.root = None
        self.is_too_deep = False

    def _start(self, name, attributes):
        element = Element(
            name, attributes, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        )
        if len(self.open) >= MAX_DEPTH:
            self._too_deep(element)
        elif self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _too_deep(self, element):
        if not self.is_too_deep:
            self.problems.add(
                element, f"<{element.name}> is nested too deeply: {MAX_DEPTH} levels are allowed")
        self.is_too_deep = True

    def _end(self, _name):
        self.open.pop()

    def _text(self, text):
        self.open[-1].text += text

    def _doctype(self, *_):
        self.problems.add(
            None,
            "a document type declaration is not supported; remove <!DOCTYPE ...>",
        )


def read_tree(data, problems):
    """The root element, or None with the problem recorded."""
    builder = _Builder(problems)
    try:
        builder.parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        place = Element("", {}, error.lineno, error.offset + 1)
        problems.add(place, f"not well-formed XML: {xml.parsers.expat.errors.messages[error.code]}")
        return None
    except (LookupError, ValueError) as error:
        problems.add(None, f"cannot be read as its XML declaration says: {error}")
        return None
    return None if builder.is_too_deep else builder.root
