# SPDX-License-Identifier: BSD-2-Clause
"""Every rule of a system description: what the composer accepts, what it refuses and where."""

import unittest

from composing import MR, VM, Composer, Problems, boards, channel, cli, pd
from compose import check, files, layout  # isort: skip
from compose.reader import Reader  # isort: skip
from compose.resolve import resolve  # isort: skip
from compose.tree import read_tree  # isort: skip

from nacre.pack import programs


def granted(inside, grant="grant 1 class=0106", pp="true", symbol="settings_vaddr", **pci):
    """A driver with a device of the PCI component's."""
    return ('<memory_region name="m" size="0x1000" phys_addr="0x1000"/>'
            f'<memory_region name="grants" prefill_text="{grant}"/>'
            + pd("pci", f'<map mr="grants" vaddr="0x500000" setvar_vaddr="{symbol}"/>',
                 priority="2", **pci) + pd("driver", inside)
            + f'<channel><end pd="driver" id="1" pp="{pp}"/><end pd="pci" id="1"/></channel>')


def io_space(inside="", name="d", device="0:4.0", domain="1"):
    return (f'<io_address_space name="{name}" peripheral_id="{device}" domain_id="{domain}">'
            f"{inside}</io_address_space>")


def time_domains(names='<domain name="x"/>', entries='<schedule_entry domain="x" '
                 'duration="10 us"/>', attributes=""):
    return (f"<domains>{names}<domain_schedule {attributes}>{entries}</domain_schedule>"
            "</domains>")


ACCEPTED = [
    pd(),
    pd(inside='<irq id="1" pcidev="1:2.3" handle="0" vector="0"/>'),
    pd(passive="true", inside='<irq id="1" pin="2" vector="107" trigger="edge"/>'),
    pd(inside=VM, priority="1") + pd("b", priority="2", passive="true")
    + channel('pd="a" id="0" pp="true" notify="false"', 'pd="b" id="0"'),
    '<memory_region name="m" size="0x1000" phys_addr="0x1000"/>'
    + pd(inside='<setvar symbol="value" region_paddr="m"/>'),
    '<memory_region name="m" prefill_path="text"/>' + pd(inside='<map mr="m" vaddr="0x400000"/>'),
    '<memory_region name="m" prefill_path="text" page_size="0x200000"/>' + pd(),
    '<memory_region name="m" prefill_path="text" size="0x3000"/>' + pd(),
    '<memory_region name="m" prefill_text="some text"/>'
    + pd(inside='<map mr="m" vaddr="0x400000" setvar_prefill_size="value"/>'),
    '<memory_region name="m" prefill_bootinfo="x86_tsc_freq"/>' + pd(),
    '<memory_region name="m" prefill_bootinfo="nacre_start"/>' + pd(),
    '<memory_region name="m" size="0x10_00"/>' + pd(),
    # One pin of two I/O APICs, messages of two functions and two of one function.
    pd(inside='<irq id="0" pin="2" vector="1"/><irq id="1" pin="2" ioapic="1" vector="2"/>'
       '<irq id="2" pcidev="0:1.0" handle="0" vector="3"/>'
       '<irq id="3" pcidev="0:1.1" handle="0" vector="4"/>'
       '<irq id="4" pcidev="0:1.0" handle="1" vector="5"/>'),
    pd(inside='<ioport id="0" addr="0x3f8" size="8"/>'),
    pd(inside='<ioport id="0" addr="0x_3f8" size="0x8"/>'),
    '<memory_region name="m" size="+4096"/>' + pd(),
    # Nesting to any depth, ids of siblings only need to differ, the parent learns the id.
    pd(inside=pd("b", pd("c", id="1"), id="1", setvar_id="value") + pd("d", id="61")),
    # Several capabilities, of itself too.
    pd(inside='<cspace><cap_tcb pd="a" slot="1"/><cap_sc pd="b" slot="63"/>'
              '<cap_vspace pd="b" slot="2"/></cspace>') + pd("b"),
    pd(inside="<cspace/>"),
    # Devices: write-only, the same address in two spaces, the same region for two devices.
    granted('<dma mr="m" perms="w"/>'),
    granted('<dma mr="grants" iovaddr="0x7ffffff000"/>'
            '<irq id="9" device="0" handle="1" vector="3"/>'),
    '<memory_region name="m" size="0x200000" page_size="0x200000"/>'
    + io_space('<iomap mr="m" iovaddr="0x200000"/>') + pd(),
    MR + io_space('<iomap mr="m" iovaddr="0x7ffffff000" perms="w"/>')
    + io_space('<iomap mr="m" iovaddr="0x7ffffff000" perms="r"/>', "e", "0:5.0", "2") + pd(),
    # Time domains: ids given and not given, end markers, both units.
    time_domains('<domain name="x" id="1"/><domain name="y"/>',
                 '<schedule_entry domain="x" duration="0x10 us"/><schedule_end_marker/>'
                 '<schedule_entry domain="y" duration="5 ticks"/>',
                 'start_index="2" index_shift="3"')
    + pd(domain="x") + pd("b", pd("c", domain="y", id="0"), domain="y"),
    # All cores follow one schedule, so the components of a domain may be on any.
    "".join((time_domains('<domain name="x"/><domain name="y"/>'), pd(domain="x", cpu="1"),
             pd("b", domain="y", cpu="1"), pd("c", domain="y", cpu="2"))),
    "".join((time_domains("".join(f'<domain name="x{i}"/>' for i in range(16)),
                          '<schedule_entry domain="x3" duration="1 us"/>'), pd(domain="x15"))),
    # Nacre's own: what follows a fault.
    pd(on_fault="stop"), pd(on_fault="restart"),
    pd(on_fault="restart", restart_limit="3", restart_backoff="0"),
    # A number of arbitrary attributes on the root element and text deeper down go unnoticed.
    pd(inside='<map mr="m" vaddr="0x400000">text</map>') + MR,
    MR + pd(inside='<map mr="m" vaddr="0x400000" perms="rrx"/><map mr="m" vaddr="0x401000" '
                   'perms=""/>'),
    '<memory_region name="m" prefill_bootinfo="x86_mbmap"/>'
    '<memory_region name="n" prefill_bootinfo="x86_mbmmap"/>' + pd(),
    "<!-- comment -->" + pd(),
]

REFUSED = [
    ("", "no <protection_domain>"),
    ("text" + pd(), "text directly under <system>"),
    ("<nonsense/>" + pd(), "unknown element <nonsense>"),
    (VM + pd(), "unknown element <vcpu> under <virtual_machine>; directly under <system>"),
    ('<memory_region name="m" size="0x200_000sd"/>' + pd(), "must be a number"),
    ('<memory_region name="m" size="0x1000" page_size="0x200001"/>' + pd(), "page_size must be"),
    ('<memory_region name="m" size="0x1001"/>' + pd(), "multiple of 4 KiB"),
    ('<memory_region name="m" size="0"/>' + pd(), "not 0"),
    ('<memory_region name="m" size="0x1000" phys_addr="0x10"/>' + pd(), "phys_addr must be"),
    ('<memory_region name="m" size="0x1000" phys_addr="screens"/>' + pd(), "phys_addr='screens'"),
    ('<memory_region name="m" size="0x1000" phys_addr="screen" prefill_text="a"/>' + pd(),
     "phys_addr='screen' and prefill_text exclude each other"),
    ('<memory_region name="m" size="0x1000" phys_addr="screen"/>'
     + pd(inside='<setvar symbol="value" region_paddr="m"/>'), "has no phys_addr"),
    ('<memory_region name="m"/>' + pd(), "needs a size or a prefill"),
    ('<memory_region size="0x1000"/>' + pd(), "needs the attribute 'name'"),
    ('<memory_region name="m" size="0x1000" colour="red"/>' + pd(), "unknown attribute 'colour'"),
    (MR + MR + pd(), "second <memory_region> named 'm'"),
    ('<memory_region name="m" size="0x2000" phys_addr="0x1000"/>'
     '<memory_region name="n" size="0x1000" phys_addr="0x2000"/>' + pd(), "overlaps 'm'"),
    ('<memory_region name="m" prefill_path="missing"/>' + pd(), "file 'missing' not found"),
    ('<memory_region name="m" prefill_path="empty"/>' + pd(), "is empty"),
    ('<memory_region name="m" prefill_path="text" prefill_bootinfo="fdt"/>' + pd(), "exclude"),
    ('<memory_region name="m" prefill_path="text" prefill_text="x"/>' + pd(),
     "prefill_path and prefill_text exclude each other"),
    ('<memory_region name="m" prefill_text=""/>' + pd(), "prefill_text is empty"),
    (f'<memory_region name="m" prefill_text="{"x" * 5000}" size="0x1000"/>' + pd(),
     "prefill_text has 5000 bytes, 'm' only 4 KiB"),
    ('<memory_region name="m" prefill_bootinfo="x"/>' + pd(), "must be one of"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_prefill_size="value"/>'),
     "has no prefill_path"),
    ('<protection_domain name="a"/>', 'needs program="..." or a <program_image'),
    (pd(inside='<program_image path="a.elf"/>'), "second <program_image>"),
    (pd(image_path="missing.elf"), "program 'missing.elf' not found"),
    (pd(image_path="text"), "is not an ELF file"),
    (pd(image_path="bare.elf"), "has no symbol 'microkit_name'"),
    (pd(inside='<map mr="m" vaddr="0x400000"/>'), "no <memory_region> is named 'm'"),
    (MR + pd(inside='<map mr="m" vaddr="0x400010"/>'), "must be a multiple of the page size"),
    (MR + pd(inside='<map mr="m" vaddr="0x7ffffffff000"/>'), "the limit is"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000"/>\n<map mr="m" vaddr="0x400000"/>'),
     ":3:1: 'm' is mapped at 0x400000..0x401000 already, at line 2"),
    (MR + pd(inside='<map mr="m" vaddr="0x200000"/>'), "overlaps the program"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" perms="w"/>'), "must be made of r, w and x"),
    (pd(budget="100", period="50"), "budget must not be above period"),
    (pd(priority="255"), "from 0 to 254"),
    (pd(cpu="64"), "cpu='64' on <protection_domain>: must be from 0 to 63"),
    (pd(cpu="-1"), "cpu='-1' on <protection_domain>: must be a number"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0" cpu="64"/></virtual_machine>'),
     "cpu='64' on <vcpu>: must be from 0 to 63"),
    (pd(inside='<irq id="1" pin="2" vector="1" cpu="64"/>'), "cpu='64' on <irq>: must be from"),
    (pd(inside='<irq id="1" pcidev="0:1.0" handle="0" vector="1" cpu="x"/>'), "cpu='x' on <irq>"),
    (pd(stack_size="0x1800"), "stack_size must be"),
    (pd(stack_size="0x100"), "from 4096"),
    (pd(fpu="maybe"), "'true' or 'false'"),
    (pd(smc="true"), "for Arm"),
    (pd() + pd(), "second <protection_domain> named 'a'"),
    (pd("monitor"), "reserved"),
    (pd("n" * 64), "1 to 63 bytes"),
    ("".join(pd(f"p{index}") for index in range(64)), "more than 63"),
    (pd(id="3"), "unknown attribute 'id'"),
    (pd(inside=pd("child")), "needs the attribute 'id'"),
    (pd(inside=pd("child", id="62")), "from 0 to 61"),
    (pd(inside=pd("b", id="1") + pd("c", id="1")), "child id 1 of 'a'"),
    (pd(inside=pd("a", id="1")), "second <protection_domain> named 'a'"),
    (pd(inside=VM + pd("b", id="1")), "cannot have child domains"),
    (pd(inside=pd("b", id="1", setvar_id="nowhere")), "has no symbol 'nowhere'"),
    (pd(inside=pd("b", id="1", setvar_id="value") + pd("c", id="2", setvar_id="value")),
     "is set at line"),
    (pd(inside=pd("b", id="1", on_fault="restart")), "unknown attribute 'on_fault'"),
    (pd(setvar_id="value"), "unknown attribute 'setvar_id'"),
    (pd(on_fault="explode"), "one of stop, restart"),
    (pd(on_fault="restart", restart_limit="0"), "from 1 to"),
    (pd(restart_limit="3"), "restart_limit needs on_fault='restart'"),
    (pd(on_fault="stop", restart_backoff="3"), "restart_backoff needs on_fault='restart'"),
    (pd(inside='<cspace><cap_tcb pd="a" slot="0"/></cspace>'), "from 1 to 63"),
    (pd(inside='<cspace><cap_tcb pd="a" slot="64"/></cspace>'), "from 1 to 63"),
    (pd(inside='<cspace><cap_tcb pd="a" slot="1"/><cap_sc pd="a" slot="1"/></cspace>'),
     "slot 1 of 'a' is used"),
    (pd(inside='<cspace><cap_page pd="a" slot="1"/></cspace>'), "unknown element <cap_page>"),
    (pd(inside='<cspace><cap_tcb pd="b" slot="1"/></cspace>'), "is named 'b'"),
    (pd(inside='<cspace><cap_tcb slot="1"/></cspace>'), "needs the attribute 'pd'"),
    (pd(inside='<cspace><cap_tcb pd="a"/></cspace>'), "needs the attribute 'slot'"),
    (pd(inside='<cspace x="1"/>'), "unknown attribute 'x'"),
    (pd(inside="<cspace/><cspace/>"), "second <cspace>"),
    (pd(inside="<memory_region/>"), "unknown element <memory_region> under"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000"/><virtual_machine name="v"><vcpu id="0"/>'
                    '<map mr="m" vaddr="0"/><map mr="m" vaddr="0"/></virtual_machine>'),
     "'m' is mapped at 0x0..0x1000 already"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><map mr="m" vaddr="0"/>'
               "</virtual_machine>"), "no <memory_region> is named 'm'"),
    (MR + pd(inside='<virtual_machine name="v"><vcpu id="0"/><map mr="m" vaddr="0" '
                    'setvar_vaddr="value"/></virtual_machine>'),
     "unknown attribute 'setvar_vaddr'"),
    (pd(inside='<virtual_machine name="v"><vcpu/></virtual_machine>'), "needs the attribute 'id'"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0" setvar_id="nowhere"/></virtual_machine>'),
     "has no symbol 'nowhere'"),
    (pd(inside='<virtual_machine><vcpu id="0"/></virtual_machine>'), "needs the attribute 'name'"),
    (io_space() + io_space(name="d", device="0:5.0", domain="2") + pd(),
     "second <io_address_space> named 'd'"),
    (io_space() + io_space(name="e", domain="2") + pd(), "peripheral_id 0:4.0 is used"),
    (io_space() + io_space(name="e", device="0:5.0") + pd(), "domain_id 1 is used"),
    (io_space(device="0:20.0") + pd(), "bus:device.function"),
    (io_space(device="0:1.8") + pd(), "bus:device.function"),
    (io_space(device="x") + pd(), "bus:device.function"),
    (io_space(domain="0x10000") + pd(), "from 1 to 65535"),
    (io_space(domain="0") + pd(), "from 1 to 65535"),
    ('<io_address_space name="d" domain_id="1"/>' + pd(), "needs the attribute 'peripheral_id'"),
    (io_space("<map/>") + pd(), "unknown element <map>"),
    (io_space('<iomap mr="m" iovaddr="0"/>') + pd(), "no <memory_region> is named 'm'"),
    (MR + io_space('<iomap mr="m" iovaddr="0x8000000000"/>') + pd(), "the limit is 0x8000000000"),
    ('<memory_region name="m" size="0x2000"/>' + io_space('<iomap mr="m" iovaddr="0x7ffffff000"/>')
     + pd(), "the limit is 0x8000000000"),
    (MR + io_space('<iomap mr="m" iovaddr="0xfffffffffffff000"/>') + pd(), "the limit is"),
    (MR + io_space('<iomap mr="m" iovaddr="0x10"/>') + pd(),
     "must be a multiple of the page size, 4 KiB"),
    (MR + io_space('<iomap mr="m" iovaddr="0" perms="rx"/>') + pd(), "must be r, w or rw"),
    (MR + io_space('<iomap mr="m" iovaddr="0" perms=""/>') + pd(), "must be r, w or rw"),
    (MR + io_space('<iomap mr="m" iovaddr="0"/><iomap mr="m" iovaddr="0"/>') + pd(),
     "'m' is mapped at 0x0..0x1000 already"),
    ('<memory_region name="m" size="0x200000" page_size="0x200000"/>'
     + io_space('<iomap mr="m" iovaddr="0x1000"/>') + pd(), "of the page size, 2 MiB"),
    (granted('<dma mr="grants" iovaddr="0x10"/>'), "of the page size, 4 KiB"),
    (granted('<dma mr="m" iovaddr="0x8000000000"/>'), "the limit is 0x8000000000"),
    (granted('<dma mr="m"/><irq id="9" device="1" handle="0" vector="3"/>'),
     "no <dma> of 'driver' has device='1'"),
    (granted('<dma mr="m"/><irq id="9" device="0" vector="3"/>'), "needs the attribute 'handle'"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><passthrough device="0" vaddr="0"/>'
               '</virtual_machine>'), "no <dma> of 'a' has device='0'"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><passthrough device="0" vaddr="0x1000"/>'
               '</virtual_machine>'), "vaddr 0x1000 on <passthrough> must be a multiple of 64 MiB"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/>'
               '<passthrough device="0" vaddr="0x7ffffc000000"/></virtual_machine>'),
     "the limit is 0x"),
    (MR + pd(inside='<map mr="m" vaddr="0x13fff000"/><virtual_machine name="v"><vcpu id="0"/>'
                    '<passthrough device="0" vaddr="0x1000_0000"/></virtual_machine>'),
     "are not free in the guest and its monitor"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><passthrough device="0" vaddr="0"/>'
               '<passthrough device="1" vaddr="0"/></virtual_machine>'),
     "are not free in the guest and its monitor"),
    (granted('<dma mr="m"/><virtual_machine name="v"><vcpu id="0"/>'
             '<passthrough device="0" vaddr="0x1000_0000"/></virtual_machine>',
             grant="grant 1 class=0106 bar5=0xd0000000 msi=3"),
     "stays where it is: its grant has bar5=0xd0000000"),
    (granted('<dma mr="m" perms="x"/>'), "perms='x' on <dma>: must be r, w or rw"),
    (granted('<dma mr="x"/>'), "no <memory_region> is named 'x'"),
    (granted("<dma/>"), "<dma> needs the attribute 'mr'"),
    (granted('<dma mr="m"/><dma mr="m"/>'), "'m' is mapped at 0x1000..0x2000 already, at line"),
    (granted('<dma mr="grants"/>'), "'grants' has no phys_addr, by which its driver tells"),
    (granted('<dma mr="m" device="64"/>'), "device='64' on <dma>: must be from 0 to 63"),
    (granted('<dma mr="m" device="1"/>'),
     "'driver' has no device 1: the settings of 'pci' have 1 `grant 1`"),
    (granted('<dma mr="m"/>', grant="grant 2 class=0106"),
     "'driver' has no device 0: the settings of 'pci' have 0 `grant 1`"),
    (granted('<dma mr="m" pci="bus"/>'), "no <protection_domain> is named 'bus', which is to"),
    (granted('<dma mr="m" pci="driver"/>'), "'driver' does not call 'driver': no <channel>"),
    (granted('<dma mr="m"/>', pp="false"), "'driver' does not call 'pci': no <channel>"),
    (granted('<dma mr="m"/>', symbol="value"), "'pci' has no settings: no <map> of it has"),
    (granted('<dma mr="m"/>', cpu="1"), "'pci' must be on core 0"),
    (time_domains() * 2 + pd(domain="x"), "second <domains>"),
    (pd(domain="x") + time_domains(), "must come before"),
    (time_domains() + pd(), "needs domain="),
    (time_domains() + pd(domain="y"), "no <domain> is named 'y'"),
    (time_domains() + pd(inside=pd("b", id="1"), domain="x"), "needs domain="),
    (pd(domain="x"), "needs a <domains> element"),
    (time_domains('<domain name="x"/><domain name="x"/>') + pd(domain="x"), "second <domain>"),
    (time_domains('<domain name="x" id="16"/>') + pd(domain="x"), "from 0 to 15"),
    (time_domains('<domain name="x" id="1"/><domain name="y" id="1"/>') + pd(domain="x"),
     "domain id 1 is used"),
    (time_domains("".join(f'<domain name="x{i}"/>' for i in range(17)),
                  '<schedule_entry domain="x3" duration="1 us"/>') + pd(domain="x1"),
     "more than 16 domains"),
    ('<domains><domain name="x"/></domains>' + pd(domain="x"), "0 <domain_schedule>"),
    ("<domains><domain_schedule/></domains>" + pd(), "at least one <domain>"),
    (time_domains(entries="") + pd(domain="x"), "has no <schedule_entry>"),
    (time_domains(entries="<schedule_end_marker/>") + pd(domain="x"), "is an end marker"),
    ('<domains x="1"/>' + pd(), "unknown attribute 'x'"),
    (time_domains(attributes='start_index="1"') + pd(domain="x"), "start_index 1: must be below"),
    (time_domains(attributes='start_index="x"') + pd(domain="x"), "must be a number"),
    (time_domains(attributes='index_shift="99"') + pd(domain="x"), "index_shift 99"),
    (time_domains(attributes='index_shift="-1"') + pd(domain="x"), "must be a number"),
    (time_domains(entries='<schedule_entry domain="x" duration="1 us"/>' * 100) + pd(domain="x"),
     "100 schedule entries"),
    (time_domains(entries='<schedule_end_marker/>') + pd(domain="x"), "is an end marker"),
    (time_domains(entries='<schedule_entry domain="x" duration="1 ms"/>') + pd(domain="x"),
     "the unit us or ticks"),
    (time_domains(entries='<schedule_entry domain="x" duration="0 us"/>') + pd(domain="x"),
     "above 0"),
    (time_domains(entries='<schedule_entry domain="x" duration="1us"/>') + pd(domain="x"),
     "one blank"),
    (time_domains(entries='<schedule_entry domain="z" duration="1 us"/>') + pd(domain="x"),
     "no <domain> is named 'z'"),
    (time_domains(entries='<schedule_end_marker x="1"/>') + pd(domain="x"),
     "unknown attribute 'x'"),
    (time_domains(entries='<nap/>') + pd(domain="x"), "unknown element <nap>"),
    (pd(budget="19"), "from 20 to"),
    (pd(period="19"), "from 20 to"),
    (pd(period="500"), "budget must not be above period"),
    ('<memory_region name="m" size="0x1000" phys_addr="0x7ffffffff000"/>'
     '<memory_region name="n" size="0x1000" phys_addr="0x800000000000"/>' + pd(),
     "physical memory ends"),
    (MR + pd(inside='<map mr="m" vaddr="0xfffffffffffff000"/>'), "the limit is"),
    (MR + pd(inside='<map mr="m"/>'), "needs the attribute 'vaddr'"),
    (MR + pd(inside='<map vaddr="0x400000"/>'), "needs the attribute 'mr'"),
    (MR + '<memory_region name="n" size="0x200000"/>'
     + pd(inside='<map mr="n" vaddr="0x400000"/><map mr="m" vaddr="0x500000"/>'), "overlaps 'n'"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" perms="rq"/>'), "must be made of r, w and x"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" cached="no"/>'), "'true' or 'false'"),
    ('<memory_region name="m" prefill_path="text" size="0x1000" page_size="0x200000"/>' + pd(),
     "multiple of 2 MiB"),
    ('<memory_region name="m" size="0x1000" prefill_path="long"/>' + pd(), "only 4 KiB"),
    ('<memory_region name="m" size="0x10000000000000000"/>' + pd(), "from 0 to"),
    (f'<memory_region name="m" size="{"9" * 5000}"/>' + pd(), "from 0 to"),
    (f'<memory_region name="m" size="{"0" * 5000}17"/>' + pd(), "17 bytes; must be a multiple"),
    ('<protection_domain><program_image path="a.elf"/></protection_domain>',
     "needs the attribute 'name'"),
    (pd(colour="red"), "unknown attribute 'colour'"),
    ('<protection_domain name="a"><program_image/></protection_domain>',
     "needs the attribute 'path'"),
    ('<protection_domain name="a"><program_image path="a.elf" x="1"/></protection_domain>',
     "unknown attribute 'x'"),
    (pd(inside='<irq pin="1" vector="1"/>'), "needs the attribute 'id'"),
    (pd(inside='<irq id="1" pin="-1" vector="1"/>'), "must be a number"),
    (pd(inside='<irq id="1" pin="1" ioapic="-1" vector="1"/>'), "must be a number"),
    (pd(inside='<irq id="1" pin="1" vector="1" polarity="up"/>'), "one of high, low"),
    (pd(inside='<irq id="1" pin="1" vector="-1"/>'), "must be a number"),
    (pd(inside='<irq id="1" pin="1"/>'), "needs the attribute 'vector'"),
    (pd(inside='<irq id="1" pcidev="0:20.0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pcidev="0:0.8" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pcidev="-1:0.0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pcidev="0:0.0" handle="-1" vector="1"/>'), "must be a number"),
    (pd(inside='<irq id="1" pcidev="0:0.0" vector="1"/>'), "needs the attribute 'handle'"),
    (pd(inside='<ioport id="0" addr="0x60" size="-1"/>'), "must be a number"),
    (pd(inside='<ioport id="62" addr="0x60" size="1"/>'), "from 0 to 61"),
    (pd(inside='<ioport id="0" addr="0x60" size="4"/>')
     + pd("b", inside='<ioport id="0" addr="0x63" size="1"/>'), "I/O ports overlap"),
    (pd(inside='<ioport id="0" addr="0x60" size="9"/>')
     + pd("b", inside='\n<ioport id="0" addr="0x61" size="1"/>'
          '\n<ioport id="1" addr="0x68" size="1"/>'),
     ":4:1: I/O ports overlap those of the <ioport> at line 2"),
    (pd(inside='<setvar symbol="value"/>'), "needs the attribute 'region_paddr'"),
    (pd(inside='<setvar region_paddr="m"/>'), "needs the attribute 'symbol'"),
    (pd(inside='<setvar symbol="value" value="many"/>'), "value='many' on <setvar>"),
    (MR + pd(inside='<setvar symbol="value" value="1" region_paddr="m"/>'), "not both"),
    (pd(inside='<setvar symbol="value" value="1"/><setvar symbol="value" value="2"/>'),
     "symbol 'value' is set"),
    (pd() + pd("b") + channel('pd="a"', 'pd="b" id="0"'), "needs the attribute 'id'"),
    (pd() + pd("b") + channel('pd="a" id="-1"', 'pd="b" id="0"'), "must be a number"),
    (pd() + pd("b") + '<channel x="1"><end pd="a" id="0"/><end pd="b" id="0"/></channel>',
     "unknown attribute 'x'"),
    (pd() + pd("b") + '<channel>' + '<end pd="a" id="0"/>' * 3 + '</channel>', "exactly two"),
    (pd() + pd("b") + channel('pd="a" id="0" pp="yes"', 'pd="b" id="0"'), "'true' or 'false'"),
    (pd() + pd("b") + channel('pd="a" id="0" notify="1"', 'pd="b" id="0"'), "'true' or 'false'"),
    (pd(inside='<irq id="0" pin="1" vector="1"/>') + pd("b")
     + channel('pd="b" id="0"', 'pd="a" id="0"'), "id 0 of 'a' is used"),
    (pd(inside='<irq id="62" pin="1" vector="1"/>'), "from 0 to 61"),
    (pd(inside='<irq id="-1" pin="1" vector="1"/>'), "must be a number"),
    (pd(inside='<irq id="0" pin="2" vector="43" trigger="edge"/>'
        '<irq id="1" pin="2" vector="44"/>'), "I/O APIC 0 pin 2 is used at line"),
    (pd(inside='<irq id="0" pin="2" vector="43"/>')
     + pd("b", inside='<irq id="0" pin="0x2" ioapic="0" vector="44"/>'), "pin 2 is used"),
    (pd(inside='<irq id="0" pcidev="0:1f.2" handle="1" vector="43"/>')
     + pd("b", inside='<irq id="0" pcidev="00:1F.2" handle="0x1" vector="44"/>'),
     "MSI of 0:1f.2, handle 1 is used"),
    (pd(inside='<irq irq="5" id="1"/>'), "Arm form"),
    (pd(inside='<irq id="1" vector="1"/>'), "needs pin="),
    (pd(inside='<irq id="1" pin="1" vector="1" trigger="up"/>'), "must be one of level, edge"),
    (pd(inside='<irq id="1" pin="1" vector="108"/>'), "from 0 to 107"),
    (pd(inside='<irq id="1" pcidev="100:0.0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pcidev="0:0:0" handle="0" vector="1"/>'), "bus:device.function"),
    (pd(inside='<irq id="1" pin="1" vector="1"/><irq id="2" pin="2" vector="1"/>'), "vector 1"),
    (pd(inside='<irq id="1" pin="1" vector="1"/><irq id="1" pin="2" vector="2"/>'), "id 1 of"),
    (pd(inside='<ioport id="0" addr="0x60" size="0"/>'), "from 1"),
    (pd(inside='<ioport id="0" addr="0xffff" size="2"/>'), "passes the last I/O port"),
    (pd(inside='<ioport id="0" addr="0x60" size="4"/><ioport id="1" addr="0x62" size="1"/>'),
     "I/O ports overlap"),
    (pd(inside='<ioport id="0" addr="0x60" size="1"/><ioport id="0" addr="0x62" size="1"/>'),
     "ioport id 0 of 'a' is used"),
    (pd(inside='<setvar symbol="value" region_paddr="m"/>'), "no <memory_region> is named 'm'"),
    (MR + pd(inside='<setvar symbol="value" region_paddr="m"/>'), "has no phys_addr"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="value" setvar_size="value"/>'),
     "is set at line"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="nowhere"/>'),
     "has no symbol 'nowhere'"),
    (MR + pd(inside='<map mr="m" vaddr="0x400000" setvar_vaddr="small"/>'), "must have 8"),
    (pd() + channel('pd="a" id="0"', 'pd="b" id="0"'), "no <protection_domain> is named 'b'"),
    (pd() + '<channel><end pd="a" id="0"/></channel>', "exactly two"),
    (pd() + '<channel><middle/></channel>', "unknown element <middle>"),
    (pd() + pd("b") + channel('pd="a" id="62"', 'pd="b" id="0"'), "from 0 to 61"),
    (pd() + pd("b") + channel('pd="a" id="0" pp="true"', 'pd="b" id="0" pp="true"'), "both ends"),
    (pd() + pd("b") + channel('pd="a" id="0" pp="true"', 'pd="b" id="0"'), "must be higher"),
    (pd() + pd("b") + channel('pd="a" id="0"', 'pd="b" id="0"') * 2, "id 0 of 'a'"),
    (pd(inside=VM, priority="2") + pd("b", priority="1")
     + channel('pd="a" id="0"', 'pd="b" id="0" pp="true"'), "cannot be called"),
    (pd(inside='<virtual_machine name="v"/>'), "0 <vcpu>"),
    (pd(inside='<virtual_machine name="v"><vcpu id="0"/><vcpu id="1"/></virtual_machine>'),
     "2 <vcpu>"),
    (pd(inside='<virtual_machine name="v"><vcpu id="62"/></virtual_machine>'), "from 0 to 61"),
    (pd(inside='<virtual_machine name="v" priority="1"><vcpu id="0"/></virtual_machine>'),
     "unknown attribute 'priority'"),
    (pd(inside=VM) + pd("b", inside=VM), "second <virtual_machine> named 'v'"),
    (pd(inside=VM + VM.replace("v\"", "w\"", 1)), "second <virtual_machine>"),
]


# Descriptions with one mistake, which makes more than one thing wrong.
ONE_MISTAKE = [
    pd().replace('path="a.elf"', ""),
    pd().replace("program_image", "program_imag"),
    pd(priority="300") + pd("b", priority="200") + channel('pd="b" id="0" pp="true"',
                                                         'pd="a" id="0"'),
    pd(inside='<irq id="x" pin="1" vector="1"/><irq id="0" pin="2" vector="2"/>'),
    pd(inside='<irq id="1" pin="1" vector="y"/><irq id="0" pin="2" vector="0"/>'),
    pd(inside='<ioport id="0" addr="z" size="8"/><ioport id="1" addr="4" size="8"/>'),
    pd(inside='<map mr="m" vaddr="q"/><map mr="m" vaddr="0x400000"/>') + MR,
    pd(inside='<map vaddr="0x400000"/>'),
    pd(inside='<map mr="m" vaddr="0x400000"/><map mr="n" vaddr="0x401000"/>') + MR.replace(
        "memory_region", "memory_regio") + MR.replace('"m"', '"n"'),
    pd() + channel('pd="a" id="0"', 'pd="b" id="0"') + pd("b").replace(
        "protection_domain", "protection_domian"),
    pd().replace("protection_domain", "protection_domian"),
    pd() + "<channel><end pd=\"a\" id=\"0\"/><edn pd=\"b\" id=\"0\"/></channel>",
    pd(inside='<virtual_machine name="v"><vpcu id="0"/></virtual_machine>'),
    pd(inside='<map mr="m" vaddr="0x400000" setvar_prefill_size="value"/>')
    + '<memory_region name="m" prefill_path="none"/>',
    pd(inside='<map mr="m" vaddr="0x400000"/><map mr="n" vaddr="0x403000"/>')
    + '<memory_region name="m" size="0x1800"/>' + MR.replace('"m"', '"n"'),
    time_domains(entries='<schedule_entri domain="x" duration="1 us"/>') + pd(domain="x"),
    pd() + pd("b").replace('name="b"', "") + channel('pd="a" id="0"', 'pd="b" id="0"'),
    pd(inside='<map mr="m" vaddr="0x400000"/>') + MR.replace('name="m"', ""),
]


class Descriptions(Composer):
    """Descriptions that are right and descriptions that are not."""

    def test_accepted(self):
        for body in ACCEPTED:
            with self.subTest(body=body):
                self.accept(body)

    def test_refused(self):
        for body, words in REFUSED:
            with self.subTest(body=body):
                self.refuse(body, words)

    def test_resolving_and_checking_change_nothing_before_them(self):
        for body in [*ACCEPTED, *(body for body, _ in REFUSED)]:
            problems = Problems("test.system")
            root = read_tree(f"<system>{body}</system>".encode(), problems)
            if root is None:
                continue
            with self.subTest(body=body):
                system = Reader(problems, boards.DEFAULT_BOARD, boards.DEFAULT_CONFIG).read(root)
                contents = files.contents(system, files.SearchPath([str(self.path)]))
                read = repr(system)
                resolved = resolve(system, contents)
                self.assertEqual(repr(system), read)
                whole = repr(resolved)
                self.assertEqual(repr(resolve(system, contents)), whole)
                check.check(resolved, problems)
                self.assertEqual(repr(resolved), whole)

    def test_a_folder_is_named_once(self):
        description = self.path / "test.system"
        description.write_text(f"<system>{pd(image_path='no.elf')}</system>")
        problems = Problems("test.system")
        folders = [".", str(self.path), f"{self.path}/", "."]
        cli.compose(str(description), files.SearchPath(folders), problems)
        self.assertIn(f"'no.elf' not found in ., {self.path}", problems.texts()[0])
        self.assertTrue(problems.texts()[0].endswith(str(self.path)), problems.texts())

    def test_folders_may_have_a_name(self):
        description = self.path / "test.system"
        description.write_text(f"<system>{pd(image_path='no.elf')}</system>")
        problems = Problems("test.system")
        cli.compose(str(description), files.SearchPath([str(self.path)], "the shed"), problems)
        self.assertTrue(problems.texts()[0].endswith("'no.elf' not found in the shed"))

    def test_leaves_take_no_elements(self):
        for leaf in ('<map mr="m" vaddr="0x400000"><x/></map>', '<irq id="1" pin="2" vector="1">'
                     '<x/></irq>', '<ioport id="0" addr="1" size="1"><x/></ioport>',
                     '<setvar symbol="value" value="1"><x/></setvar>',
                     '<cspace><cap_tcb pd="a" slot="1"><x/></cap_tcb></cspace>',
                     VM.replace('"0"/>', '"0"><x/></vcpu>')):
            with self.subTest(leaf=leaf):
                self.refuse(MR + pd(inside=leaf), "unknown element <x> under <")
        for body in (MR.replace("/>", "><x/></memory_region>") + pd(),
                     pd().replace('elf"/>', 'elf"><x/></program_image>'),
                     pd() + pd("b") + channel('pd="a" id="0"', 'pd="b" id="0"').replace(
                         '"0"/>', '"0"><x/></end>', 1),
                     time_domains(entries='<schedule_entry domain="x" duration="1 us"><x/>'
                                  "</schedule_entry>") + pd(domain="x"),
                     time_domains('<domain name="x"><x/></domain>') + pd(domain="x"),
                     MR + io_space('<iomap mr="m" iovaddr="0"><x/></iomap>') + pd()):
            with self.subTest(body=body):
                self.refuse(body, "unknown element <x> under <")

    def test_one_mistake_is_one_problem(self):
        """What only follows from a problem is not printed."""
        for body in ONE_MISTAKE:
            with self.subTest(body=body):
                self.assertEqual(len(self.compose(body)[1]), 1, self.compose(body)[1])

    def test_deep_nesting_is_refused(self):
        deep = "".join(f'<protection_domain name="p{i}" id="0">\n' for i in range(5000))
        _, problems = self.compose(deep + "</protection_domain>" * 5000)
        self.assertEqual(len(problems), 1, problems)
        self.assertRegex(problems[0], r"^test\.system:71:1: .*nested too deeply")

    def test_all_problems_are_told(self):
        _, problems = self.compose(pd(priority="300", stack_size="1") + "<x/>")
        self.assertEqual(len(problems), 3)

    def test_unused_regions_are_warned_of(self):
        self.accept(MR + pd())
        self.assertEqual(len(self.warnings), 1)
        self.assertIn("'m' is mapped nowhere", self.warnings[0])

    def test_a_board_without_guests_refuses_one(self):
        _, problems = self.system(pd(inside=VM), boards.BOARDS["x86_64_generic"])
        self.assertIn("has no VT-x", problems[0])

    def test_several_cores(self):
        composed, problems = self.system(
            pd(inside='<irq id="1" pin="2" vector="1"/><irq id="2" pin="3" vector="2" cpu="0"/>'
               + pd("child", id="0"), cpu="63"))
        self.assertEqual((problems, self.warnings), ([], []))
        domains = self.table(composed.image, layout.DOMAIN)
        self.assertEqual([domain.core for domain in domains], [63, 0])
        self.assertEqual([irq.core for irq in self.table(composed.image, layout.IRQ)], [63, 0])

    def test_the_configurations_for_several_cores(self):
        smp = boards.CONFIGS["smp-debug"]
        _, problems = self.system(pd(cpu="15"), config=smp)
        self.assertEqual((problems, self.warnings), ([], []))
        _, problems = self.system(pd(cpu="16"), config=smp)
        self.assertIn("from 0 to 15", problems[0])
        _, problems = self.system(
            time_domains('<domain name="x"/>', '<schedule_entry domain="x" duration="1 us"/>')
            + pd(domain="x"), config=smp)
        self.assertIn("for one core; take --config debug", problems[0])

    def test_cores_that_are_missing(self):
        for value, needs in ((None, 0), ("core0", 0), ("refuse", 1)):
            with self.subTest(value=value):
                attribute = f' missing_cpu="{value}"' if value else ""
                composed, problems = self.system(pd(cpu="1"), attributes=attribute)
                self.assertEqual(problems, [])
                flags = self.table(composed.image, layout.DOMAIN)[0].flags
                self.assertEqual(flags & layout.DOMAIN_FLAGS.NEEDS_CORES > 0, needs)
        _, problems = self.system(pd(), attributes=' missing_cpu="wait"')
        self.assertEqual(problems, ["test.system:1:1: missing_cpu='wait' on <system>: must be one "
                                    "of core0, refuse"])

    def test_budgets_beyond_a_core_are_warned_of(self):
        half = {"budget": "500", "period": "1000"}
        self.accept(pd("a", **half) + "\n" + pd("b", **half) + "\n" + pd("turns")
                    + pd("idle", passive="true", **half) + pd("other", cpu="1", **half))
        self.assertEqual(self.warnings, [])
        self.accept(pd("a", **half) + "\n" + pd("b", **half) + "\n"
                    + pd("c", budget="25", period="1000") + pd("d", **half))
        self.assertEqual(self.warnings, ["test.system:4:1: warning: with 'c' the budgets on core 0 "
                                         "add up to 102.5 % of its time"])

    def test_document_type_is_refused(self):
        description = self.path / "test.system"
        description.write_text('<!DOCTYPE x><system/>')
        problems = Problems("test.system")
        self.assertIsNone(cli.compose(str(description), files.SearchPath([]), problems))
        self.assertIn("document type", problems.texts()[0])

    def test_root_attributes_are_ignored(self):
        description = self.path / "test.system"
        description.write_text(f'<?xml version="1.0"?><system version="9">{pd()}</system>')
        problems = Problems("test.system")
        folders = files.SearchPath([str(self.path)])
        self.assertIsNotNone(cli.compose(str(description), folders, problems))

    def test_another_root_element(self):
        description = self.path / "test.system"
        description.write_text("<house/>")
        problems = Problems("test.system")
        self.assertIsNone(cli.compose(str(description), files.SearchPath([]), problems))
        self.assertIn("must be <system>", problems.texts()[0])

    def test_an_encoding_that_is_none(self):
        description = self.path / "test.system"
        for encoding in ("foo", "shift_jis", "zlib"):
            description.write_text(f"<?xml version='1.0' encoding='{encoding}'?><system/>")
            problems = Problems("test.system")
            self.assertIsNone(cli.compose(str(description), files.SearchPath([]), problems))
            self.assertIn("as its XML declaration says", problems.texts()[0])
            self.assertIsNone(programs.elements(description, "program_image"))

    def test_malformed_xml(self):
        _, problems = self.compose("<memory_region")
        self.assertEqual(len(problems), 1)
        self.assertRegex(problems[0], r"^test\.system:3:\d+: not well-formed XML: ")

    def test_positions(self):
        _, problems = self.compose(pd() + '\n  <memory_region name="m"/>')
        self.assertTrue(problems[0].startswith("test.system:3:3: "), problems)


if __name__ == "__main__":
    unittest.main()
