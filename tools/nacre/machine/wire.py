# SPDX-License-Identifier: BSD-2-Clause
"""The host's end of a machine's network: Ethernet frames as UDP datagrams, and what a test asks.

Needs no rights: the machine is started with a network of kind "frames"."""

import ipaddress
import socket
import struct
import time

from nacre.machine import network

HOST_MAC = bytes.fromhex("02000000ee01")
BROADCAST = b"\xff" * 6
ARP, IPV4 = 0x0806, 0x0800
ICMP, UDP = 1, 17
ECHO_PORT = 7
ATTEMPT_SECONDS = 1.0


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ethernet(target, kind, payload):
    return target + HOST_MAC + struct.pack(">H", kind) + payload


def ip_packet(source, target, protocol, payload):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                         source, target)
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ping(number, payload):
    head = struct.pack(">BBHHH", 8, 0, 0, 77, number)
    return head[:2] + struct.pack(">H", checksum(head + payload)) + head[4:] + payload


def datagram(source, target, payload):
    """To the echo port, with its checksum."""
    head = struct.pack(">HHHH", 5000, ECHO_PORT, 8 + len(payload), 0)
    pseudo = source + target + struct.pack(">BBH", 0, UDP, len(head + payload))
    return head[:6] + struct.pack(">H", checksum(pseudo + head + payload) or 0xffff) + payload


class Wire:
    """Takes the place of the network; `network` is the setting for the machine."""

    def __init__(self, address):
        self.address = ipaddress.IPv4Address(address).packed
        self._socket, port = self._pair()
        self.network = network.Network("frames", port=port)
        self._machine = ("127.0.0.1", port)
        self.macs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    @staticmethod
    def _pair():
        """Our socket, and the port just below its own, which is free for the machine."""
        while True:
            ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ours.bind(("127.0.0.1", 0))
            port = ours.getsockname()[1] - 1
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
                    theirs.bind(("127.0.0.1", port))
                return ours, port
            except OSError:
                ours.close()

    def send(self, frame):
        self._socket.sendto(frame.ljust(60, b"\0"), self._machine)

    def ask(self, frame, is_answer, hope):
        """Sends until an answer comes: the machine may not listen yet. None when there is no hope,
        a progress.Progress, any more."""
        while not hope.complaint():
            self.send(frame)
            again = time.monotonic() + ATTEMPT_SECONDS
            while (left := again - time.monotonic()) > 0:
                self._socket.settimeout(left)
                try:
                    received = self._socket.recv(4096)
                except OSError:
                    break
                if is_answer(received):
                    return received
        return None

    def resolve(self, target, hope):
        """The MAC address that the host behind the card has for an IP address, or None."""
        request = struct.pack(">HHBBH", 1, IPV4, 6, 4, 1) + HOST_MAC + self.address + bytes(6) \
            + target
        answer = self.ask(
            ethernet(BROADCAST, ARP, request),
            lambda frame: frame[:6] == HOST_MAC and frame[12:14] == struct.pack(">H", ARP)
            and frame[20:22] == b"\0\2" and frame[28:32] == target, hope)
        if answer:
            self.macs[target] = answer[22:28]
        return self.macs.get(target)

    def _exchange(self, target, packet, expected, hope):
        """Whether the packet is answered with that payload behind a right IP header."""
        def is_answer(frame):
            header = frame[14:34]
            length = struct.unpack(">H", header[2:4])[0] if len(frame) >= 34 else 0
            return (frame[:6] == HOST_MAC and frame[6:12] == self.macs[target]
                    and frame[12:14] == struct.pack(">H", IPV4) and checksum(header) == 0
                    and header[12:16] == target and header[16:20] == self.address
                    and expected(frame[34:14 + length]))
        return self.ask(ethernet(self.macs[target], IPV4, packet), is_answer, hope) is not None

    def pings(self, target, number, size, hope):
        payload = bytes((number + i) % 256 for i in range(size))
        wanted = struct.pack(">HH", 77, number) + payload
        return self._exchange(
            target, ip_packet(self.address, target, ICMP, ping(number, payload)),
            lambda body: body[:2] == b"\0\0" and checksum(body) == 0 and body[4:] == wanted,
            hope)

    def echoes(self, target, payload, hope):
        packet = ip_packet(self.address, target, UDP, datagram(self.address, target, payload))
        pseudo = target + self.address + struct.pack(">BBH", 0, UDP, 8 + len(payload))
        return self._exchange(
            target, packet,
            lambda body: body[:4] == struct.pack(">HH", ECHO_PORT, 5000) and body[8:] == payload
            and checksum(pseudo + body) == 0, hope)
