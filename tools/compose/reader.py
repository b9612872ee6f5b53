# SPDX-License-Identifier: BSD-2-Clause
"""Elements into the model: names, required attributes, and the syntax of each value."""
import re

from compose import model

_NUMBER = re.compile(r"\+?(0x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|[0-9_]*[0-9][0-9_]*)\Z")
_PCI = re.compile(r"([0-9a-fA-F]+):([0-9a-fA-F]+)\.([0-9a-fA-F]+)\Z")


class Fields:
    """The attributes of one element. Reads with problems instead of exceptions: a wrong value
    becomes a harmless one, so that checking goes on."""

    def __init__(self, element, problems, known):
        self.element = element
        self.problems = problems
        for name in element.attributes:
            if name not in known:
                problems.add(
                    element,
                    f"unknown attribute '{name}' on <{element.name}>; it takes {', '.join(known)}",
                )

    def _wrong(self, name, value, right):
        self.problems.add(
            self.element,
            f"{name}='{value}' on <{self.element.name}>: must be {right}",
        )

    def has(self, name):
        return name in self.element.attributes

    def text(self, name, default=None, required=False):
        if name in self.element.attributes:
            return self.element.attributes[name]
        if required:
            self.problems.add(self.element, f"<{self.element.name}> needs the attribute '{name}'")
            return "?"
        return default

    def number(self, name, default=None, required=False, low=0, high=2**64 - 1):
        value = self.text(name, None, required)
        if value is None or value == "?" and not self.has(name):
            return low if required else default
        if not _NUMBER.match(value):
            self._wrong(name, value, "a number like 4096, 0x1000 or 0x10_0000")
            return low
        digits = value.replace("_", "").lstrip("+")
        number = int(digits, 16 if digits.startswith("0x") else 10)
        if not low <= number <= high:
            self._wrong(name, value, f"from {low} to {high} (0x{high:x})")
            return low
        return number

    def boolean(self, name, default):
        value = self.text(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            self._wrong(name, value, "'true' or 'false'")
        return value == "true"

    def choice(self, name, default, choices):
        value = self.text(name, default)
        if value not in choices:
            self._wrong(name, value, "one of " + ", ".join(choices))
            return default
        return value

    def pci(self, name):
        value = self.text(name, required=True)
        match = _PCI.match(value)
        parts = tuple(int(part, 16) for part in match.groups()) if match else (256, 0, 0)
        if parts[0] > 0xFF or parts[1] > 0x1F or parts[2] > 7:
            self._wrong(name, value, "bus:device.function in hexadecimal, like 0:1f.2")
            return (0, 0, 0)
        return parts


class Reader:
    def __init__(self, problems):
        self.problems = problems
        self.system = model.System()

    def read(self, root):
        if root.name != "system":
            self.problems.add(root, f"the root element is <{root.name}>; must be <system>")
            return self.system
        if root.text.strip():
            self.problems.add(root, "text directly under <system>; only elements are allowed")
        readers = {
            "memory_region": self._region,
            "protection_domain": self._domain,
            "channel": self._channel,
        }
        self._children(root, readers)
        return self.system

    def _children(self, element, readers):
        for child in element.children:
            if child.name in readers:
                readers[child.name](child)
            else:
                self.problems.add(
                    child,
                    f"unknown element <{child.name}> under <{element.name}>; "
                    f"it takes {', '.join('<' + name + '>' for name in readers)}",
                )

    def _fields(self, element, *known):
        return Fields(element, self.problems, known)

    def _region(self, element):
        fields = self._fields(
            element, "name", "size", "page_size", "phys_addr", "prefill_path", "prefill_bootinfo"
        )
        page_size = fields.number("page_size")
        if page_size is not None and page_size not in (model.PAGE, model.LARGE_PAGE):
            self.problems.add(element, "page_size must be 0x1000 or 0x200000")
            page_size = model.PAGE
        bootinfo = None
        if fields.has("prefill_bootinfo"):
            bootinfo = fields.choice("prefill_bootinfo", "x86_tsc_freq", model.BOOTINFO_CHUNKS)
        self.system.regions.append(
            model.Region(
                element,
                fields.text("name", required=True),
                fields.number("size"),
                page_size,
                fields.number("phys_addr"),
                fields.text("prefill_path"),
                bootinfo,
            )
        )

    def _domain(self, element):
        fields = self._fields(
            element, "name", "priority", "budget", "period", "passive", "stack_size", "cpu", "fpu",
            "smc",
        )
        if fields.boolean("smc", False):
            self.problems.add(element, "smc='true' is for Arm; remove it")
        fields.number("cpu", 0, high=0)
        budget = fields.number("budget", 1000, low=1)
        domain = model.Domain(
            element,
            fields.text("name", required=True),
            fields.number("priority", 0, high=model.MAX_PRIORITY),
            budget,
            fields.number("period", budget, low=1),
            fields.boolean("passive", False),
            fields.number("stack_size", 0x2000, low=0x1000, high=0x1000000),
            fields.boolean("fpu", True),
        )
        self.system.domains.append(domain)
        self._children(
            element,
            {
                "program_image": lambda child: self._program(domain, child),
                "map": lambda child: self._map(domain, child),
                "irq": lambda child: self._irq(domain, child),
                "ioport": lambda child: self._port(domain, child),
                "setvar": lambda child: self._setvar(domain, child),
                "virtual_machine": lambda child: self._guest(domain, child),
            },
        )
        if domain.program is None:
            self.problems.add(element, f"'{domain.name}' needs a <program_image path=\"...\"/>")

    def _program(self, domain, element):
        fields = self._fields(element, "path", "path_for_symbols")
        if domain.program is not None:
            self.problems.add(
                element,
                f"'{domain.name}' has a second <program_image>; one is allowed",
            )
        domain.program = fields.text("path", required=True)
        domain.program_symbols = fields.text("path_for_symbols")
        domain.program_element = element

    def _variable(self, domain, element, fields, attribute, value):
        if fields.has(attribute):
            domain.variables.append(model.Variable(element, fields.text(attribute), value))

    def _read_map(self, element, *setvars):
        fields = self._fields(element, "mr", "vaddr", "perms", "cached", *setvars)
        perms = fields.text("perms", "rw")
        if set(perms) - set("rwx") or set(perms) == {"w"}:
            self.problems.add(
                element,
                f"perms='{perms}': must be made of r, w and x, and not w alone",
            )
            perms = "r"
        return fields, model.Map(
            element,
            fields.text("mr", required=True),
            fields.number("vaddr", required=True),
            perms,
            fields.boolean("cached", True),
        )

    def _map(self, domain, element):
        fields, record = self._read_map(
            element, "setvar_vaddr", "setvar_size", "setvar_prefill_size"
        )
        domain.maps.append(record)
        self._variable(domain, element, fields, "setvar_vaddr", record.address)
        self._variable(domain, element, fields, "setvar_size", lambda: record.region.size)
        if fields.has("setvar_prefill_size"):
            self._variable(
                domain, element, fields, "setvar_prefill_size", lambda: len(record.region.data)
            )
            record.needs_prefill = True

    def _irq(self, domain, element):
        if "irq" in element.attributes:
            self.problems.add(
                element,
                "'irq' is the Arm form; use pin= (I/O APIC) or pcidev= (MSI)",
            )
            return
        identity = {"required": True, "high": model.MAX_ID}
        if "pin" in element.attributes:
            fields = self._fields(
                element, "id", "pin", "ioapic", "trigger", "polarity", "vector", "setvar_id"
            )
            kind = 0
            arguments = (
                fields.number("ioapic", 0, high=0xFFFFFFFF),
                fields.number("pin", required=True, high=0xFFFFFFFF),
                int(fields.choice("trigger", "level", ("level", "edge")) == "level"),
                int(fields.choice("polarity", "high", ("high", "low")) == "low"),
            )
        elif "pcidev" in element.attributes:
            fields = self._fields(element, "id", "pcidev", "handle", "vector", "setvar_id")
            kind = 1
            arguments = fields.pci("pcidev") + (
                fields.number("handle", required=True, high=0xFFFFFFFF),
            )
        else:
            self.problems.add(element, "<irq> needs pin= (I/O APIC) or pcidev= (MSI)")
            return
        irq = model.Irq(
            element,
            fields.number("id", **identity),
            fields.number("vector", required=True, high=model.MAX_VECTOR),
            kind,
            arguments,
        )
        domain.irqs.append(irq)
        self._variable(domain, element, fields, "setvar_id", irq.id)

    def _port(self, domain, element):
        fields = self._fields(element, "id", "addr", "size", "setvar_id", "setvar_addr")
        port = model.Port(
            element,
            fields.number("id", required=True, high=model.MAX_ID),
            fields.number("addr", required=True, high=0xFFFF),
            fields.number("size", required=True, low=1, high=0x10000),
        )
        if port.address + port.size > 0x10000:
            self.problems.add(element, "the range passes the last I/O port, 0xffff")
        domain.ports.append(port)
        self._variable(domain, element, fields, "setvar_id", port.id)
        self._variable(domain, element, fields, "setvar_addr", port.address)

    def _setvar(self, domain, element):
        fields = self._fields(element, "symbol", "region_paddr")
        symbol = fields.text("symbol", required=True)
        name = fields.text("region_paddr", required=True)

        def value():
            return next(region.paddr for region in self.system.regions if region.name == name)

        domain.variables.append(model.Variable(element, symbol, value))
        element.region_paddr = name

    def _guest(self, domain, element):
        fields = self._fields(element, "name")
        if domain.guest is not None:
            self.problems.add(
                element,
                f"'{domain.name}' has a second <virtual_machine>; one is allowed",
            )
        guest = model.Guest(element, fields.text("name", required=True), 0)
        domain.guest = guest
        vcpus = []
        self._children(
            element,
            {
                "vcpu": vcpus.append,
                "map": lambda child: guest.maps.append(self._read_map(child)[1]),
            },
        )
        if len(vcpus) != 1:
            self.problems.add(
                element,
                f"'{guest.name}' has {len(vcpus)} <vcpu>; exactly one is allowed",
            )
        for vcpu in vcpus[:1]:
            fields = self._fields(vcpu, "id", "cpu", "setvar_id")
            fields.number("cpu", 0, high=0)
            guest.vcpu_id = fields.number("id", required=True, high=model.MAX_ID)
            self._variable(domain, vcpu, fields, "setvar_id", guest.vcpu_id)

    def _channel(self, element):
        self._fields(element)
        ends = []
        self._children(element, {"end": lambda child: ends.append(self._end(child))})
        if len(ends) != 2:
            self.problems.add(element, f"<channel> has {len(ends)} <end>; exactly two are needed")
            return
        self.system.channels.append(model.Channel(element, ends))

    def _end(self, element):
        fields = self._fields(element, "pd", "id", "pp", "notify", "setvar_id")
        end = model.End(
            element,
            fields.text("pd", required=True),
            fields.number("id", required=True, high=model.MAX_ID),
            fields.boolean("pp", False),
            fields.boolean("notify", True),
        )
        end.setvar_id = fields.text("setvar_id")
        return end
