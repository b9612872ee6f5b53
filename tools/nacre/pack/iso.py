# SPDX-License-Identifier: BSD-2-Clause
"""Packs a kernel and its modules into one ISO that GRUB boots under BIOS and UEFI, from a CD, a USB
stick or a disk."""

import hashlib
import pathlib
import re
import shutil
import tempfile
import time

from compose import output
from nacre import places, version
from nacre.pack import grub, secure_boot
from nacre.report import Failure, run_logged

GRUB_FOLDER = places.ROOT / "boot" / "grub"
# At the start of sector 16: its type, primary, and the name of the standard.
FIRST_DESCRIPTOR = 16 * 2048
DESCRIPTOR = b"\x01CD001"
# The templates' modules of GRUB: of both kinds of firmware, and what each has besides.
MODULES = {"grub.cfg": ("echo", "multiboot2", "normal", "smbios", "test"),
           "linux.cfg": ("linux", "normal")}
BIOS_MODULES = {"grub.cfg": ("serial", "terminfo", "vbe"), "linux.cfg": ()}
UEFI_MODULES = {"grub.cfg": ("efi_gop", "efifwsetup"), "linux.cfg": ()}
MEMORY_TEST_MODULES = ("chain", "linux")
# Where an ISO has its files, to the menu.
PLACE = "set place=/boot"
# The size of efi.img, of which the tables of FAT need less than a step; and the usual heads and
# sectors of FAT12.
FAT_STEP, FAT_FORMAT = 1 << 16, ("-h", "2", "-s", "16")
# Times of 22 years in hundredths of a second.
NAME_BITS = 36


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
    if re.search(r"@[A-Z_]+@", text):
        raise Failure(f"boot/grub: unknown @NAME@ left in a template: {text}")
    return text


def module_lines(modules):
    """What says at its end that all of them are loaded."""
    lines = [f"if module2 $place/{name} {name}; then" for name in modules]
    return "\n".join([*lines, "set loaded=yes", *("fi" for _ in lines)])


def time_named(folder):
    """A time made of the files' names and contents: GRUB finds its ISO by the time that stands in
    the volume descriptor, and there may be other ISOs of Nacre in the machine."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(hashlib.file_digest(file, "sha256").digest())
    hundredths = int.from_bytes(digest.digest(), "big") % (1 << NAME_BITS)
    moment = time.gmtime(grub.EPOCH + hundredths // 100)
    return time.strftime("%Y%m%d%H%M%S", moment) + f"{hundredths % 100:02}"


def dashed(stamp):
    """2000-01-01-00-00-00-00 of 2000010100000000, as GRUB writes it."""
    return "-".join([stamp[:4], *(stamp[i:i + 2] for i in range(4, len(stamp), 2))])


def add_grub(folder, template, more, signer):
    """GRUB's images and modules; returns the time that is the ISO's name."""
    modules = (*MODULES[template], *more)
    place = folder / "boot" / "grub"
    grub.copy_modules(place, (*modules, *BIOS_MODULES[template]))
    grub.make_core(place / "eltorito.img", f"{grub.BIOS}-eltorito", ("biosdisk", "iso9660"))
    if signer:
        signer.sign_files(folder)
    stamp = time_named(folder)
    with tempfile.TemporaryDirectory(prefix="nacre-uefi-") as directory:
        core = pathlib.Path(directory) / grub.UEFI_PATH
        core.parent.mkdir(parents=True)
        modules = ("iso9660", "search_fs_uuid", *modules, *UEFI_MODULES[template])
        start = f"search.fs_uuid {dashed(stamp)} root\nset prefix=($root)/boot/grub\n"
        if signer:
            grub.make_core(core, grub.UEFI, (*modules, *secure_boot.MODULES),
                           start + secure_boot.ENFORCE, more=signer.core_words())
            signer.sign_image(core)
        else:
            grub.make_core(core, grub.UEFI, modules, start)
        grub.make_fat(folder / "efi.img", (core.stat().st_size // FAT_STEP + 2) * FAT_STEP,
                      pathlib.Path(directory), *FAT_FORMAT, "-N", stamp[-8:])
    return stamp


def pack(target, template, files, text, grub_modules=(), signer=None):
    """Makes the ISO: files maps a name in /boot to the host file it holds, the text is GRUB's menu,
    made of that template. The modules of GRUB are those that it needs besides. A signer is that of
    secure_boot.py."""
    for name, source in files.items():
        if not pathlib.Path(source).is_file():
            raise Failure(f"{places.shown(source)} is missing, so {name} cannot go into "
                          f"{places.shown(target)}: build first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nacre-iso-") as directory:
        folder = pathlib.Path(directory)
        boot = folder / "boot"
        (boot / "grub").mkdir(parents=True)
        for name, source in files.items():
            shutil.copyfile(source, boot / name)
        loads = "".join(f"insmod {name}\n" for name in grub_modules)
        (boot / "grub" / "grub.cfg").write_text(loads + text)
        stamp = add_grub(folder, template, grub_modules, signer)
        with output.making(target) as made:
            run_logged(["xorriso", "-as", "mkisofs", "-r", "-volid", version.volume_label(),
                        f"--modification-date={stamp}", "--set_all_file_dates",
                        time.strftime("%Y%m%d%H%M%S00", time.gmtime(grub.EPOCH)),
                        # By BIOS from a CD, and from a disk by a boot record that knows where the
                        # CD's image is; by UEFI from both.
                        "-b", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4",
                        "-boot-info-table", "--grub2-boot-info",
                        "--grub2-mbr", grub.LIBRARY / grub.BIOS / "boot_hybrid.img",
                        "--protective-msdos-label",
                        "--efi-boot", "efi.img", "-efi-boot-part", "--efi-boot-image",
                        "-o", made, folder], f"iso-{target.stem}", env=grub.ENVIRONMENT)


def menu(kernel, modules, arguments="", prelude="", memory_test=None, give_up="",
         self_test=None):
    """(files by their names, GRUB's menu) of a system: a module map in boot order, and kernel
    arguments. The prelude is commands to GRUB; there $place must be the files' folder. What gives
    up is executed where kernel or modules cannot be loaded. A memory test is a program that GRUB
    starts as a Linux by BIOS, and that is one of UEFI's as well. Self-tests are files by their
    names, a kernel among them."""
    files = {"kernel.elf": kernel, **modules}
    entry, tests = "", ""
    if self_test:
        files.update(self_test)
        tests = (GRUB_FOLDER / "self_test.cfg").read_text()
    if memory_test:
        files["memtest86+"] = memory_test
        entry = (GRUB_FOLDER / "memory_test.cfg").read_text()
    return files, fill_template((GRUB_FOLDER / "grub.cfg").read_text(), {
        "ARGUMENTS": arguments, "MODULES": module_lines(modules), "PRELUDE": prelude,
        "VERSION": version.number(), "MEMORY_TEST": entry, "GIVE_UP": give_up,
        "SELF_TEST": tests})


def pack_nacre(target, kernel, modules, arguments="", prelude="", memory_test=None, signer=None,
               self_test=None):
    """An ISO with the Nacre kernel and the rest of a menu; this prelude changes the memory map."""
    pack(target, "grub.cfg",
         *menu(kernel, modules, arguments, f"{PLACE}\n{prelude}", memory_test,
               self_test=self_test),
         [*(["mmap"] if prelude else ()), *(MEMORY_TEST_MODULES if memory_test else ())], signer)


def pack_linux(target, kernel, initramfs, command_line):
    """An ISO that boots Linux without Nacre: the yardstick of `bench guest-boot`."""
    text = fill_template((GRUB_FOLDER / "linux.cfg").read_text(), {"COMMAND_LINE": command_line})
    pack(target, "linux.cfg", {"vmlinuz": kernel, "initramfs.cpio": initramfs}, text)
