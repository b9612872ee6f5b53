# SPDX-License-Identifier: BSD-2-Clause
"""Screen and keyboard of a PC as the demo's terminal: what programs print is read by the font in
use, and keys are pressed by QEMU's monitor."""

import functools
import time

from nacre import places
from nacre.machine import emulator, machine, monitor, screen
from nacre.pack import iso, product
from nacre.test import results
from nacre.test.system_tests import demo_iso, judge

FOLDER = places.BUILD / "system-tests" / "terminal"
DESCRIPTION = places.ROOT / "tests" / "system" / "systems" / "terminal" / "terminal.system"
MEMORY = 256
SECONDS = 120
GUEST_SECONDS = 900
READY = "typist: ready"
LAST = "line 200"
PROMPT = "nacre-guest#"
# COM1 is not where the driver looks for it.
NO_SERIAL = ("-global", "isa-serial.iobase=0x3e8")
PANIC = "mce 0 0 0xbe00000000000000 0x4 0x0 0x0"
KEYS = {" ": "spc", "-": "minus", "\n": "ret", ".": "dot", "/": "slash", "=": "equal",
        "$": "shift-4", "(": "shift-9", ")": "shift-0", "*": "shift-8"}


def keys_of(text):
    """What to press for a text."""
    return [f"sendkey {KEYS.get(letter, letter)} 30" for letter in text]


def points_text(running):
    monitor.tell(running, "screendump picture")
    return screen.lines(running.directory / "picture")


def missing(lines, texts, absent):
    """Texts that are in no line, and the one that is in a line but should not be."""
    lost = [text for text in texts if not any(text in line for line in lines)]
    return lost + [f"no {absent}"] if absent and any(absent in line for line in lines) else lost


def awaited(running, read, texts, absent, seconds):
    """What was read when it was as it should be, or at last, with what was not."""
    limit = time.monotonic() + seconds
    lines = read(running)
    while missing(lines, texts, absent) and time.monotonic() < limit:
        time.sleep(0.3)
        lines = read(running)
    return lines, missing(lines, texts, absent)


class Session:
    """Steps on one machine, of which the first that fails is the result."""

    def __init__(self, name, running, read=points_text, seconds=SECONDS):
        self.name, self.running, self.read, self.seconds = f"system/{name}", running, read, seconds
        self.why = None
        self.lines = []

    def press(self, *keys):
        if not self.why:
            monitor.tell(self.running, *keys)
        return self

    def type(self, text):
        return self.press(*keys_of(text))

    def see(self, *texts, absent=None):
        if not self.why:
            self.lines, lost = awaited(self.running, self.read, texts, absent, self.seconds)
            if lost:
                self.why = f"{lost} are not on the screen: {self.lines}"
        return self

    def check(self, is_right, why):
        if not self.why and not is_right(self.lines):
            self.why = f"{why}: {self.lines}"
        return self

    def result(self):
        return [results.failed(self.name, self.why) if self.why else results.passed(self.name)]


def small_iso(name, prelude="", arguments=""):
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = product.compose(DESCRIPTION, FOLDER / f"{name}.img")
    kernel, modules = product.system_files(image, "debug")
    target = FOLDER / f"{name}.iso"
    iso.pack_nacre(target, kernel, modules, arguments, prelude)
    return target


def start(name, extra=(), firmware="bios", **settings):
    return machine.QemuMachine(iso=small_iso(name, **settings), memory=MEMORY, limit=SECONDS,
                               firmware=firmware, extra=(*monitor.OPTIONS, *extra))


def check_keys(session):
    """Both terminals, and what keys send."""
    return (session.see(LAST).press("sendkey a", "sendkey shift-b", "sendkey ctrl-c")
            .see("[typist] <61>", "[typist] <42>", "[typist] <03>")
            .press("sendkey caps_lock", "sendkey q", "sendkey caps_lock", "sendkey up")
            .see("<51>", "<1b>", "<5b>", "<41>")
            # The serial driver's commands are those of the serial line.
            .press("sendkey ctrl-a", "sendkey h").see("[serial] Ctrl-A c: next console")
            # The third terminal has the other component's lines, without a label.
            .press("sendkey alt-f3").see(LAST, absent="[")
            .press("sendkey alt-f2").see(READY, "<61>", absent="line")
            .press("sendkey ctrl-l").see("    cleared")
            .check(lambda lines: not any(lines[:2]), "the typist's own terminal")
            # Its answer comes once, and from here.
            .press("sendkey shift-slash")
            .see("<3f>", "<1b>", "<5b>", "<37>", "<3b>", "<39>", "<52>")
            .check(lambda lines: sum("<52>" in line for line in lines) == 1, "the answers")
            .press("sendkey alt-left").see("[typist] <52>"))


def check_points(firmware):
    name = f"terminal-{firmware}"
    with start(name, NO_SERIAL, firmware) as running:
        session = check_keys(Session(name, running))
        # The kernel takes the screen back.
        return session.press(PANIC).see("kernel panic: ").result()


def check_text():
    name = "terminal-text"
    with start(name, NO_SERIAL, prelude="set screen=text") as running:
        session = Session(name, running, monitor.screen_text)
        return session.see(LAST).type("ab").see("[typist] <61>", "[typist] <62>").press(
            "sendkey alt-f3").see(LAST, absent="[").press(PANIC).see("kernel panic: ").result()


def check_lacking(name, extra, *texts, arguments=""):
    """The serial line has all."""
    running = start(name, extra, arguments=arguments)
    return judge(name, running, [("until", text) for text in texts] + [
        ("send", "z"), ("until", "[typist] <7a>")])[0]


def check_demo(firmware):
    """The guest's shell, by keys; the serial line has the same."""
    name = f"terminal-demo-{firmware}"
    with machine.QemuMachine(iso=demo_iso(), memory=emulator.MEMORY, limit=GUEST_SECONDS,
                             cpu="max", firmware=firmware, extra=monitor.OPTIONS) as running:
        session = Session(name, running, seconds=GUEST_SECONDS)
        session.see(f"[linux] {PROMPT}").type("echo answer-$((6*7))\n").see("[linux] answer-42")
        session.press("sendkey alt-f2").type("top\n").see("Mem:", "PID  PPID USER", absent="[")
        session.type("q").see(f"{PROMPT}").press("sendkey alt-f1").see("[client]", PROMPT)
        return session.result()


ROWS = [
    *((f"terminal-{firmware}", "a component's lines are on the screen, and keys reach it, by "
       f"{firmware.upper()} without a serial port; a panic takes the screen back",
       functools.partial(check_points, firmware)) for firmware in ("bios", "uefi")),
    ("terminal-text", "so are they in text mode", check_text),
    ("terminal-no-screen", "without a screen the serial line has all", functools.partial(
        check_lacking, "terminal-no-screen", ("-vga", "none"),
        READY, "screen: this machine has none that is used")),
    ("terminal-serial-only", "so it has with console=serial", functools.partial(
        check_lacking, "terminal-serial-only", (), READY,
        "screen: this machine has none that is used", arguments="console=serial")),
    ("terminal-no-keyboard", "without the keyboard's controller there is a screen",
     functools.partial(check_lacking, "terminal-no-keyboard", ("-machine", "pc,i8042=off"),
                       READY, "screen: no PS/2 keyboard")),
    *((f"terminal-demo-{firmware}", "the demo's guest takes commands from the keyboard, and has a "
       f"terminal of its own for full-screen programs, by {firmware.upper()}",
       functools.partial(check_demo, firmware)) for firmware in ("bios", "uefi")),
]
