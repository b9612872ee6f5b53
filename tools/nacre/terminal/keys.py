# SPDX-License-Identifier: BSD-2-Clause
"""What the keys a person types mean: the machine's, or after Ctrl-A ours."""

ESCAPE = 0x01

HELP = """\
Ctrl-A h   this help
Ctrl-A q   quit: ends the machine (x as well)
Ctrl-A c   switch the keyboard to the next console
Ctrl-A v   raw view of the console that has the keyboard, for full-screen programs; again: back
Ctrl-A s   type `stty rows R cols C` with this terminal's size
Ctrl-A b   send BREAK (with a key after it: Linux's SysRq)
Ctrl-A r   restart the guest that has stopped at this console
Ctrl-A Ctrl-A   one Ctrl-A for the program at the console
"""

QUIT = "quit"
SHOW_HELP = "help"
TYPE = "type"
SHOW_VIEW = "view"  # types, too: raw, or all consoles with their labels
TYPE_SIZE = "size"

NEXT_CONSOLE = b"\x01c"

# The machine's serial driver has the same escape key: it switches, and passes a doubled one on.
MEANINGS = {
    ord("h"): (SHOW_HELP, b""),
    ord("?"): (SHOW_HELP, b""),
    ord("x"): (QUIT, b""),
    ord("q"): (QUIT, b""),
    ord("c"): (TYPE, NEXT_CONSOLE),
    ord("b"): (TYPE, b"\x01b"),
    ord("r"): (TYPE, b"\x01r"),
    ord("v"): (SHOW_VIEW, b"\x01v"),
    ord("s"): (TYPE_SIZE, b""),
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
