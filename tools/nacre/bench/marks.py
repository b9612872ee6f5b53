# SPDX-License-Identifier: BSD-2-Clause
"""The figures of bench/kernel for people: titles, the reference, our marks, and the table."""

import re

from nacre import places

# Figure: what it is, seL4 16 by the same measurement, its SkimWindow off, and our mark. Figures of
# the task that are not here have neither.
MARKS = {
    "call-two-spaces": ("Call, two address spaces", 212, 145),
    "reply-two-spaces": ("ReplyRecv back to the client", 277, 165),
    "call-one-space": ("Call, one address space", 210, 140),
    "reply-one-space": ("ReplyRecv, one address space", 275, 160),
    "call-fpu": ("Call, FPU in use by both", 226, 155),
    "reply-fpu": ("ReplyRecv, FPU in use by both", 293, 180),
    "call-4-words": ("Call, 4 words", None, None),
    "reply-4-words": ("ReplyRecv, 4 words", None, None),
    "call-8-words": ("Call, 8 words", None, None),
    "reply-8-words": ("ReplyRecv, 8 words", None, None),
    "call-10-words": ("Call, 10 words", None, 330),
    "reply-10-words": ("ReplyRecv, 10 words", None, 360),
    "call-64-words": ("Call, 64 words", None, None),
    "reply-64-words": ("ReplyRecv, 64 words", None, None),
    "call-to-higher": ("Call to a higher server", None, None),
    "reply-to-lower": ("its ReplyRecv to the lower client", None, None),
    "call-to-lower": ("Call to a lower server", None, None),
    "reply-to-higher": ("its ReplyRecv to the higher client", None, None),
    "call-own-time": ("Call to a server with time of its own", None, None),
    "reply-own-time": ("its ReplyRecv", None, None),
    "call-own-time-10-words": ("the same Call with 10 words", 1007, None),
    "reply-own-time-10-words": ("its ReplyRecv with 10 words", 1181, None),
    "call-with-cap": ("Call with a capability", None, None),
    "send-to-higher": ("Send to a waiting higher thread", 868, 350),
    "nbsend-to-higher": ("NBSend to a waiting higher thread", None, None),
    "nbsend-unheard": ("NBSend without a receiver", None, None),
    "null-syscall": ("null system call", 100, 60),
    "signal-to-higher-one-space": ("Signal to a higher thread, same space", 703, 250),
    "signal-to-higher-two-spaces": ("Signal to a higher thread, other space", 703, 250),
    "signal-to-lower": ("Signal to a lower thread", 509, 170),
    "wait-pending": ("Wait for a pending signal", None, None),
    "wait-block": ("Wait that blocks, to the next thread", None, None),
    "wait-wake": ("Signal to a higher thread that waits again", 882, None),
    "poll-pending": ("Poll of a pending signal", None, None),
    "poll-empty": ("Poll without signal", None, None),
    "yield-alone": ("Yield without switch", 482, 220),
    "yield-to-equal": ("Yield to an equal thread", 478, 240),
    "yield-fpu": ("Yield, only one of both uses the FPU", None, None),
    "reschedule": ("reschedule (scheduler average)", 732, 350),
    "reschedule-to-other": ("reschedule, to another thread", None, None),
    "fault": ("fault to its handler", 697, 320),
    "fault-reply": ("handler's reply to the faulter", 1242, 360),
    "interrupt-to-handler": ("interrupt to its handler", 535, 260),
    "timer-to-thread": ("end of a period to its thread", None, None),
    "page-map": ("map a 4 KiB page", 808, 380),
    "page-rights": ("change its rights", 809, 360),
    "page-unmap": ("unmap it", 666, 320),
    "large-page-map": ("map a 2 MiB page", None, None),
    "large-page-unmap": ("unmap it", None, None),
    "huge-page-map": ("map a 1 GiB page", None, None),
    "huge-page-unmap": ("unmap it", None, None),
    "page-table-map": ("map a page table", None, None),
    "page-table-unmap": ("unmap it", None, None),
    "page-directory-map": ("map a page directory", None, None),
    "page-directory-unmap": ("unmap it", None, None),
    "pdpt-map": ("map a PDPT", None, None),
    "pdpt-unmap": ("unmap it", None, None),
    "ept-page-map": ("map a 4 KiB page for a guest", None, None),
    "ept-page-unmap": ("unmap it", None, None),
    "ept-pt-map": ("map an EPT page table", None, None),
    "ept-pt-unmap": ("unmap it", None, None),
    "retype-untyped": ("retype an untyped", None, None),
    "retype-endpoint": ("retype an endpoint", None, None),
    "retype-notification": ("retype a notification", None, None),
    "retype-reply": ("retype a reply object", None, None),
    "retype-sched-context": ("retype a scheduling context", None, None),
    "retype-tcb": ("retype a TCB", 5115, 1500),
    "retype-cnode-16": ("retype a CNode of 16 slots", None, None),
    "retype-cnode-256": ("retype a CNode of 256 slots", None, None),
    "retype-space": ("retype an address space", None, None),
    "retype-pdpt": ("retype a PDPT", None, None),
    "retype-page-directory": ("retype a page directory", None, None),
    "retype-page-table": ("retype a page table", None, None),
    "retype-frame": ("retype a 4 KiB frame", 1029, 800),
    "retype-large-frame": ("retype a 2 MiB frame", None, None),
    "retype-huge-frame": ("retype a 1 GiB frame", None, None),
    "retype-vcpu": ("retype a VCPU", None, None),
    "retype-ept-space": ("retype an EPT space", None, None),
    "retype-ept-pdpt": ("retype an EPT PDPT", None, None),
    "retype-ept-pd": ("retype an EPT page directory", None, None),
    "retype-ept-pt": ("retype an EPT page table", None, None),
    "delete-untyped": ("delete an untyped", None, None),
    "delete-endpoint": ("delete an endpoint", None, None),
    "delete-notification": ("delete a notification", None, None),
    "delete-reply": ("delete a reply object", None, None),
    "delete-sched-context": ("delete a scheduling context", None, None),
    "delete-tcb": ("delete a TCB", 2181, 900),
    "delete-cnode-16": ("delete a CNode of 16 slots", None, None),
    "delete-cnode-256": ("delete a CNode of 256 slots", None, None),
    "delete-frame": ("delete a 4 KiB frame", None, None),
    "delete-page-table": ("delete a page table", None, None),
    "delete-vcpu": ("delete a VCPU", None, None),
    "cap-copy": ("copy a capability", None, None),
    "cap-mint": ("mint a capability", None, None),
    "cap-move": ("move a capability", None, None),
    "cap-delete": ("delete a copy", None, None),
    "cap-revoke-1": ("revoke 1 copy", None, None),
    "cap-revoke-10": ("revoke 10 copies", None, None),
    "cap-revoke-100": ("revoke 100 copies", None, None),
    "cap-revoke-1000": ("revoke 1000 copies", None, None),
    "vm-exit-cpuid": ("VM exit and back, CPUID", None, None),
    "vm-exit-hlt": ("VM exit and back, HLT", None, None),
    "vm-exit-port-in": ("VM exit and back, IN", None, None),
    "vm-exit-port-out": ("VM exit and back, OUT", None, None),
    "vm-exit-ept-violation": ("VM exit and back, EPT violation", None, None),
    "vm-exit-vmcall": ("VM exit and back, VMCALL", None, None),
    "vm-page-cpuid": ("VM exit by the state page, CPUID", None, None),
    "vm-page-hlt": ("VM exit by the state page, HLT", None, None),
    "vm-page-port-in": ("VM exit by the state page, IN", None, None),
    "vm-page-port-out": ("VM exit by the state page, OUT", None, None),
    "vm-page-ept-violation": ("VM exit by the state page, EPT violation", None, None),
    "vm-enter": ("VMM to its guest", None, None),
    "vm-leave": ("guest to its VMM, CPUID", None, None),
}

# The same on an Intel CPU with the fix for Meltdown; the reference has its SkimWindow on.
INTEL_MARKS = {
    "call-two-spaces": (226, 147),
    "reply-two-spaces": (None, 181),
    "wait-wake": (None, 600),
    "yield-fpu": (491, 315),
    "interrupt-to-handler": (551, 350),
    "retype-frame": (None, 720),
}

# Limits of what the kernel executes and touches, by figure: (field, at most, what it is). They are
# of a CPU without eager FPU, which saves one area of 13 lines and loads another.
LIMITS = {
    "call-two-spaces": (("code_lines", 12, "lines of kernel code"),
                        ("data_lines", 14, "lines of kernel data"),
                        ("taken", 6, "conditional branches taken in the kernel")),
}

# The slow path of these is measured beside the fast one.
FAST = ("call-", "reply-", "signal-to-")
SLOW = "-slow-path"
# These need VT-x or AMD-V.
GUESTS = ("vm-", "retype-vcpu", "delete-vcpu")
# VM exits by the state page are measured with the mitigations that the CPU asks for, and with all
# of those of Bochs' CPU off. In the emulators each has a mark. Names of figures by AMD-V end so.
AMD_V = "-amd-v"
PAGE = ("vm-page-",)
PAGE_MARK = 450
UNMITIGATED = "-mitigations-off"
UNMITIGATED_ARGUMENTS = "kpti=off rsb=off eager-fpu=off ibpb=off itlb-multihit=off"
UNMITIGATED_MARK = 360
# A row of the task, in its sources.
ROW = re.compile(r'^\t\{"([\w-]+)", \w+, ', re.MULTILINE)


def names():
    """All figures that the measuring task can take."""
    return [name for path in sorted((places.ROOT / "bench" / "kernel").glob("*.c"))
            for name in ROW.findall(path.read_text())]


def title(figure):
    """The words for a figure; its name where it has none."""
    name = figure["name"].removesuffix(UNMITIGATED).removesuffix(AMD_V)
    return MARKS.get(name, (figure["name"],))[0] + (", AMD-V" if is_of_amd_v(figure) else "")


def is_unmitigated(arguments):
    return set(UNMITIGATED_ARGUMENTS.split()) <= set(arguments.split())


def is_of_amd_v(figure):
    return figure["name"].endswith(AMD_V)


def is_of_intel(figure):
    return figure["machine"].endswith("Intel, icount")


def goal(figure):
    """(reference, mark) of a figure; both were counted in instructions, VM exits by VT-x in Bochs
    and all others in QEMU."""
    if is_of_amd_v(figure):
        return None, PAGE_MARK if figure["name"].startswith(PAGE) else None
    if figure["machine"].endswith("Bochs") and figure["name"].startswith(PAGE):
        return None, UNMITIGATED_MARK if is_unmitigated(figure.get("arguments", "")) else PAGE_MARK
    if not figure["machine"].endswith("icount"):
        return None, None
    reference, mark = MARKS.get(figure["name"], ("", None, None))[1:]
    if not is_of_intel(figure):
        return reference, mark
    if "kpti=off" in figure.get("arguments", ""):
        return reference, None
    return INTEL_MARKS.get(figure["name"], (None, None))


def missed(figure):
    mark = goal(figure)[1]
    return mark is not None and figure["median"] > mark


def footprint(figure):
    """The table's columns of what the plugin counted."""
    return "".join(f"{figure.get(field, '-'):>7}" for field in (
        "code_lines", "data_lines", "branches", "taken"))


def limit_lines(figures):
    """A sentence for each figure whose lines and branches are limited."""
    for figure in figures:
        limits = () if is_of_intel(figure) else LIMITS.get(figure["name"], ())
        for field, limit, what in limits:
            if field in figure:
                star = " *" if figure[field] > limit else ""
                yield f"{title(figure)}: {figure[field]} {what}, at most {limit}{star}"


def table_line(figure, slow):
    reference, mark = goal(figure)
    star = " *" if missed(figure) else "  "
    return (f"{title(figure):40}{reference or '-':>10}{figure['median']:>9}{slow or '-':>7}"
            f"{mark or '-':>7}{star}{footprint(figure)}")


def table(figures):
    """Each figure beside the reference and the mark; a star where the mark is missed."""
    slow = {figure["name"].removesuffix(SLOW): figure["median"] for figure in figures
            if figure["name"].endswith(SLOW)}
    shown = [figure for figure in figures if not figure["name"].endswith(SLOW)]
    unit = shown[0]["unit"] if shown else "nothing"
    lines = [f"{'':73}  --- in the kernel: ---",
             f"{f'{unit}, median':40}{'seL4 16':>10}{'Nacre':>9}{'slow':>7}{'mark':>7}  "
             f"{'code':>7}{'data':>7}{'cond.':>7}{'taken':>7}",
             f"{'':59}{'path':>7}{'':9}{'lines':>7}{'lines':>7}{'jumps':>7}"]
    lines += [table_line(figure, slow.get(figure["name"])) for figure in shown]
    count = sum(missed(figure) for figure in shown)
    if count:
        lines.append(f"* above its mark: {count} of {len(shown)} figures")
    return "\n".join([*lines, *limit_lines(shown)])
