# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre test guest-image`: what `./nacre guest debian` makes boots on the bare emulator.
`./nacre test guest-debian`: it boots as a guest, as examples/debian describes it.
`./nacre test guest-passthrough`: it does so with a disk and a network card of its own, as
examples/passthrough describes it.

Root gets in on the serial line and by ssh, and there is a network, over which apt reads the lists
of its archives. Only when named: the packages of the image come from the network.
"""

import pathlib
import re
import subprocess
import tempfile
import time

from nacre import archive, packages, places
from nacre.guest import boot_files, debian
from nacre.machine import disks, emulator, machine, network
from nacre.pack import boot_images, product
from nacre.test import machine_tests, results

NAME, GUEST_NAME, PASSED_NAME = "guest-image", "guest-debian", "guest-passthrough"
NEEDS = ("openssh-client", "qemu-system-x86")
FOLDER = places.BUILD / "system-tests" / NAME
EXAMPLE = places.ROOT / "examples" / "debian" / "debian.system"
PASSED_EXAMPLE = places.ROOT / "examples" / "passthrough" / "passthrough.system"
# The address that QEMU's network gives the first that asks.
ADDRESS = "10.0.2.15"
SIZE = 2 << 30
# Of the machine's own time, by the wall clock.
SECONDS = 1800
SSH_SECONDS = 300
# Machines with disks have the clock of this host, by which systemd would give up after 90 seconds.
PATIENT = f"[Manager]\nDefaultTimeoutStartSec={SECONDS}\nDefaultDeviceTimeoutSec={SECONDS}\n"
SETTINGS = "/etc/systemd/system.conf.d"
UPDATE_SECONDS = 600
# Any archive that fails is an error, not only all of them.
UPDATE = "apt-get -o APT::Update::Error-Mode=any update"
# What the IOMMU says of a device that reaches for what is not its guest's.
REFUSED = re.compile(r"iommu: device .* may not .*")
PROMPT = [("until", "login:"), ("send", "root")]
BUTTON = [("send", "\x01o"), ("until", "power button pressed by the terminal"),
          ("until", "guest powered off")]
LOGIN = [("until", "root@tested:~#"),
         ("send", "systemctl is-system-running --wait; "
                  "echo failed units: $(systemctl --failed -q | wc -l)"),
         ("until", "failed units: 0"),
         ("send", "echo root file system: $(findmnt -no FSTYPE /)"),
         ("until", "root file system: ext4"),
         ("send", "echo cards: $(networkctl --no-legend | grep -c routable)"),
         ("until", "cards: 1")]

# Of a guest that drives its disk and its card itself; no answer is in its command.
DEVICES = [("send", "lspci"), ("until", "00:0b.0 Non-Volatile memory controller"),
           ("until", "00:0c.0 Ethernet controller"),
           ("send", "findmnt -no SOURCE /"), ("until", "/dev/nvme0n1p1"),
           ("send", "echo interrupts: $(grep -c 'PCI-MSI.*nvme0q1' /proc/interrupts)"),
           ("until", "interrupts: 1"),
           ("send", "echo driver: $(basename $(readlink /sys/class/net/e*/device/driver))"),
           ("until", "driver: e1000e")]
AGAIN = [("send", "reboot"), ("until", "guest resets"), *PROMPT, *LOGIN]


def make_patient(image):
    """systemd of this image waits as long as the test does."""
    settings = image.with_name("patient.conf")
    settings.write_text(PATIENT)
    boot_files.put(image, settings.name, settings, SETTINGS)
    return image


def made_image(key):
    """An image of its own, of the packages that are kept."""
    want = debian.Wanted(debian.KERNELS[0], (), SIZE, "tested", debian.read_keys([key]))
    image = FOLDER / "tested.img"
    image.unlink(missing_ok=True)
    return make_patient(debian.ensure(want, image))


def booted(image, port):
    kernel, initrd, root = boot_files.extract(image, FOLDER)
    return machine.QemuMachine(
        kernel=kernel, modules=(initrd,), arguments=f"console=ttyS0 quiet panic=-1 {root} ro",
        limit=SECONDS, extra=(
            "-drive", f"if=none,id=disk,format=raw,file={image}",
            "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-net-pci,netdev=net",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22"))


def by_ssh(key, port, command, seconds=SSH_SECONDS):
    """(status, what was said) of a command in the guest."""
    words = ["ssh", "-p", str(port), "-i", key, "-o", "StrictHostKeyChecking=no", "-o",
             "BatchMode=yes", "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1", command]
    result = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
    return result.returncode, result.stdout.strip()


def booted_in_nacre(image, port, example=EXAMPLE, **settings):
    """The same as the guest of the example, with this image for the usual one."""
    description = FOLDER / example.name
    description.write_text(example.read_text().replace(places.GUEST_DEBIAN.name, image.name))
    iso = product.make_iso(description, FOLDER / f"{example.stem}.iso")
    forward = network.Forward("tcp", port, ADDRESS, 22)
    return machine.QemuMachine(
        iso=iso, cpu="max", memory=emulator.MEMORY, limit=SECONDS,
        disks=disks.Disks(**boot_images.machine_disks(description)),
        wire=network.Network("user", forwards=(forward,), card=product.card(description)),
        **settings)


def booted_with_passed(image, port):
    return booted_in_nacre(image, port, PASSED_EXAMPLE, iommu="intel")


def check_ssh(name, key, other, port):
    """Root's key leads in, another does not."""
    status, said = by_ssh(key, port, "hostname")
    refused, _ = by_ssh(other, port, "true")
    if status != 0 or not said.endswith("tested") or refused == 0:
        return results.failed(f"{name}/ssh", f"status {status}, {refused}: {said}")
    return results.passed(f"{name}/ssh")


def check_update(name, key, port):
    """apt in the guest, where the archives can be reached from this host."""
    name = f"{name}/apt"
    mirror = archive.mirror(archive.apt_targets())
    if not archive.answers(mirror, debian.CODENAME):
        return results.skipped(name, f"this host does not reach {mirror}")
    status, said = by_ssh(key, port, UPDATE, UPDATE_SECONDS)
    fetched = re.search(r"^Fetched .*", said, re.MULTILINE)
    if status != 0 or not fetched:
        return results.failed(name, f"status {status}: {said}")
    return results.passed(name, f"from {mirror}: {fetched[0]}")


def watch(running, name, steps):
    """(why it went wrong, log) of a script."""
    why, text, log = machine_tests.watch(running, name.replace("/", "-"), steps)
    refused = REFUSED.search(text)
    return why or (refused and refused[0]), log


def check_button(name, running):
    """systemd powers off when the button is pressed, from the terminal."""
    name = f"{name}/power-button"
    why, log = watch(running, name, BUTTON)
    return results.failed(name, why, log) if why else results.passed(name)


def check_devices(name, running):
    """The disk and the card are the guest's own."""
    name = f"{name}/devices"
    why, log = watch(running, name, DEVICES)
    return results.failed(name, why, log) if why else results.passed(name)


def check_reset(name, running):
    """So they are after its reset."""
    name = f"{name}/reset"
    why, log = watch(running, name, [*AGAIN, *DEVICES])
    return results.failed(name, why, log) if why else results.passed(name)


def new_key(folder, name):
    key = pathlib.Path(folder) / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def run():
    return check(NAME, booted)


def run_in_nacre():
    return check(GUEST_NAME, booted_in_nacre, check_button)


def run_with_passed():
    return check(PASSED_NAME, booted_with_passed, check_devices, check_reset,
                 check_button)


def check(name, boot, *ends):
    """`ends` are checks of the machine alone, after all others."""
    packages.ensure(NEEDS, packages.EMULATE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        key, other = new_key(folder, "key"), new_key(folder, "other")
        image = made_image(key.with_suffix(".pub"))
        port = network.free_port("tcp")
        start = time.monotonic()
        with boot(image, port) as running:
            why, log = watch(running, name, PROMPT)
            prompt = time.monotonic() - start
            if not why:
                why, log = watch(running, f"{name}-login", LOGIN)
            if why:
                return [results.failed(f"{name}/boot", f"{why}\n{running.output(400)}", log)]
            return [results.passed(f"{name}/boot", f"{prompt:.0f} s until the login prompt"),
                    check_ssh(name, key, other, port), check_update(name, key, port),
                    *(end(name, running) for end in ends)]
