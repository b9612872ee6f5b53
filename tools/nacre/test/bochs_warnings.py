# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test bochs-warnings`: what the demo's kernel warns of on the bare machine in Bochs.

It takes minutes to boot there, so the warnings are recorded, and `system/guest-shell` compares its
guest's with the record.
"""

import re

from nacre import packages, places
from nacre.bench import guest_clock
from nacre.machine import machine
from nacre.pack import iso, product
from nacre.test import guest_warnings, results, system_tests

NAME = "bochs-warnings"
RECORD = places.ROOT / "tests" / "system" / "bochs_warnings.txt"
HEAD = (f"# Warnings on the bare machine in Bochs, without numbers, as `./nacre test {NAME}`\n"
        "# found them, and before them the kernel that they are of.\n")
SECONDS = 900
MEMORY = 256
# The kernel's messages with their levels.
SHOW = [("send", "dmesg -r; echo these-$((1+1)) are all"), ("until", "these-2 are all"),
        ("until", guest_clock.PROMPT)]
RELEASE = re.compile(r"Linux version \S+")
# The bare machine calls the counters broken that Bochs promises and lacks; the guest has none.
ALLOWED = re.compile(r"Performance Events: .* no PMU driver, software events only")


def release_of(text):
    found = RELEASE.search(text)
    return found.group() if found else "an unknown kernel"


def record_of(text):
    return "".join([HEAD, f"{release_of(text)}\n",
                    *(f"{key}\n" for key in sorted(guest_warnings.warnings(text)))])


def judge(name, text):
    """A result: the guest's text beside the record."""
    release, *known = (line for line in RECORD.read_text().splitlines()
                       if not line.startswith("# "))
    if release != release_of(text):
        return results.skipped(name, f"the record is of {release}, the guest is "
                               f"{release_of(text)}: ./nacre test {NAME}")
    problems = guest_warnings.unread("guest", text) or [
        line for line in guest_warnings.unknown(text, known) if not ALLOWED.match(line)]
    return results.failed(name, "; ".join(problems)) if problems else results.passed(name)


def run():
    packages.ensure(packages.BUILD, packages.PACK, packages.EMULATE)
    product.guest_files()
    image = places.BUILD / f"{NAME}.iso"
    iso.pack_linux(image, places.GUEST_KERNEL, places.GUEST_INITRAMFS,
                   places.GUEST_COMMAND_LINE.read_text().strip())
    # It reads MSRs that CPUID promises and Bochs lacks.
    bare = machine.BochsMachine(iso=image, memory=MEMORY, limit=SECONDS, ignore_bad_msrs=1)
    found, text = system_tests.judge(NAME, bare, [("until", guest_clock.PROMPT), *SHOW])
    problems = guest_warnings.unread("bare machine", text)
    if problems:
        return [*found, results.failed(f"{NAME}/read", "; ".join(problems))]
    seen = places.LOGS / RECORD.name
    seen.write_text(record_of(text))
    if seen.read_text() == RECORD.read_text():
        return [*found, results.passed(f"{NAME}/record")]
    return [*found, results.failed(f"{NAME}/record", "it differs: cp "
                                   f"{places.shown(seen)} {places.shown(RECORD)}")]
