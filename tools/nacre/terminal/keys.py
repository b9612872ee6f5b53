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
Ctrl-A g   list the consoles, and the states of guests
Ctrl-A 1   give the keyboard to the console of this number, to 8
Ctrl-A p   pause the guest that has the keyboard; u resumes it
Ctrl-A r   reset it: it starts again, also if it has stopped; k stops it
Ctrl-A o   press its power button; n injects an NMI
Ctrl-A Ctrl-A   one Ctrl-A for the program at the console
"""

QUIT = "quit"
SHOW_HELP = "help"
TYPE = "type"
SHOW_VIEW = "view"  # types, too: raw, or all consoles with their labels
SHOW_ALL = "all"  # types, too: the raw view ends
TYPE_SIZE = "size"

# The machine's serial driver has the same escape key: it switches, and passes a doubled one on.
MEANINGS = {
    ord("h"): (SHOW_HELP, b""),
    ord("?"): (SHOW_HELP, b""),
    ord("x"): (QUIT, b""),
    ord("q"): (QUIT, b""),
    **{key: (SHOW_ALL, bytes([ESCAPE, key])) for key in b"cg12345678"},
    **{key: (TYPE, bytes([ESCAPE, key])) for key in (*b"bpurkon", ESCAPE)},
    ord("v"): (SHOW_VIEW, b"\x01v"),
    ord("s"): (TYPE_SIZE, b""),
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
