# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with a description: collected, so that one run shows all of it."""


class Problems:
    def __init__(self, path):
        self.path = path
        self.lines = []
        self.warnings = []
        self.named = []  # elements with a problem found since the last step ended
        self.broken = set()  # those of earlier steps
        self.lost_names = set()  # what elements that could not be read would have been called
        self.nameless = set()  # kinds of elements of which one lacks its name

    def _line(self, element, text):
        if element is None:
            return (0, 0, f"{self.path}: {text}")
        place = f"{self.path}:{element.line}:{element.column}"
        short = element.short()
        if short and f"<{short.name}>" not in text:
            text += f" (implied by <{short.name}>)"
        return (element.line, element.column, f"{place}: {text}")

    def _is_broken(self, element):
        return element is not None and not self.broken.isdisjoint(
            (id(element), id(element.written())))

    def add(self, element, text, *others):
        """A problem at an element; `element` may be None for the file as a whole. It is dropped
        when the element, or one of the others it is about, had a problem in an earlier step: what
        stands in for the wrong value is no mistake of the description."""
        if any(self._is_broken(one) for one in (element, *others)):
            return
        self.lines.append(self._line(element, text))
        if element is not None:
            self.named.append(element)

    def add_repeated(self, uses, verb="is used"):
        """Of (what, element), each one whose `what` an earlier element has already."""
        first = {}
        for what, element in uses:
            if what in first:
                self.add(element, f"{what} {verb} at line {first[what].line} too", first[what])
            first.setdefault(what, element)

    def end_step(self):
        """What is found from now on may follow from what was found until now."""
        self.broken.update(id(element) for element in self.named)

    def lose(self, element):
        """An element that is not read: references to what it describes are no problems."""
        self.lost_names.add(element.attributes.get("name"))
        for child in element.children:
            self.lose(child)

    def is_lost(self, kind, name):
        """Whether an element of this kind may be meant that has a problem of its own."""
        return name in self.lost_names or kind in self.nameless

    def warn(self, element, text):
        """Something odd that does not stop the composer."""
        if self._is_broken(element):
            return
        self.warnings.append(self._line(element, f"warning: {text}"))

    def any(self):
        return bool(self.lines)

    def texts(self):
        return [text for _, _, text in sorted(set(self.lines))]

    def warning_texts(self):
        return [text for _, _, text in sorted(set(self.warnings))]
