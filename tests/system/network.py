# SPDX-License-Identifier: BSD-2-Clause
"""The network example with each card in QEMU and Bochs, asked from this host."""

import dataclasses
import ipaddress
import re
import shutil
import socket

from compose.short.network import CARDS
from nacre import build, places
from nacre.machine import emulator, machine, network, wire
from nacre.pack import product, system_image
from nacre.report import Failure
from nacre.terminal import console
from nacre.test import results
from nacre.test.system_tests import judge

EXAMPLE = places.ROOT / "examples" / "network_echo" / "network_echo.system"
SYSTEMS = places.ROOT / "tests" / "system" / "systems"
KILLER, LIAR = SYSTEMS / "net_restart" / "killer.c", SYSTEMS / "net_liar" / "liar.c"
GRANT = "grant 1 id=8086:100e bar0=0xd0000000"
# card= of a switch -> name of its driver.
DRIVERS = {card: device.program for card, device in CARDS.items()}
USUAL = network.USUAL_CARD
KILLS = 3  # of it
FIRST, SECOND = "10.0.2.15", "10.0.2.16"
SIZES = (0, 1, 56, 1472)
# The emulator's processor time for an answer.
ANSWER_SECONDS = 20


def image_of(description, name):
    folder = places.BUILD / "system-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return product.compose(description, folder / f"{name}.img")


def example(name, card, change=None):
    """The example with that card in a folder of its own; `change` edits its text without short
    elements."""
    folder = places.BUILD / "system-tests" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE.parent, folder)
    description = folder / EXAMPLE.name
    replaced(description, f'card="{USUAL}"', f'card="{card}"')
    if change:
        system_image.expand(description, description)
        change(description)
    return description


def replaced(description, old, new):
    text = description.read_text()
    if text.count(old) != 1:
        raise Failure(f"{places.shown(description)}: {old} is there {text.count(old)} times")
    description.write_text(text.replace(old, new))


def start(name, emulator_name, network_setting, change=None):
    """The example on a machine with a card."""
    description = example(name, network_setting.card, change)
    if emulator_name == "bochs":
        iso = product.make_iso(description, places.BUILD / "system-tests" / f"{name}.iso")
        return machine.BochsMachine(iso=iso, memory=emulator.MEMORY, wire=network_setting)
    return machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY, wire=network_setting,
        modules=(build.artefact("root.elf"), image_of(description, name)))


def ready(card):
    driver = DRIVERS[card]
    return (f"{driver}: card {network.MAC}", f"{driver}: link is up", "pinger: all answered")


def wait_until_ready(running, name, texts):
    """None, or the failure; the machine runs on."""
    places.LOGS.mkdir(parents=True, exist_ok=True)
    log = places.LOGS / f"system-{name}.log"
    with log.open("wb") as output:
        why = console.Session(running, [("until", text) for text in texts], output=output).run()
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


def check_wire(name, emulator_name, addresses, card=USUAL, change=None, texts=None):
    with wire.Wire("10.0.2.99") as link, start(
            name, emulator_name, dataclasses.replace(link.network, card=card), change) as running:
        failure = wait_until_ready(running, name, texts or ready(card))
        if failure:
            return [failure]
        return [result for address in addresses for result in ask(link, address, name, running)]


def check_restart(name, card):
    """A component kills the driver again and again; afterwards all is as before. The reports are
    printed while the driver waits for its restart, so that its own lines do not cut into them."""
    driver = DRIVERS[card]

    def change(description):
        shutil.copy(KILLER, description.parent)
        replaced(description, f'<protection_domain name="{driver}"',
                 f'<protection_domain name="{driver}" on_fault="restart" restart_backoff="50000"')
        replaced(description, "</system>", f'''<protection_domain name="killer" priority="90"
            program="killer.elf"><timer/><console/>
            <cspace><cap_tcb pd="{driver}" slot="1"/></cspace></protection_domain></system>''')
    return check_wire(name, "qemu", (FIRST, SECOND), card, change,
                      [f"'{driver}' was stopped"] * KILLS + [f"killer: killed {KILLS} times"])


def lie(description, times):
    """Adds a component that writes what the virtio card's device might, if it lied."""
    shutil.copy(LIAR, description.parent)
    replaced(description, "</system>", f'''<protection_domain name="liar" priority="90"
        program="liar.elf"><timer/><console/>
        <map mr="rings_virtio_net" vaddr="0x1000000" setvar_vaddr="rings_vaddr"/>
        <setvar symbol="lies_most" value="{times}"/></protection_domain>
        <channel><end pd="liar" id="2"/><end pd="virtio_net" id="0"/></channel></system>''')


def check_lies(name):
    """Of a device that has lied and was reset the hosts are reached, and one that goes on is left
    alone, as is the system."""
    broken = "virtio_net: the device does not keep to the protocol and is "
    found = check_wire(name, "qemu", (FIRST, SECOND), "virtio", lambda made: lie(made, 3),
                       [f"{broken}reset"] * 3 + ["liar: lied 3 times"])
    image = image_of(example(name, "virtio", lambda made: lie(made, 12)), name)
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        modules=(build.artefact("root.elf"), image), wire=network.parse("user", card="virtio"))
    return found + judge(f"{name}-on", running, [("until", text) for text in (
        *[f"{broken}reset"] * 7, f"{broken}used no more", "liar: lied 12 times")])[0]


def check_transitional(name):
    """The example with a virtio card that has the interface of before 1.0 as well."""
    description = example(name, "virtio", lambda made: replaced(made, "id=1af4:1041",
                                                                "id=1af4:1000"))
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        modules=(build.artefact("root.elf"), image_of(description, name)),
        extra=("-netdev", "user,id=wire", "-device",
               f"virtio-net-pci,netdev=wire,mac={network.MAC},addr={network.QEMU_SLOT},romfile="))
    return judge(name, running, [("until", text) for text in ready("virtio")])[0]


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


def check_user(name, emulator_name, card=USUAL):
    """Both hosts through the emulator's own network, as a person reaches them."""
    ports = {address: network.free_port("udp") for address in (FIRST, SECOND)}
    setting = network.parse(
        "user", [f"udp:{port}:{address}:7" for address, port in ports.items()], card)
    with start(name, emulator_name, setting) as running:
        failure = wait_until_ready(running, name, ready(card))
        if failure:
            return [failure]
        return [judged(f"system/{name}/{address}/udp-{size}",
                       echoes(port, bytes(size), hope(running)), "no right answer")
                for address, port in ports.items() for size in SIZES if size > 0]


def check_place(name, grant, said):
    """The example with other settings for the PCI component: who is at fault says so, the rest
    runs."""
    description = example(name, USUAL, lambda made: replaced(made, GRANT, grant))
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY,
        wire=network.parse("user"),
        modules=(build.artefact("root.elf"), image_of(description, name)))
    return judge(name, running,
                 [("until", text) for text in (*said, "pinger: all answered")])[0]


def check_confined(name, card):
    """The example behind an IOMMU: frames come and go, and the card reaches for nothing else."""
    running = machine.QemuMachine(
        kernel=build.artefact("kernel-debug.elf32"), memory=emulator.MEMORY, iommu="intel",
        wire=network.parse("user", card=card),
        modules=(build.artefact("root.elf"), image_of(example(name, card), name)))
    found, said = judge(name, running, [
        ("until", text) for text in ("reaches 264 KiB of memory" if card == USUAL else
                                     "reaches 268 KiB of memory", *ready(card))])
    if re.search("iommu: device .* may not", said):
        found.append(results.failed(f"system/{name}/reach", "the card was refused an access"))
    return found


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
    ("network-virtio", "so they do behind a virtio card",
     lambda: check_wire("network-virtio", "qemu", (FIRST, SECOND), "virtio")),
    ("network-e1000-iommu", "an e1000 works behind an IOMMU with the same description",
     lambda: check_confined("network-e1000-iommu", USUAL)),
    ("network-virtio-iommu", "so does a virtio card",
     lambda: check_confined("network-virtio-iommu", "virtio")),
    ("network-transitional", "a transitional virtio card is driven by its modern interface",
     lambda: check_transitional("network-transitional")),
    ("network-lies", "a virtio card whose device lies is reset, and left alone if it goes on",
     lambda: check_lies("network-lies")),
    ("network-restart-e1000", "the e1000's driver is killed and restarted, and frames pass again",
     lambda: check_restart("network-restart-e1000", "e1000")),
    ("network-restart-virtio", "the virtio card's driver is killed and restarted likewise",
     lambda: check_restart("network-restart-virtio", "virtio")),
    # Bochs passes on what is for the card's own address, which the first host has.
    ("network-bochs", "a host behind Bochs' e1000 answers ARP, ping and UDP echo",
     lambda: check_wire("network-bochs", "bochs", (FIRST,))),
    ("network-user-qemu", "both hosts answer through QEMU's own network",
     lambda: check_user("network-user-qemu", "qemu")),
    ("network-user-virtio", "both hosts answer so behind a virtio card",
     lambda: check_user("network-user-virtio", "qemu", "virtio")),
    ("network-user-bochs", "both hosts answer through Bochs' own network",
     lambda: check_user("network-user-bochs", "bochs")),
]
