# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with a description: collected, so that one run shows all of it."""


class Problems:
    def __init__(self, path):
        self.path = path
        self.lines = []

    def add(self, element, text):
        """A problem at an element; `element` may be None for the file as a whole."""
        if element is None:
            self.lines.append((0, 0, f"{self.path}: {text}"))
        else:
            place = f"{self.path}:{element.line}:{element.column}"
            self.lines.append((element.line, element.column, f"{place}: {text}"))

    def any(self):
        return bool(self.lines)

    def texts(self):
        return [text for _, _, text in sorted(set(self.lines))]
