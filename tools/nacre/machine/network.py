# SPDX-License-Identifier: BSD-2-Clause
"""The network card of an emulated machine, and what its wire is."""

import dataclasses
import pathlib
import socket

from nacre.report import Failure

CHOICES = "none, user, or a port number"
# The cards: an Intel 82540EM, virtio's, and an Intel 82574L; QEMU's device of each. The names of
# the first two are those of card= in a description.
CARDS = {"e1000": "e1000", "virtio": "virtio-net-pci,disable-legacy=on,iommu_platform=on",
         "e1000e": "e1000e"}
USUAL_CARD = "e1000"
# The card's address; its second half is QEMU's and Bochs' own example.
MAC = "52:54:00:12:34:56"
# The slot in which both firmwares wire the card's line to I/O APIC pin 11.
QEMU_SLOT = 3
BOCHS_SLOT = 2
PROTOCOLS = ("udp", "tcp")


@dataclasses.dataclass(frozen=True)
class Forward:
    """A port of this host that leads to one of a component."""

    protocol: str
    host_port: int
    address: str
    port: int


@dataclasses.dataclass(frozen=True)
class Network:
    """"user" is the emulator's own network, 10.0.2.0/24 with a router at 10.0.2.2 that reaches what
    this host reaches. "frames" is a wire to a program on this host: the machine takes Ethernet
    frames as UDP datagrams at `port` of 127.0.0.1, and sends its own to `port` + 1."""

    kind: str
    port: int = 0
    forwards: tuple = ()
    card: str = USUAL_CARD


def free_port(protocol):
    """A port of this host that is free now."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_forward(text):
    """udp:5007:10.0.2.15:7"""
    parts = text.split(":")
    if len(parts) == 4 and parts[0] in PROTOCOLS and parts[1].isdigit() and parts[3].isdigit():
        return Forward(parts[0], int(parts[1]), parts[2], int(parts[3]))
    raise Failure(f"--forward {text}: write udp:5007:10.0.2.15:7, that is protocol, port of this "
                  "host, address and port behind the card")


def parse(text, forwards=(), card=USUAL_CARD):
    """The network that the command line asks for with a card of CARDS, or None."""
    if forwards and text != "user":
        raise Failure("--forward needs --network user")
    if text == "none":
        return None
    if text == "user":
        return Network("user", forwards=tuple(parse_forward(each) for each in forwards),
                       card=card)
    if text.isdigit() and 0 < int(text) < 65535:
        return Network("frames", port=int(text), card=card)
    raise Failure(f"--network {text}: choose {CHOICES}")


def qemu_options(network):
    if network is None:
        return []
    if network.kind == "user":
        backend = "user,id=wire" + "".join(
            f",hostfwd={each.protocol}:127.0.0.1:{each.host_port}-{each.address}:{each.port}"
            for each in network.forwards)
    else:
        backend = (f"socket,id=wire,localaddr=127.0.0.1:{network.port},"
                   f"udp=127.0.0.1:{network.port + 1}")
    return ["-netdev", backend,
            "-device", f"{CARDS[network.card]},netdev=wire,mac={MAC},addr={QEMU_SLOT},romfile="]


def check_bochs(network):
    if network and network.card != USUAL_CARD:
        raise Failure(f"Bochs has no network card of the kind {network.card}: take --emulator "
                      f"qemu, or card=\"{USUAL_CARD}\" in the description")


def bochs_lines(network, directory):
    """Lines of Bochs' configuration; the file they name is written to the machine's directory."""
    check_bochs(network)
    if network is None:
        return ""
    card = f"e1000: enabled=1, mac={MAC}, "
    if network.kind == "user":
        lines = [f"hostfwd = {each.protocol}:127.0.0.1:{each.host_port}-{each.address}:{each.port}"
                 for each in network.forwards]
        (pathlib.Path(directory) / "network.conf").write_text(
            "\n".join(["# slirp config", *lines]) + "\n")
        card += "ethmod=slirp, script=network.conf"
    else:
        card += f"ethmod=socket, ethdev={network.port}"
    return f"pci: enabled=1, chipset=i440fx, slot{BOCHS_SLOT}=e1000\n{card}\n"
