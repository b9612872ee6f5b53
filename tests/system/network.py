# SPDX-License-Identifier: BSD-2-Clause
"""The network example with a card in QEMU and Bochs, asked from this host."""

import ipaddress
import shutil
import socket

from nacre import build, places
from nacre.machine import emulator, machine, network, wire
from nacre.pack import product, system_image
from nacre.report import Failure
from nacre.terminal import console
from nacre.test import results
from nacre.test.system_tests import judge

EXAMPLE = places.ROOT / "examples" / "network_echo" / "network_echo.system"
GRANT = "grant 1 id=8086:100e bar0=0xd0000000"
FIRST, SECOND = "10.0.2.15", "10.0.2.16"
READY = [("until", "e1000: link is up"), ("until", "pinger: all answered")]
SIZES = (0, 1, 56, 1472)
# The emulator's processor time for an answer.
ANSWER_SECONDS = 20


def image_of(description, name):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return product.compose(description, folder / f"{name}.img")


def start(name, emulator_name, network_setting):
    """The example on a machine with a card."""
    if emulator_name == "bochs":
        iso = product.make_iso(EXAMPLE, places.BUILD / "system-tests" / f"{name}.iso")
        return machine.BochsMachine(iso=iso, memory=emulator.MEMORY, wire=network_setting)
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY, wire=network_setting,
        modules=(build.artefact("root.elf"), image_of(EXAMPLE, name)))


def wait_until_ready(running, name):
    """None, or the failure; the machine runs on."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"system-{name}.log"
    with log.open("wb") as output:
        why = console.Session(running, READY, output=output).run()
    return why and results.failed(f"system/{name}/ready", f"{why}\n{running.output(400)}",
                                  places.shown(log))


def judged(name, holds, text):
    return results.passed(name) if holds else results.failed(name, text)


def hope(running):
    return running.progress(silent=ANSWER_SECONDS)


def ask(link, address, name, running):
    """ARP, ping and UDP echo of a host behind the card, over the wire."""
    target = ipaddress.IPv4Address(address).packed
    base = f"system/{name}/{address}"
    if link.resolve(target, hope(running)) is None:
        yield results.failed(f"{base}/arp", "no answer to ARP")
        return
    yield results.passed(f"{base}/arp")
    for number, size in enumerate(SIZES):
        yield judged(f"{base}/ping-{size}", link.pings(target, number, size, hope(running)),
                     "no right answer")
        yield judged(f"{base}/udp-{size}", link.echoes(target, bytes(size), hope(running)),
                     "no right answer")


def check_wire(name, emulator_name, addresses):
    with wire.Wire("10.0.2.99") as link, start(name, emulator_name, link.network) as running:
        failure = wait_until_ready(running, name)
        if failure:
            return [failure]
        return [result for address in addresses for result in ask(link, address, name, running)]


def echoes(port, payload, patience):
    """Whether a datagram to this host's port comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        while not patience.complaint():
            asking.sendto(payload, ("127.0.0.1", port))
            try:
                return asking.recv(4096) == payload
            except OSError:
                continue
    return False


def check_user(name, emulator_name):
    """Both hosts through the emulator's own network, as a person reaches them."""
    ports = {address: network.free_port("udp") for address in (FIRST, SECOND)}
    setting = network.parse("user", [f"udp:{port}:{address}:7" for address, port in ports.items()])
    with start(name, emulator_name, setting) as running:
        failure = wait_until_ready(running, name)
        if failure:
            return [failure]
        return [judged(f"system/{name}/{address}/udp-{size}",
                       echoes(port, bytes(size), hope(running)), "no right answer")
                for address, port in ports.items() for size in SIZES if size > 0]


def check_place(name, grant, said):
    """The example with other settings for the PCI component: who is at fault says so, the rest
    runs."""
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE.parent, folder)
    description = folder / EXAMPLE.name
    system_image.expand(description, description)
    text = description.read_text()
    if text.count(GRANT) != 1:
        raise Failure(f"{places.shown(description)}: the card is granted otherwise than by {GRANT}")
    description.write_text(text.replace(GRANT, grant))
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        wire=network.parse("user"),
        modules=(build.artefact("root.elf"), image_of(description, name)))
    return judge(name, running,
                 [("until", text) for text in (*said, "pinger: all answered")])[0]


ROWS = [
    ("network-elsewhere", "a driver whose card is not where the description has it says so",
     lambda: check_place("network-elsewhere", "grant 1 id=8086:100e",
                         ["e1000: the device is at 0x", "in the description at 0xd0000000"])),
    ("network-in-memory", "no device is put where memory is",
     lambda: check_place("network-in-memory", "grant 1 id=8086:100e bar0=0x10200000",
                         ["pci: settings, line 1: BAR 0 cannot be at 0x10200000: the address is "
                          "RAM or reserved", "e1000: the device is at 0x"])),
    ("network-no-grant", "a wrong line of settings is named and gives nothing",
     lambda: check_place("network-no-grant", "grant 1 device=8086:100e",
                         ["pci: settings, line 1 is not", "e1000: no device"])),
    ("network-qemu", "hosts behind QEMU's e1000 answer ARP, ping and UDP echo",
     lambda: check_wire("network-qemu", "qemu", (FIRST, SECOND))),
    # Bochs passes on what is for the card's own address, which the first host has.
    ("network-bochs", "a host behind Bochs' e1000 answers ARP, ping and UDP echo",
     lambda: check_wire("network-bochs", "bochs", (FIRST,))),
    ("network-user-qemu", "both hosts answer through QEMU's own network",
     lambda: check_user("network-user-qemu", "qemu")),
    ("network-user-bochs", "both hosts answer through Bochs' own network",
     lambda: check_user("network-user-bochs", "bochs")),
]
