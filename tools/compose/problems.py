# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with a description: collected, so that one run shows all of it."""


class Problems:
    def __init__(self, path):
        self.path = path
        self.lines = []
        self.warnings = []

    def _line(self, element, text):
        if element is None:
            return (0, 0, f"{self.path}: {text}")
        place = f"{self.path}:{element.line}:{element.column}"
        return (element.line, element.column, f"{place}: {text}")

    def add(self, element, text):
        """A problem at an element; `element` may be None for the file as a whole."""
        self.lines.append(self._line(element, text))

    def warn(self, element, text):
        """Something odd that does not stop the composer."""
        self.warnings.append(self._line(element, f"warning: {text}"))

    def any(self):
        return bool(self.lines)

    def texts(self):
        return [text for _, _, text in sorted(set(self.lines))]

    def warning_texts(self):
        return [text for _, _, text in sorted(set(self.warnings))]
