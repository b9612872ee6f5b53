# SPDX-License-Identifier: BSD-2-Clause
"""What a machine has said on COM1, searched for texts while it arrives.

Lines carry labels, `[guest] text`, and one speaker's line may be cut by another's and continue
later under a new label. So a text is looked for both in the stream as it came and in what each
speaker said, put together again.
"""

LABEL_LIMIT = 24
KEPT = 4096


class Cleaner:
    """Drops carriage returns, NULs and terminal escape sequences from a stream of characters."""

    def __init__(self):
        self._escape = ""

    def clean(self, text):
        return "".join(character for character in text if self._keep(character))

    def _keep(self, character):
        if self._escape:
            self._escape += character
            if self._escape == "\x1b[":
                return False
            # A sequence ends with a letter; anything overlong was none.
            if character.isalpha() or len(self._escape) > 16 or len(self._escape) == 2:
                self._escape = ""
            return False
        if character == "\x1b":
            self._escape = character
            return False
        return character not in "\r\0"


class Labels:
    """Says for each character of the stream which speaker's text it belongs to, if any."""

    def __init__(self):
        self._speaker = ""
        self._prefix = ""
        self._at_start = True

    def feed(self, character):
        """Returns (speaker, text): the text that now turns out to be the speaker's."""
        if character == "\n":
            text = self._prefix
            self._prefix, self._at_start = "", True
            speaker, self._speaker = self._speaker, ""
            return speaker, text
        if not self._at_start:
            return self._speaker, character
        self._prefix += character
        return self._match_prefix()

    def _match_prefix(self):
        prefix = self._prefix
        if prefix.endswith("] ") and prefix.startswith("[") and len(prefix) > 3:
            self._speaker, self._prefix, self._at_start = prefix[1:-2], "", False
            return self._speaker, ""
        if prefix[0] == "[" and len(prefix) <= LABEL_LIMIT and " " not in prefix:
            return "", ""
        self._prefix, self._at_start = "", False
        return "", prefix


class Transcript:
    """Finds one awaited text at a time; what was said before the last find is not seen again."""

    def __init__(self):
        self._cleaner = Cleaner()
        self._labels = Labels()
        self._raw = ""
        self._spoken = {}
        self._waiting = ""

    def feed(self, data, text):
        """Reads bytes until the text is complete: (found, bytes that were not read)."""
        for index in range(len(data)):
            for character in self._cleaner.clean(chr(data[index])):
                if self._add(character, text):
                    self._raw, self._spoken = "", {}
                    return True, data[index + 1:]
        return False, b""

    def _add(self, character, text):
        self._raw = (self._raw + character)[-KEPT:]
        speaker, spoken = self._labels.feed(character)
        if spoken:
            self._spoken[speaker] = (self._spoken.get(speaker, "") + spoken)[-KEPT:]
        return self._raw.endswith(text) or (
            bool(spoken) and self._spoken[speaker].endswith(text))


class Script:
    """Steps of ("until", text) and ("send", text), carried out as the machine speaks."""

    def __init__(self, steps):
        # Bytes are read as Latin-1, one character each, so the texts are seen the same way.
        self._steps = [(kind, text.encode().decode("latin-1")) for kind, text in steps]
        self._transcript = Transcript()

    @property
    def finished(self):
        return not self._steps

    @property
    def awaited(self):
        """The text that is waited for now."""
        return self._steps[0][1] if self._steps else ""

    def feed(self, data):
        """Takes what the machine said and returns the bytes to type in answer."""
        typed = self._take_sends()
        while data and self._steps:
            found, data = self._transcript.feed(data, self._steps[0][1])
            if found:
                self._steps.pop(0)
                typed += self._take_sends()
        return typed

    def _take_sends(self):
        typed = b""
        while self._steps and self._steps[0][0] == "send":
            typed += self._steps.pop(0)[1].encode("latin-1") + b"\r"
        return typed
