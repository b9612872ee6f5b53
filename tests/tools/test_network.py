# SPDX-License-Identifier: BSD-2-Clause
"""The network card of emulated machines, and the host's end of its wire."""

import os
import pathlib
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from nacre.machine import bochs, network, progress, qemu, wire  # noqa: E402
from nacre.pack import product  # noqa: E402
from nacre.report import Failure  # noqa: E402


class CommandLineTest(unittest.TestCase):
    def test_kinds(self):
        self.assertIsNone(network.parse("none"))
        self.assertEqual(network.parse("4000"), network.Network("frames", port=4000))
        user = network.parse("user", ["udp:5007:10.0.2.15:7"])
        self.assertEqual(user.forwards, (network.Forward("udp", 5007, "10.0.2.15", 7),))

    def test_what_is_wrong_is_said(self):
        for text, forwards in (("bridge", ()), ("0", ()), ("65535", ()), ("none", ["udp:1:a:2"]),
                               ("user", ["udp:1:a"]), ("user", ["icmp:1:a:2"]),
                               ("user", ["udp:x:a:2"])):
            with self.subTest(text=text, forwards=forwards), self.assertRaises(Failure):
                network.parse(text, forwards)


class MachineTest(unittest.TestCase):
    def test_no_card_unless_asked(self):
        command = qemu.prepare(qemu.Settings(port=1, kernel="k"), "/tmp")
        self.assertNotIn("-netdev", command)
        self.assertEqual(network.bochs_lines(None, "/nowhere"), "")

    def test_qemu_has_the_wire(self):
        command = qemu.prepare(qemu.Settings(port=1, kernel="k", wire=network.parse("4000")),
                               "/tmp")
        self.assertIn("udp=127.0.0.1:4001", command[command.index("-netdev") + 1])
        self.assertIn("localaddr=127.0.0.1:4000", command[command.index("-netdev") + 1])

    def test_qemu_has_the_card_that_is_asked_for(self):
        for card, device in (("e1000", "e1000,"), ("virtio", "virtio-net-pci,disable-legacy=on,")):
            setting = network.parse("user", card=card)
            command = qemu.prepare(qemu.Settings(port=1, kernel="k", wire=setting), "/tmp")
            self.assertTrue(command[command.index("-netdev") + 3].startswith(device))

    def test_bochs_has_no_virtio_card(self):
        with self.assertRaisesRegex(Failure, "take --emulator qemu, or card=\"e1000\""):
            network.bochs_lines(network.parse("user", card="virtio"), "/nowhere")

    def test_a_description_says_which_card(self):
        for text, card in (('<switch name="a" card="virtio"/>', "virtio"),
                           ('<switch name="a"/><switch name="b" card="e1000"/>', "e1000"),
                           ('<protection_domain><program_image path="virtio_net.elf"/>'
                            "</protection_domain>", "virtio"),
                           ('<passthrough class="0108"/><passthrough class="0200"/>', "e1000e"),
                           ('<switch name="a" card="x"/>', None), ("", None)):
            with self.subTest(text=text), tempfile.TemporaryDirectory() as directory:
                description = pathlib.Path(directory) / "a.system"
                description.write_text(f"<system>{text}</system>")
                self.assertEqual(product.card(description), card)

    def test_bochs_has_the_card_in_its_file(self):
        with tempfile.TemporaryDirectory() as directory:
            setting = network.parse("user", ["udp:5007:10.0.2.15:7"])
            bochs.prepare(bochs.Settings(iso="x", serial="y", wire=setting), directory)
            text = (pathlib.Path(directory) / "machine.bxrc").read_text()
            self.assertIn("e1000: enabled=1", text)
            self.assertIn("hostfwd = udp:127.0.0.1:5007-10.0.2.15:7",
                          (pathlib.Path(directory) / "network.conf").read_text())


class WireTest(unittest.TestCase):
    def test_checksum(self):
        self.assertEqual(wire.checksum(bytes.fromhex("0001f203f4f5f6f7")), 0x220d)
        self.assertEqual(wire.checksum(b"\x01"), 0xfeff)

    def test_frames_go_to_the_machine_and_come_from_it(self):
        with wire.Wire("10.0.2.99") as link, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as machine:
            machine.settimeout(5)
            machine.bind(("127.0.0.1", link.network.port))
            link.send(b"short")
            self.assertEqual(machine.recv(100), b"short".ljust(60, b"\0"))
            machine.sendto(b"answer", ("127.0.0.1", link.network.port + 1))
            hope = progress.Progress(os.getpid())
            self.assertEqual(link.ask(b"", lambda frame: frame == b"answer", hope), b"answer")

    def test_silence_ends(self):
        with wire.Wire("10.0.2.99") as link:
            # The machine's emulator stands still.
            hope = progress.Progress(os.getpid(), idle=0.1, used=lambda _: 0.0)
            self.assertIsNone(link.resolve(b"\x0a\0\0\1", hope))


if __name__ == "__main__":
    unittest.main()
