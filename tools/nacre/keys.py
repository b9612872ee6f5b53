# SPDX-License-Identifier: BSD-2-Clause
"""What the keys a person types mean: the machine's, or after Ctrl-A ours."""

ESCAPE = 0x01

HELP = """\
Ctrl-A h   this help
Ctrl-A x   quit: ends the machine
Ctrl-A c   switch the keyboard to the next console
Ctrl-A Ctrl-A   one Ctrl-A for the program at the console
"""

QUIT = "quit"
SHOW_HELP = "help"
TYPE = "type"

# The machine's serial driver has the same escape key: it switches, and passes a doubled one on.
MEANINGS = {
    ord("h"): (SHOW_HELP, b""),
    ord("?"): (SHOW_HELP, b""),
    ord("x"): (QUIT, b""),
    ord("q"): (QUIT, b""),
    ord("c"): (TYPE, b"\x01c"),
    ESCAPE: (TYPE, b"\x01\x01"),
}


class Keys:
    """Remembers over reads whether the last key was Ctrl-A."""

    def __init__(self):
        self._escaped = False

    def feed(self, data):
        """The list of (action, bytes) that the keys stand for; unknown escapes show the help."""
        actions = []
        plain = bytearray()
        for key in data:
            if self._escaped:
                self._escaped = False
                if plain:
                    actions.append((TYPE, bytes(plain)))
                    plain.clear()
                actions.append(MEANINGS.get(key, (SHOW_HELP, b"")))
            elif key == ESCAPE:
                self._escaped = True
            else:
                plain.append(key)
        if plain:
            actions.append((TYPE, bytes(plain)))
        return actions
