# SPDX-License-Identifier: BSD-2-Clause
"""The examples say what they are meant to say, each composed from its folder and booted in QEMU."""

import re

from nacre import build, places
from nacre.machine import emulator, machine
from nacre.pack import product
from nacre.test import results
from nacre.test.system_tests import judge

ENTRY_CRASH = ["crasher, starting", "restarter: received fault message for child pd: 1"]

# Example -> texts in the order in which they must come.
SCRIPTS = {
    "hello": ["hello, world"],
    "passive_server": ["SERVER|INFO: init function running", "CLIENT|INFO: init function running",
                       "SERVER|INFO: running on clients scheduling context"],
    "hierarchy": ["restarter: starting", *[*ENTRY_CRASH, "restarter: restarted"] * 9,
                  *ENTRY_CRASH, "restarter: too many restarts - PD stopped", "hello, world"],
    "cap_sharing": ["|secondary| hello, world", "|primary  | hello, world",
                    "|primary  | notifying secondary", "|secondary| notified",
                    "|primary  | suspending secondary",
                    "|primary  | notifying secondary (it should not print)",
                    "|primary  | resuming secondary (it should then print)",
                    "|secondary| notified", "|primary  | halting (success)..."],
    "mr_prefill": ["hello, world. my name is mr_prefill",
                   "checking prefilled memory region data length",
                   "checking prefilled memory region data", "prefilled data OK!"],
    "bootinfo": ["====BootInfo====", "TSC Frequency: ", "MHz"],
    "domains": ["emitter: starting to emit events...", "done emitting events"],
    "x86_64_ioport": ["hello, world. my name is x86_64_ioport",
                      "Now writing to serial I/O port: hello!\n"],
    "setvar": ["536870912\n", "2147483648\n", "150994944\n"],
    "simple_regions": ["both regions written"],
    "capfault": ["capfault: notifying a channel that does not exist",
                 "invalid channel given '10000'", "capfault: still here"],
    "restart": ["server: start 1, memory is new", "client: answer 2", "crash_now+",
                "from 0x", "protected+", "(restart 1 of 2)", "system: 'server' was restarted",
                "server: start 2, memory is new", "client: the server was restarted",
                "client: answer 1", "client: answer 2", "(restart 2 of 2)",
                "server: start 3, memory is new", "client: the server was restarted",
                "all 2 restarts are used up"],
    "timer": ["sleeper: going to sleep", *["sleeper: awake"] * 5, "sleeper: done"],
    "cores": [*["calls at APIC id 0: "] * 5, "all have counted"],
    "ring": ["consumer: ready", "consumer: all arrived"],
    "network_echo": ["e1000: no device", "host_a: 10.0.2.15 is ready",
                     "pinger: 10.0.2.15 answered ARP, ping and UDP echo",
                     "pinger: 10.0.2.16 answered ARP, ping and UDP echo",
                     "the switch took 15 frames, refused 1 of them, gave 14, dropped 0",
                     "pinger: all answered"],
    "hostile": ["worker: nothing was lost"],
}
# Example -> what none of its lines may say.
FORBIDDEN = {
    # What the kernel prints of a call that it refuses.
    "domains": "error",
    "passive_server": "unexpected", "cap_sharing": "error", "mr_prefill": "oh no",
    "bootinfo": "not found", "restart": "stale", "simple_regions": "was stopped",
    "timer": "early|refused", "ring": "wrong|was stopped",
    # Each is where it belongs: one alone has the first core.
    "cores": "have not counted|on core 0 instead|at 0:",
    "capfault": "was stopped", "hostile": "worker: late",
}
EMITTER = ("emitter: starting to emit events...\n" + "emitter: still emitting events...\n" * 10 +
           "emitter: done emitting events\n")
COLLECTOR = ("collector: Waiting for an event\n", "collector: Got an event\n")
# Example -> the kernel's boot options.
ARGUMENTS = {"domains": "domains=3"}
LABEL = {name: f"the example {name} gives its output" for name in SCRIPTS}


def boot(name, description, steps, arguments=""):
    """Composes a description and boots it without an ISO, which is quicker."""
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    image = product.compose(description, folder / f"example-{name}.img")
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), arguments=arguments,
        modules=(build.artefact("root.elf"), image), memory=emulator.MEMORY,
        cores=product.cores(description),
        # Time is what the machine does, not what else this host does.
        clock="instructions")
    return judge(f"example-{name}", running, steps)


def check(name):
    description = places.ROOT / "examples" / name / f"{name}.system"
    found, text = boot(name, description, [("until", line) for line in SCRIPTS[name]],
                       ARGUMENTS.get(name, ""))
    forbidden = FORBIDDEN.get(name)
    if forbidden and re.search(forbidden, text.partition("initial task at")[2]):
        found.append(results.failed(f"system/example-{name}/words", f"it said {forbidden!r}"))
    start = min(text.find(EMITTER[:20]), text.find(COLLECTOR[0]))
    if name == "domains" and not is_woven(text[start:]):
        found.append(results.failed("system/example-domains/order",
                                    "what it says is not made of its components' lines"))
    return found


def is_woven(text):
    """True if the text is all that the emitter says and a start of what the collector says, however
    they cut into each other: the end of a turn may come in the middle of a line."""
    collector = COLLECTOR[0] + COLLECTOR[1] * (text.count("\n") + 1)
    states = {(0, 0)}
    for letter in text:
        states = ({(i + 1, j) for i, j in states if EMITTER[i:i + 1] == letter} |
                  {(i, j + 1) for i, j in states if collector[j] == letter})
    # The last newline may not have been waited for.
    return any(i >= len(EMITTER) - 1 and j > len(COLLECTOR[0]) for i, j in states)


def check_same_bytes():
    """Nothing of the clock, of paths or of chance is in an ISO."""
    description = places.ROOT / "examples" / "restart" / "restart.system"
    folder = places.BUILD / "system-tests"
    isos = [product.make_iso(description, folder / name / "restart.iso").read_bytes()
            for name in ("first", "second")]
    name = "system/same-bytes"
    return [results.passed(name) if isos[0] == isos[1] else
            results.failed(name, "two builds of one description differ")]


ROWS = [("same-bytes", "a description built twice gives identical ISOs", check_same_bytes)]
ROWS += [(f"example-{name}", LABEL[name], lambda name=name: check(name)) for name in SCRIPTS]
