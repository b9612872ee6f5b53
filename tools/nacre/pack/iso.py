# SPDX-License-Identifier: BSD-2-Clause
"""Packs a kernel and its modules into one ISO that GRUB boots under BIOS and UEFI.

Only the GRUB modules a boot needs go in: the default set makes the ISO five times as large
and a boot in Bochs a third slower.
"""

import os
import pathlib
import shutil
import tempfile

from compose import output
from nacre import places, version
from nacre.report import Failure, run_logged

GRUB_FOLDER = places.ROOT / "boot" / "grub"
DATED_XORRISO = pathlib.Path(__file__).with_name("dated_xorriso.py")
# At the start of sector 16: its type, primary, and the name of the standard.
FIRST_DESCRIPTOR = 16 * 2048
DESCRIPTOR = b"\x01CD001"
MODULES = {"grub.cfg": "multiboot2 normal", "linux.cfg": "linux normal"}


def check(path):
    """Refuses a file that no emulator boots as a CD."""
    if not path.is_file():
        raise Failure(f"{path}: there is no such ISO")
    with path.open("rb") as file:
        file.seek(FIRST_DESCRIPTOR)
        if file.read(len(DESCRIPTOR)) != DESCRIPTOR:
            raise Failure(f"{path}: is no ISO: it has no volume descriptor of ISO 9660; "
                          "`./nacre build` makes one")


def fill_template(text, values):
    """Replaces each @NAME@ of the template; an unknown one is an error."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    if "@" in text:
        raise Failure(f"boot/grub: unknown @NAME@ left in a template: {text}")
    return text


def module_lines(modules):
    return "\n".join(f"module2 /boot/{name} {name}" for name in modules)


def pack(target, template, files, values, grub_modules=""):
    """Makes the ISO: files maps a name in /boot to the host file it holds."""
    for name, source in files.items():
        if not pathlib.Path(source).is_file():
            raise Failure(f"{places.shown(source)} is missing, so {name} cannot go into "
                          f"{places.shown(target)}: build first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nacre-iso-") as directory:
        boot = pathlib.Path(directory) / "boot"
        (boot / "grub").mkdir(parents=True)
        for name, source in files.items():
            shutil.copyfile(source, boot / name)
        text = (GRUB_FOLDER / template).read_text()
        (boot / "grub" / "grub.cfg").write_text(fill_template(text, values))
        with output.making(target) as made:
            run_logged(["grub-mkrescue", f"--xorriso={DATED_XORRISO}", "-o", made,
                        f"--install-modules={MODULES[template]} {grub_modules}", "--locales=",
                        "--fonts=", "--themes=", directory, "--", "-volid",
                        version.volume_label()], f"iso-{target.stem}",
                       env={**os.environ, "SOURCE_DATE_EPOCH": "946684800"})


def pack_nacre(target, kernel, modules, arguments="", prelude=""):
    """An ISO with the Nacre kernel, a module map in boot order, and kernel arguments. The prelude
    is commands to GRUB that change the memory map."""
    pack(target, "grub.cfg", {"kernel.elf": kernel, **modules},
         {"ARGUMENTS": arguments, "MODULES": module_lines(modules), "PRELUDE": prelude},
         "mmap" if prelude else "")


def pack_linux(target, kernel, initramfs, command_line):
    """An ISO that boots Linux without Nacre: the yardstick of `bench guest-boot`."""
    pack(target, "linux.cfg", {"vmlinuz": kernel, "initramfs.cpio": initramfs},
         {"COMMAND_LINE": command_line})
