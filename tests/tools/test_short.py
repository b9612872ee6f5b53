# SPDX-License-Identifier: BSD-2-Clause
"""Short elements: what they mean, what is refused and where, and that the long-hand text of a
description makes the same image."""

import random
import re
import struct
import unittest

from composing import (MR, RUNTIME_SYMBOLS, VM, Composer, Problems, boards, cli, files, make_elf,
                       pd)
from compose import layout  # isort: skip
from compose.elf import Program  # isort: skip
from compose.short.expand import IN_DOMAIN, IN_SYSTEM, expand  # isort: skip
from compose.short.guest import DEFAULT_CMDLINE, BootFiles  # isort: skip
from compose.short.text import as_xml  # isort: skip
from compose.tree import read_tree  # isort: skip

CLIENTS = [f"client{index}_{name}" for index in range(4) for name in (
    "queue_vaddr", "data_vaddr", "data_size", "data_paddr", "first", "count", "read_only")]
SETTINGS = ["settings_vaddr", "settings_size"]
PCI = ["registers_vaddr", "registers_paddr"]
# The variables of Nacre's programs and of one that has all those of a client.
SYMBOLS = {
    "serial.elf": ["screen_vaddr", *[f"console{index}_vaddr" for index in range(8)]],
    "screen.elf": ["screen_vaddr", "screen_info_vaddr", "link_vaddr", "console_vaddr"],
    "timer.elf": ["hpet_vaddr", "tsc_info_vaddr", "console_vaddr"],
    "ramdisk.elf": [*CLIENTS, "disk_vaddr", "disk_size", "console_vaddr"],
    "ata.elf": [*CLIENTS, "tsc_info_vaddr", "console_vaddr"],
    "ahci.elf": [*CLIENTS, *PCI, "dma_vaddr", "dma_size", "dma_paddr", "tsc_info_vaddr",
                 "console_vaddr"],
    "nvme.elf": [*CLIENTS, *PCI, "registers_size", "dma_vaddr", "dma_size", "dma_paddr",
                 "tsc_info_vaddr", "console_vaddr"],
    "virtio_blk.elf": [*CLIENTS, *PCI, "registers_size", "dma_vaddr", "dma_size", "dma_paddr",
                       "tsc_info_vaddr", "console_vaddr"],
    "partition.elf": [*CLIENTS, *SETTINGS, "disk_queue_vaddr", "buffer_vaddr", "buffer_size",
                      "buffer_paddr", "disk_data_paddr", "disk_data_size", "console_vaddr"],
    "pci.elf": [*SETTINGS, "memory_map_vaddr", "console_vaddr"],
    "e1000.elf": [*PCI, "rings_vaddr", "rings_paddr", "link_vaddr", "link_paddr",
                  "console_vaddr"],
    "virtio_net.elf": [*PCI, "registers_size", "rings_vaddr", "rings_size", "rings_paddr",
                       "link_vaddr", "link_paddr", "console_vaddr"],
    "vswitch.elf": [*SETTINGS, *[f"link{index}_vaddr" for index in range(1, 9)],
                    "console_vaddr"],
    "vmm.elf": [*[f"{name}{index or ''}_{end}" for index in range(4)
                  for name, end in (("queue", "vaddr"), ("data", "vaddr"), ("data", "size"))],
                "link_vaddr", "link1_vaddr",
                "guest_ram_vaddr", "guest_ram_size", "guest_kernel_vaddr", "guest_kernel_size",
                "guest_initrd_vaddr", "guest_initrd_size", "guest_cmdline_vaddr",
                "guest_cmdline_size", "tsc_info_vaddr", "console_vaddr", "peer_vaddr",
                "control_vaddr", "guest_on_reboot", "guest_on_poweroff", "guest_on_crash",
                "guest_on_watchdog", "guest_watchdog",
                "guest_restart_limit", "guest_restart_backoff",
                *[f"{name}{index or ''}_{end}" for index in range(4)
                  for name, end in (("port", "vaddr"), ("stream", "vaddr"), ("stream", "port"),
                                    ("passed", "vaddr"))]],
    "all.elf": ["console_vaddr", "tsc_info_vaddr", *SETTINGS,
                *[f"{name}{index or ''}_vaddr" for index in range(5)
                  for name in ("queue", "data", "link", "peer", "guest", "port", "stream")]],
}


def short(name="a", inside="", program="all.elf", **attributes):
    words = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return (f'<protection_domain name="{name}" program="{program}" {words}>{inside}'
            "</protection_domain>")


def guest(name="linux", inside="", memory="32M", **attributes):
    words = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return (f'<virtual_machine name="{name}" memory="{memory}" kernel="text" {words}>{inside}'
            "</virtual_machine>")


LAN = '<switch name="lan"/>'
ACCEPTED = [
    LAN + guest(inside='<disk size="1M"/><disk image="text"/><network switch="lan"/>'),
    guest(inside='<disk driver="ahci"/>') + guest("two", '<disk driver="ahci" count="8"/>'),
    short(program="a.elf"),
    short(inside="<console/>"),
    short(inside='<console id="7"/><timer id="0"/>'),
    short(inside="<timer/>"),
    "<screen/>" + short(inside="<console/>"),
    guest() + "<screen/>",
    short(inside="<tsc_info/>"),
    short(inside='<settings text="one&#10;two &quot;&lt;&amp;&#9;"/>'),
    short(inside='<settings path="text"/>'),
    short(inside='<disk image="text"/>'),
    short(inside='<disk size="1M"/><disk image="long" size="8K" read_only="true"/>'),
    short(inside='<disk driver="ata" first="8" count="8"/>')
    + short("b", '<disk driver="ata" id="9"/><console/>'),
    short(inside='<disk driver="ahci"/><disk driver="ahci"/>'),
    short(inside='<disk driver="virtio" count="8"/>'),
    short(inside='<disk driver="nvme" read_only="true"/>'),
    short(inside='<disk driver="virtio" partition="2"/>')
    + guest(inside='<disk driver="virtio" partition="label=root" read_only="true"/>'
                   '<disk driver="ata" partition="type=83"/><disk driver="ata" count="8"/>'),
    '<memory_region name="m" size="0x2000" phys_addr="0x10000000"/>'
    + short(inside='<disk driver="ahci"/><map mr="m" vaddr="0x1000000"/>'),
    short(inside='<network switch="lan"/>') + LAN
    + short("b", '<network switch="lan" mac="52:54:00:12:34:56"/><network switch="lan" '
                 'open="true" id="1"/>'),
    '<switch name="lan" card="e1000" priority="150"/>'
    + short(inside='<network switch="lan"/><disk driver="ahci"/><console/>'),
    '<switch name="lan" card="virtio"/>'
    + short(inside='<network switch="lan"/><disk driver="virtio"/><console/>'),
    guest(),
    guest(memory="33_554_432", initrd="long", cmdline="a &quot;b&quot;", priority="5", rng="true",
          budget="100", period="200", on_fault="restart", restart_limit="3", restart_backoff="1"),
    guest(inside="<console/>"),
    guest(rng="true", balloon="true"),
    guest(on_reboot="stop", on_poweroff="restart", on_crash="restart", restart_limit="3",
          restart_backoff="0"),
    guest(watchdog="true", on_watchdog="stop", restart_limit="1"),
    short(inside='<control guest="linux"/><control guest="other" id="9"/>') + guest()
    + guest("other"),
    guest(inside='<disk image="text" read_only="true"/><disk driver="virtio"/>'
                 '<disk driver="ata" first="4"/>'),
    '<switch name="lan" card="e1000"/>' + guest(inside='<network switch="lan"/>')
    + guest("other", '<network switch="lan" mac="52:54:00:12:34:56"/><network switch="lan"/>'),
    guest(inside='<peer pd="a"/>') + guest("other", '<peer pd="a"/>') + short(
        inside="<console/><timer/>"),
    guest(inside='<port pd="a"/><stream pd="a" port="5"/><port pd="b" id="9"/>'
                 '<stream pd="b" port="0xfffffffe"/><peer pd="a"/>') + short() + short("b"),
    "".join(guest(f"g{index}", '<stream pd="a" port="1"/><port pd="a"/>') for index in range(4))
    + short(),
    guest(inside='<peer pd="b" id="5"/>') + short(inside=short("b", "<console/>", id="1")),
    # Beside long-hand elements.
    MR + guest() + pd("b", '<map mr="m" vaddr="0x1000000"/>') + LAN,
    pd(inside="<console/>", image_path="all.elf") + pd("b", VM, image_path="vmm.elf"),
]
REFUSED = [
    (short(inside="\n<console/><console/>"), ":3:11: 'a' has a second <console>"),
    (short(inside="<console x='1'/>"), "unknown attribute 'x' on <console>; it takes id"),
    (short(inside="\n<console id='62'/>"), ":3:1: id='62' on <console>: must be from 0 to 61"),
    (short(inside="<console><x/></console>"), "unknown element <x> under <console>"),
    (short(inside="<timer/><timer/>"), "second <timer>"),
    ("<screen/>\n<screen/>" + short(), ":3:1: a second <screen>; one is allowed"),
    ('<screen x="1"/>' + short(), "unknown attribute 'x' on <screen>; it takes none"),
    ("<screen><x/></screen>" + short(), "unknown element <x> under <screen>"),
    ('<screen/><memory_region name="s" size="0x200000" phys_addr="screen"/>' + short(),
     "both are where the screen is"),
    (short(inside="<tsc_info/><tsc_info/>"), "second <tsc_info>"),
    (short(inside="<timer/>", priority="251"), "'a' (priority 251) calls 'timer' (priority 250)"),
    (short(inside="\n<timer/>", program="a.elf") + short("b", "<tsc_info/>", program="a.elf"),
     "has no symbol 'tsc_info_vaddr'"),
    (short(inside='\n<timer id="3"/><console id="3"/>'),
     "id 3 of 'a' is used at line 3 too (implied by <"),
    (short(inside='<irq id="1" pin="4" vector="9"/>\n<console/>'), "I/O APIC 0 pin 4 is used"),
    (short(inside="<settings/>"), "needs one of text= and path="),
    (short(inside='<settings text="a" path="text"/>'), "needs one of text= and path="),
    (short(inside='<settings text=""/>'), "prefill_text is empty (implied by <settings>)"),
    (short(inside='<settings text="a"/><settings text="b"/>'), "second <settings>"),
    (short(inside='\n<settings path="none"/>'),
     ":3:1: file 'none' not found in "),
    (short(inside="<disk/>"), "needs image=, size= or driver="),
    (short(inside='<disk size="5000"/>'), "must be a multiple of 4 KiB"),
    (short(inside='<disk size="1T"/>'), "size='1T' on <disk>: must be a number of bytes"),
    (short(inside='<disk size="M"/>'), "must be a number of bytes"),
    (short(inside='<disk size="0"/>'), "from 4 KiB to"),
    (short(inside='<disk image="long" size="4K"/>'), "'long' has 5000 bytes"),
    (short(inside='<disk driver="floppy"/>'), "one of ata, ahci, nvme, virtio"),
    (short(inside='<disk driver="ata" image="text"/>'), "image= is for a disk in memory"),
    (short(inside='<disk driver="ata"/>' * 4) + short("b", '\n<disk driver="ata"/>'),
     ":3:1: 'ata' has 4 clients"),
    (short(inside='<disk size="4K"/>' * 5), "<disk> needs the attribute 'id'"),
    (short(inside='<disk driver="ata" partition="1" count="1"/>'), "exclude each other"),
    (short(inside='<disk size="4K" partition="1"/>'), "partition= is of a disk with driver="),
    (short(inside='<disk driver="ata" partition="0"/>'), "must be a number from 1 on, label="),
    (short(inside='<disk driver="ata" partition="label=a b"/>'), "must be a number from 1 on"),
    (short(inside='<disk driver="ata" partition="1"/>' * 4)
     + short("b", '<disk driver="ata" partition="1"/>'), "'partition_ata' has 4 clients"),
    (short(inside='<disk driver="ata"/>' * 4) + short("b", '<disk driver="ata" partition="1"/>'),
     "'ata' has 4 clients"),
    (short(inside='<disk driver="ata" count="many"/>'), "count='many' on <disk>"),
    (short(inside='<network switch="lan"/>'), "no <switch> is named 'lan'"),
    (short(inside="<network/>") + LAN, "<network> needs the attribute 'switch'"),
    (LAN + short(inside='<network switch="lan" mac="1:2"/>'), "must be like"),
    (LAN + short(inside='<network switch="lan" mac="01:00:00:00:00:01"/>'), "of a group"),
    (LAN + short(inside='<network switch="lan" mac="02:00:00:00:00:01" open="true"/>'), "not both"),
    (LAN + short(inside='<network switch="lan"/>' * 5),
     "<network> needs the attribute 'id'"),
    (LAN + "".join(short(f"a{index}", '\n<network switch="lan"/>') for index in range(9)),
     ":11:1: the switch 'lan' has 8 ports"),
    (LAN + LAN + short(), "'lan' is the name of the <switch> at line 2"),
    ("<switch/>" + short(), "<switch> needs the attribute 'name'"),
    ('<switch name="lan" card="ne2000"/>' + short(), "one of e1000, virtio"),
    ('<switch name="lan" priority="256"/>' + short(), "priority='256' on <switch>"),
    ('<switch name="a"/>\n' + short(),
     "second <protection_domain> named 'a'; the first is at line 3 (implied by <switch>)"),
    (short() + '\n<switch name="a"/>',
     ":3:1: 'a' is the name of the <protection_domain> at line 2"),
    ('<switch name="timer"/>' + short(inside="\n<timer/>"),
     ":2:1: the name 'timer' is that of the <protection_domain> which <timer> at line 3 implies"),
    (MR.replace('"m"', '"hpet"') + short(inside="\n<timer/>"), "the name 'hpet' is that of"),
    (MR.replace('"m"', '"console_a"') + short(inside="\n<console/>"),
     ":2:1: the name 'console_a' is that of the <memory_region> which <console> at line 3"),
    (short(inside=short("serial", "<console/>", id="1")), "the name 'serial' is that of"),
    (short("n" * 60, "<console/>"), "must have 1 to 46 bytes"),
    (guest("n" * 60), "must have 1 to 46 bytes"),
    (guest("a&#10;b"), "no control character"),
    (guest("monitor"), "the name 'monitor' is reserved"),
    (guest(memory="32Q"), "memory='32Q' on <virtual_machine>: must be a number of bytes, or of K, "
                          "M or G, like 256M"),
    (guest(memory="8M"), "must be from 16 MiB to 3 GiB"),
    (guest(memory="4G"), "must be from 16 MiB to 3 GiB"),
    (guest(memory="33M"), "must be a multiple of 2 MiB"),
    (guest(memory="-32M"), "must be a number of bytes"),
    (guest(memory=""), "must be a number of bytes"),
    (guest().replace('memory="32M"', ""), "needs the attribute 'memory'"),
    (guest().replace('kernel="text"', ""), "needs the attribute 'kernel'"),
    (guest().replace('name="linux"', ""), "needs the attribute 'name'"),
    (guest(boot="none.img").replace('kernel="text"', ""),
     "no disk image 'none.img' was found to boot from"),
    ("\n" + guest().replace('"text"', '"none"'), ":3:1: file 'none' not found in"),
    (guest(initrd="none"), "file 'none' not found"),
    (guest(priority="300"), "priority='300' on <virtual_machine>: must be from 0 to 254"),
    (guest(rng="maybe"), "rng='maybe' on <virtual_machine>"),
    (guest(on_fault="explode"), "on_fault='explode' on <virtual_machine>"),
    (guest(on_crash="ignore"), "on_crash='ignore' on <virtual_machine>: must be one of stop, "),
    (guest(on_crash="restart", restart_limit="0"), "must be from 1 to"),
    (guest(on_crash="restart", restart_backoff="60000001"), "must be from 0 to 60000000"),
    (guest(on_crash="stop", restart_limit="3"), "restart_limit needs on_crash='restart'"),
    (guest(on_watchdog="stop", watchdog="false"), "on_watchdog needs watchdog='true'"),
    (guest(watchdog="yes"), "must be 'true' or 'false'"),
    (guest(restart_backoff="3"), "restart_backoff needs on_crash='restart'"),
    (short(inside="<control/>"), "<control> needs the attribute 'guest'"),
    (short(inside='\n<control guest="none"/>'), ":3:1: no <virtual_machine> under <system> is"),
    (guest() + short(inside='<control guest="linux"/>\n<control guest="linux"/>'),
     ":3:1: 'linux' has a second <control>"),
    ("".join(guest(f"g{index}") for index in range(5)) + short(
        inside="".join(f'<control guest="g{index}"/>' for index in range(5))),
     "<control> needs the attribute 'id'"),
    (guest(colour="red"), "unknown attribute 'colour' on <virtual_machine>; it takes name, memory"),
    (guest(inside="\n<disk image='text' id='5'/>"), ":3:1: unknown attribute 'id' on <disk>"),
    (guest(inside="<disk size='4K'/>" * 5), "a guest has 4 disks at most"),
    (LAN + guest(inside="\n<network switch='lan' open='true'/>"), "unknown attribute 'open'"),
    (LAN + guest(inside="<network switch='lan'/>" * 3), "a guest has 2 networks at most"),
    (LAN + guest(inside="\n<network switch='lan'/>", priority="210"),
     ":3:1: 'linux' (priority 210) calls 'lan' (priority 210)"),
    (guest(inside="\n<network switch='lan'/>"), ":3:1: no <switch> is named 'lan'"),
    (guest(inside="<console/><console/>"), "second <console>"),
    (guest(inside="<timer/>"), "unknown element <timer> under <virtual_machine>; directly under "
                               "<system> it takes <console>, <peer>, <stream>, <port>, <disk>, "
                               "<network>"),
    (guest(inside="\n<passthrough/>"), ":3:1: <passthrough> needs pci=, id= or class="),
    (guest(inside='\n<passthrough pci="1:2.3"/>'),
     ":3:1: pci='1:2.3' on <passthrough>: must be segment:bus:device.function"),
    (guest(inside='<passthrough pci="0001:03:00.0"/>'), "of segment 0, like 0000:03:00.0"),
    (guest(inside='<passthrough pci="0000:03:20.0"/>'), "must be segment:bus:device.function"),
    (guest(inside='<passthrough class="nvme"/>'), "must be class and subclass in hexadecimal"),
    (guest(inside='<passthrough id="8086"/>'), "must be vendor:device in hexadecimal"),
    (guest(inside='<passthrough class="0108" messages="9"/>'), "from 1 to 8"),
    (guest(inside='<passthrough class="0108"/>' * 5), "a guest has 4 <passthrough> at most"),
    (guest(inside='<passthrough class="0108"/>', priority="230"),
     "'linux' (priority 230) calls 'pci' (priority 230)"),
    (guest(inside='<passthrough pci="0000:03:00.0"/>\n<passthrough pci="0000:03:00.0"/>'),
     ":3:1: 'linux' has this device already"),
    (guest(inside='<passthrough pci="0000:03:00.0"/>')
     + guest("b", '\n<passthrough pci="0000:03:00.1" shared_group="true"/>'),
     ":3:1: 'linux' has another function of this device"),
    (MR.replace("/>", ' phys_addr="0x1000_0000"/>') + guest(
        inside='\n<passthrough class="0108"/>') + pd(
        "x", inside='<irq id="1" device="0" handle="0" vector="7"/>'),
     "no <dma> of 'x' has device='0'"),
    (guest(inside="<peer/>") + short(), "<peer> needs the attribute 'pd'"),
    (guest(inside='\n<peer pd="none"/>'), ":3:1: no <protection_domain> is named 'none'"),
    (guest(inside='<peer pd="linux"/>'), "'linux' is a <virtual_machine>"),
    (guest(inside='<peer pd="a"/><peer pd="a"/>') + short(), "second <peer>"),
    ("".join(guest(f"g{index}", '<peer pd="a"/>') for index in range(3)) + short(),
     "<peer> needs the attribute 'id'"),
    (guest(inside='<port pd="a"/>' * 5) + short(), "a guest has 4 <port> at most"),
    (guest(inside='<port pd="a"/>' * 4) + guest("b", '\n<port pd="a"/>') + short(),
     ":3:1: <port> needs the attribute 'id': 4 of 'a' have usual ones"),
    (guest(inside='<port pd="none"/>'), "no <protection_domain> is named 'none'"),
    (guest(inside='<port pd="a" port="1"/>') + short(), "unknown attribute 'port' on <port>"),
    (guest(inside='<stream pd="a"/>') + short(), "<stream> needs the attribute 'port'"),
    (guest(inside='<stream pd="a" port="0xffffffff"/>') + short(),
     "port='0xffffffff' on <stream>: must be from 1 to 4294967294"),
    (guest(inside='<stream pd="a" port="7"/>\n<stream pd="a" port="7"/>') + short(),
     ":3:1: 'linux' has a second <stream> with port 7"),
    (guest() + "\n" + guest(), ":3:1: 'linux' is the name of the <virtual_machine> at line 2"),
    (guest() + pd(inside=VM.replace('"v"', '"linux"')), "second <virtual_machine> named 'linux'"),
    ("".join(f"\n{guest(f'g{index}')}" for index in range(9)),
     ":11:1: the serial driver has 8 consoles"),
    (short(inside='<program_image path="a.elf"/>'), "program= and <program_image> exclude"),
    (short(program="none.elf"), "program 'none.elf' not found"),
    ('<swich name="lan"/>' + short(inside='<network switch="lan"/>'), "unknown element <swich>"),
    ('\n<switch name="lan" cpu="64"/>' + short(), ":3:1: cpu='64' on <switch>: must be from 0"),
    ("\n" + guest(cpu="64", inside='<disk size="4K"/>'), ":3:1: cpu='64' on <virtual_machine>"),
    ('<switch/>' + short(inside='<network switch="lan"/>'), "needs the attribute 'name'"),
    (guest(inside='<peer pd="a"/>') + short().replace("protection_domain", "protection_domian"),
     "unknown element <protection_domian>"),
    (guest(inside='<peer pd="a"/>') + short().replace('name="a"', ""),
     "needs the attribute 'name'"),
    (short(inside="<consol/>"), "unknown element <consol> under <protection_domain>; it takes "),
    ("<console/>" + short(), "unknown element <console> under <system>; it takes "),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><disk/></virtual_machine>'),
     "unknown element <disk> under <virtual_machine>; it takes <vcpu>, <map>, <passthrough>"),
]
SEVERAL = ("has no symbol",)


class Short(Composer):
    def setUp(self):
        super().setUp()
        for name, symbols in SYMBOLS.items():
            own = {"guest_name": 64} if name == "vmm.elf" else {}
            (self.path / name).write_bytes(
                make_elf({**RUNTIME_SYMBOLS, **own, **{symbol: 8 for symbol in symbols}}))

    def tree(self, body):
        problems = Problems("test.system")
        root = read_tree(f"<system>{body}</system>".encode(), problems)
        return root, problems

    def expanded(self, body):
        root, problems = self.tree(body)
        text = as_xml(expand(root, problems, {}))
        self.assertEqual(problems.texts(), [])
        return text

    def image(self, text):
        description = self.path / "again.system"
        description.write_text(text)
        problems = Problems("again.system")
        composed = cli.compose(str(description), files.SearchPath([str(self.path)]), problems)
        self.assertEqual(problems.texts(), [], text)
        return composed.image

    def contents(self, data):
        """What regions start with, by their names."""
        return {region.name.rstrip(b"\0").decode():
                data[region.data_offset:][:region.data_size]
                for region in self.table(data, layout.REGION)}


class Meaning(Short):
    def test_without_short_elements_nothing_changes(self):
        for body in (pd(), MR + pd(inside=VM), "<x/>" + pd(), ""):
            root, problems = self.tree(body)
            self.assertIs(expand(root, problems, {}), root)

    def test_the_tree_that_was_read_is_left_alone(self):
        for body in ACCEPTED:
            root, problems = self.tree(body)
            before = as_xml(root)
            expand(root, problems, {})
            self.assertEqual(as_xml(root), before)

    def test_what_is_implied_has_turns_of_10_ms(self):
        found = re.findall('<protection_domain name="([^"]*)"([^>]*)>',
                           self.expanded(guest(inside='<disk driver="ahci"/>') + pd("own")))
        self.assertLess(4, len(found))
        for name, attributes in found:
            self.assertEqual('budget="10000"' in attributes, name != "own", name)

    def test_the_long_hand_text_makes_the_same_image(self):
        for body in ACCEPTED:
            with self.subTest(body=body):
                image = self.accept(body)
                text = self.expanded(body)
                self.assertEqual(self.image(text), image)
                root, problems = self.tree(body)
                for name in (*IN_DOMAIN, "switch", "peer", "port", "stream"):
                    self.assertNotIn(f"    <{name} ", text)
                again = read_tree(text.encode(), problems)
                self.assertIs(expand(again, problems, {}), again)

    def test_a_guest(self):
        data = self.accept(guest(initrd="long", cmdline='say &quot;x&quot;', memory="64M",
                                 on_fault="restart"))
        names = [domain.name.rstrip(b"\0") for domain in self.table(data, layout.DOMAIN)]
        self.assertEqual(names, [b"linux", b"serial", b"timer"])
        self.assertEqual([guest.name.rstrip(b"\0") for guest in self.table(data, layout.GUEST)],
                         [b"linux"])
        contents = self.contents(data)
        self.assertEqual(contents["cmdline_linux"], b'say "x"')
        self.assertEqual(contents["kernel_linux"], b"text")
        sizes = {region.name.rstrip(b"\0"): (region.size, region.page_bits)
                 for region in self.table(data, layout.REGION)}
        self.assertEqual(sizes[b"ram_linux"], (64 << 20, 21))
        self.assertEqual(self.table(data, layout.DOMAIN)[0].restart_limit, 5)

    def booted(self, attributes, boot_files):
        description = self.path / "boot.system"
        description.write_text(f'<system><virtual_machine name="linux" memory="32M" {attributes}/>'
                               "</system>")
        problems = Problems("boot.system")
        composed = cli.compose(str(description), files.SearchPath([str(self.path)]), problems,
                               boot_files=boot_files)
        return composed, problems.texts()

    def test_a_disk_image_names_its_files(self):
        found = {"my.img": BootFiles(str(self.path / "text"), str(self.path / "long"), "root=x")}
        for attributes, cmdline in (('', b"root=x " + DEFAULT_CMDLINE.encode()),
                                    ('cmdline="quiet"', b"root=x quiet")):
            composed, problems = self.booted(f'boot="my.img" {attributes}', found)
            self.assertEqual(problems, [])
            contents = self.contents(composed.image)
            self.assertEqual((contents["kernel_linux"], contents["cmdline_linux"]),
                             (b"text", cmdline))
            self.assertIn("initrd_linux", contents)

    def test_a_disk_image_without_a_ram_disk(self):
        found = {"my.img": BootFiles(str(self.path / "text"), None, "root=x")}
        composed, _ = self.booted('boot="my.img"', found)
        self.assertNotIn("initrd_linux", self.contents(composed.image))
        _, problems = self.booted('boot="my.img" kernel="text"', found)
        self.assertEqual(len(problems), 1)
        self.assertIn("boot= and kernel= exclude each other", problems[0])

    def test_where_sectors_of_guests_are_moved(self):
        """Only a RAM disk has done all of a guest's requests whenever the guest runs."""
        body = guest(inside='<disk size="4K"/><disk driver="ata"/><disk driver="virtio"/>')
        data = self.accept(body)
        regions = {region.name.rstrip(b"\0").decode(): region
                   for region in self.table(data, layout.REGION)}
        self.assertEqual({name for name in regions if name.startswith("data")},
                         {"data1_linux", "data2_linux"})
        self.assertEqual([regions[name].size for name in ("data1_linux", "data2_linux")],
                         [1 << 20, 1 << 20])
        text = self.expanded(body)
        self.assertEqual(text.count('mr="ram_linux"'), 3)
        self.assertIn('mr="ram_linux" vaddr="0x10000000000" perms="rw" '
                      'setvar_vaddr="client0_data_vaddr"', " ".join(text.split()))

    def test_partitions(self):
        body = (guest(inside='<disk driver="virtio" partition="label=root"/>')
                + short(inside='<disk driver="virtio" partition="2" read_only="true"/>'))
        data = self.accept(body)
        self.assertEqual(self.contents(data)["settings_partition_virtio_blk"],
                         b"client 0 label=root\nclient 1 number=2 read-only\n")
        places = {region.name.rstrip(b"\0").decode(): (region.paddr, region.size)
                  for region in self.table(data, layout.REGION)}
        first = places["buffer_partition_virtio_blk"][0]
        self.assertEqual([places[name] for name in ("data_linux", "data_a")],
                         [(first + 0x10_0000, 0x10_0000), (first + 0x20_0000, 0x10_0000)])
        text = " ".join(self.expanded(body).split())
        for symbol in ("client0_data_size", "disk_data_size"):
            self.assertIn(f'<setvar symbol="{symbol}" value="0x300000"/>', text)
        for slot, name in enumerate(("buffer_partition_virtio_blk", "data_linux", "data_a")):
            self.assertIn(f'<map mr="{name}" vaddr="0x20000{slot}00000" perms="rw"', text)

    def test_guests_of_one_kernel_share_it(self):
        data = self.accept(guest() + guest("other"))
        names = [region.name.rstrip(b"\0") for region in self.table(data, layout.REGION)]
        self.assertIn(b"kernel_linux", names)
        self.assertNotIn(b"kernel_other", names)
        index = names.index(b"kernel_linux")
        maps = [record for record in self.table(data, layout.MAP) if record.region == index]
        self.assertEqual([record.access & layout.ACCESS.WRITE for record in maps], [0, 0])

    def test_settings_of_a_switch(self):
        data = self.accept('<switch name="lan" card="e1000"/>' + short(
            inside='<network switch="lan"/><network switch="lan" mac="52:54:00:12:34:56"/>'
                   '<network switch="lan" open="true"/>'))
        contents = self.contents(data)
        self.assertEqual(contents["settings_lan"],
                         b"port 1 open\nport 2 mac 02:00:00:00:01:02\n"
                         b"port 3 mac 52:54:00:12:34:56\nport 4 open\n")
        self.assertEqual(contents["settings_pci"], b"grant 1 id=8086:100e bar0=0xd0000000\n")

    def test_a_virtio_card(self):
        data = self.accept('<switch name="lan" card="virtio"/>' + short(
            inside='<network switch="lan"/>'))
        self.assertEqual(self.contents(data)["settings_pci"],
                         b"grant 1 id=1af4:1041 bar4=0xd0000000\n")
        sizes = {region.name.rstrip(b"\0"): region.size
                 for region in self.table(data, layout.REGION)}
        self.assertEqual(sizes[b"rings_virtio_net"], 0x2000)
        self.assertEqual(sizes[b"registers_virtio_net"], 0x4000)

    def test_fixed_addresses_are_free_ones(self):
        data = self.accept('<memory_region name="m" size="0x2000" phys_addr="0x1000_0000"/>'
                           + short(inside='<disk driver="ahci"/><map mr="m" vaddr="0x1000000"/>'))
        places = {region.name.rstrip(b"\0"): region.paddr
                  for region in self.table(data, layout.REGION)}
        self.assertEqual(places[b"dma_ahci"], 0x1010_0000)
        self.assertEqual(places[b"data_a"], 0x1020_0000)

    def test_a_device_that_a_guest_drives(self):
        body = (guest(inside='<passthrough pci="0000:0a:1f.2" messages="2"/>'
                             '<passthrough id="8086:10d3" class="0200"/>')
                + guest("b", '<passthrough class="0C03" shared_group="true" '
                             'any_interrupt="true"/>'))
        text = " ".join(self.expanded(body).split())
        for words in ('<dma mr="ram_linux" device="0" iovaddr="0x0"/>',
                      '<dma mr="ram_b" device="0" iovaddr="0x0" shared_group="true"/>',
                      '<irq id="29" device="0" handle="1" vector="33"/>',
                      '<irq id="36" device="1" handle="0" vector="34"/>',
                      '<passthrough device="1" vaddr="0xd4000000" setvar_vaddr="passed1_vaddr"/>',
                      'setvar_vaddr="passed_vaddr" any_interrupt="true"/>',
                      '<end pd="linux" id="24" pp="true" notify="false"/>'):
            self.assertIn(words, text)
        data = self.image(self.expanded(body))
        self.assertEqual(data, self.accept(body))
        self.assertEqual(self.contents(data)["settings_pci"].decode().splitlines(), [
            "grant 1 at=0a:1f.2 msi=32 messages=2",
            "grant 1 id=8086:10d3 class=0200 msi=34 messages=4",
            "grant 2 class=0c03 msi=38 messages=4"])
        self.assertIn("passed through to the guest linux, its registers at 0xd4000000 there",
                      self.system(body)[0].report)
        spaces = self.table(data, layout.IO_SPACE)
        self.assertEqual([(space.guest, space.window, space.number, space.needs_iommu)
                          for space in spaces],
                         [(0, 0xD000_0000, 0, 1), (0, 0xD400_0000, 1, 1), (1, 0xD000_0000, 0, 1)])
        self.assertEqual([space.any_interrupt for space in spaces], [0, 0, 1])
        irqs = [irq for irq in self.table(data, layout.IRQ) if irq.kind == layout.IRQ_KINDS.DEVICE]
        self.assertEqual([irq.arguments[:2] for irq in irqs][1:4], [(0, 1), (1, 0), (1, 1)])

    def test_usual_numbers(self):
        """As docs/reference/description.md states them."""
        inside = ('<console/><timer/><disk size="4K"/><disk size="4K"/><network switch="lan"/>'
                  '<network switch="lan"/>')
        data = self.accept(LAN + short(inside=inside) + guest(inside='<peer pd="a"/>'))
        names = [domain.name.rstrip(b"\0").decode() for domain in
                 self.table(data, layout.DOMAIN)]
        ends = {(names[end.peer], end.peer_id, end.id) for end in self.table(data, layout.END)
                if names[end.domain] == "a"}
        self.assertEqual(ends, {("serial", 1, 0), ("timer", 2, 1), ("linux", 2, 2),
                                ("ramdisk_a", 4, 4), ("ramdisk1_a", 4, 5), ("lan", 1, 8),
                                ("lan", 2, 9)})

    def test_components_behind_a_guest(self):
        text = " ".join(self.expanded(guest(
            inside='<port pd="a"/><stream pd="a" port="7"/><port pd="a"/><stream pd="b" port="9"/>')
            + guest("other", '<stream pd="a" port="7"/>') + short() + short("b")).split())
        for region, size, monitor, component in (
                ("port_linux", "0x5000", "port_vaddr", "port_vaddr"),
                ("port1_linux", "0x5000", "port1_vaddr", "port1_vaddr"),
                ("stream_linux", "0x9000", "stream_vaddr", "stream_vaddr"),
                ("stream1_linux", "0x9000", "stream1_vaddr", "stream_vaddr"),
                ("stream_other", "0x9000", "stream_vaddr", "stream1_vaddr")):
            self.assertIn(f'<memory_region name="{region}" size="{size}"/>', text)
            mapped = re.findall(f'mr="{region}" [^/]* setvar_vaddr="(\\w+)"', text)
            self.assertEqual(mapped, [monitor, component])
        for ends in (("linux", 20, "a", 20), ("linux", 21, "a", 21), ("linux", 12, "a", 12),
                     ("linux", 13, "b", 12), ("other", 12, "a", 13)):
            self.assertIn('<end pd="{}" id="{}"/> <end pd="{}" id="{}"/>'.format(*ends), text)
        self.assertEqual(re.findall(r'symbol="(stream\w*)" value="(\d+)"', text),
                         [("stream_port", "7"), ("stream1_port", "9"), ("stream_port", "7")])

    def test_control_of_guests(self):
        text = " ".join(self.expanded(guest() + guest("other", priority="9") + short(
            inside='<control guest="other"/><control guest="linux"/>')).split())
        for name, symbol in (("other", "guest_vaddr"), ("linux", "guest1_vaddr")):
            self.assertIn(f'<memory_region name="control_{name}" size="0x1000"/>', text)
            self.assertRegex(text, f'mr="control_{name}" [^/]* setvar_vaddr="{symbol}"')
            self.assertRegex(text, f'mr="control_{name}" [^/]* setvar_vaddr="control_vaddr"')
        self.assertIn('<end pd="a" id="16"/> <end pd="other" id="3"/>', text)
        self.assertIn('<end pd="a" id="17"/> <end pd="linux" id="3"/>', text)

    def test_policy_of_a_guest(self):
        """The restarts of the guest are the monitor's; those of the monitor need on_fault."""
        policy = {"on_reboot": "stop", "on_crash": "restart", "restart_limit": "7",
                  "restart_backoff": "20"}
        text = " ".join(self.expanded(guest(**policy)).split())
        for name, value in (("on_reboot", 0), ("on_crash", 1), ("restart_limit", 7),
                            ("restart_backoff", 20)):
            self.assertIn(f'<setvar symbol="guest_{name}" value="{value}"/>', text)
        self.assertNotIn(' restart_limit="7"', text)
        text = self.expanded(guest(on_fault="restart", **policy))
        self.assertIn(' restart_limit="7"', text)

    def test_cores(self):
        data = self.accept('<switch name="lan" cpu="3"/>' + guest(
            cpu="2", inside='<disk size="4K"/><network switch="lan"/>'))
        cores = {domain.name.rstrip(b"\0"): domain.core
                 for domain in self.table(data, layout.DOMAIN)}
        self.assertEqual(cores, {b"linux": 2, b"ramdisk_linux": 2, b"lan": 3, b"serial": 0,
                                 b"timer": 0})

    def test_the_report_says_what_implies_a_domain(self):
        composed, _ = self.system(short(inside="\n<timer/>"))
        self.assertIn("\ntimer, implied by <timer> of line 3\n", composed.report)
        self.assertIn("\na\n  program all.elf", composed.report)

    def test_drivers_print_on_consoles_that_are_left(self):
        inside = "".join(short(f"c{index}", "<console/><timer/>") for index in range(7))
        text = self.expanded(inside + LAN)
        self.assertIn('name="console_lan"', text)
        self.assertNotIn('name="console_timer"', text)

    def test_variables_of_a_client(self):
        data = self.accept(short(inside='<disk size="4K" first="1" count="3" read_only="true"/>'))
        domains = self.table(data, layout.DOMAIN)
        index = [domain.name.rstrip(b"\0") for domain in domains].index(b"ramdisk_a")
        [segment] = [one for one in self.table(data, layout.SEGMENT)
                     if one.domain == index and one.access & layout.ACCESS.WRITE]
        program = Program((self.path / "ramdisk.elf").read_bytes())
        for name, value in (("first", 1), ("count", 3), ("read_only", 1)):
            [(address, _, _)] = program.symbols[f"client0_{name}"]
            place = segment.data_offset + address - segment.vaddr
            self.assertEqual(struct.unpack_from("<Q", data, place)[0], value)


class Refusals(Short):
    def test_each_is_one_problem_at_its_line(self):
        for body, words in REFUSED:
            with self.subTest(body=body):
                self.refuse(body, words)
                problems = self.compose(body)[1]
                if not any(word in words for word in SEVERAL):
                    self.assertEqual(len(problems), 1, problems)
                for problem in problems:
                    self.assertNotIn("'?'", problem)

    def test_a_missing_file_is_named_at_the_line_of_the_short_element(self):
        self.refuse("\n\n  " + guest(initrd="none"), "test.system:4:3: file 'none' not found in")

    def test_a_board_without_guests(self):
        _, problems = self.system(guest(), boards.BOARDS["x86_64_generic"])
        self.assertEqual(len(problems), 1)
        self.assertIn("has no VT-x", problems[0])


NAMES = ("a", "b", "linux", "lan", "serial", "timer", "tsc_info", "?", "", "n" * 63, "ä&#1;")
VALUES = (*NAMES, "0", "1", "4", "61", "62", "-1", "0x10", "16M", "3G", "5G", "4K", "true", "false",
          "all.elf", "text", "none", "ata", "ahci", "nvme", "virtio", "e1000",
          "52:54:00:12:34:56", "restart",
          "9" * 5000)
ATTRIBUTES = ("name", "program", "id", "memory", "kernel", "initrd", "cmdline", "priority",
              "budget", "on_fault", "switch", "mac", "open", "card", "image", "size", "driver",
              "first", "count", "read_only", "text", "path", "pd", "port", "mr", "vaddr", "pci",
              "class", "messages")
ELEMENTS = (*IN_DOMAIN, *IN_SYSTEM, "peer", "port", "stream", "passthrough", "protection_domain",
            "memory_region", "map", "channel", "end", "program_image", "x")
# So many that a good deal of them is composed.
TREES = 1500


class Chance(Short):
    """Trees of short elements, right and wrong by chance: an image or problems, nothing else."""

    def element(self, chance, depth):
        name = chance.choice(ELEMENTS)
        attributes = {chance.choice(ATTRIBUTES): chance.choice(VALUES)
                      for _ in range(chance.randrange(4))}
        words = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        inside = "".join(self.element(chance, depth - 1)
                         for _ in range(chance.randrange(4) if depth else 0))
        return f"<{name} {words}>{inside}</{name}>".replace("&#1;", "&#9;")

    def mutated(self, chance):
        """Some right descriptions, one attribute or element of which is another one."""
        body = "".join(chance.sample(ACCEPTED, chance.randrange(1, 3)))
        if chance.random() < 0.3:
            return body
        values = body.split('"')
        if len(values) > 1:
            values[chance.randrange(len(values) // 2) * 2 + 1] = chance.choice(VALUES).replace(
                "&#1;", "&#9;")
        return '"'.join(values)

    def test_trees(self):
        chance = random.Random(12)
        made = 0
        for number in range(TREES):
            body = self.mutated(chance) if number % 2 else "".join(
                self.element(chance, 3) for _ in range(chance.randrange(1, 5)))
            with self.subTest(body=body):
                image, problems = self.compose(body)
                self.assertEqual(image is None, bool(problems))
                self.assertEqual(problems, self.compose(body)[1])
                if image:
                    made += 1
                    self.assertEqual(self.image(self.expanded(body)), image)
        self.assertGreater(made, TREES // 20)


if __name__ == "__main__":
    unittest.main()
