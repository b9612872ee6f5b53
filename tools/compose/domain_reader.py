# SPDX-License-Identifier: BSD-2-Clause
"""Elements into the model: a protection domain with everything inside it."""
from compose import model
from compose.fields import Fields
from compose.layout import IRQ_KINDS, LIMITS
from compose.short.expand import PROGRAM

_ATTRIBUTES = (
    PROGRAM, "name", "priority", "budget", "period", "passive", "stack_size", "cpu", "fpu",
    "domain", "smc",
)
_RESTART = ("on_fault", "restart_limit", "restart_backoff")
RESTART_LIMIT = 5
RESTART_BACKOFF = 100_000


def _of_region(name, tell):
    """The value of a variable that describes a region."""
    def value(regions):
        return tell(regions[name]) if name in regions else None
    return value


class DomainReader:
    def __init__(self, system, problems, board, config, read_children):
        self.system = system
        self.problems = problems
        self.board = board
        self.config = config
        self.read_children = read_children

    def _fields(self, element, *known):
        return Fields(element, self.problems, known)

    def read(self, element):
        self._read(element, None)

    def _read(self, element, parent):
        extra = ("id", "setvar_id") if parent else _RESTART
        fields = self._fields(element, *_ATTRIBUTES, *extra)
        if fields.boolean("smc", False):
            self.problems.add(element, "smc='true' is for Arm; remove it")
        budget = fields.number("budget", 1000, low=model.MIN_BUDGET)
        domain = model.Domain(
            element,
            fields.text("name", required=True),
            fields.number("priority", 0, high=model.MAX_PRIORITY),
            budget,
            fields.number("period", budget, low=model.MIN_BUDGET),
            fields.boolean("passive", False),
            fields.number("stack_size", 0x2000, low=0x1000, high=LIMITS.MAX_STACK),
            fields.boolean("fpu", True),
            self._core(fields, 0),
            parent,
        )
        domain.time_domain_name = fields.text("domain")
        if parent:
            domain.child_id = fields.number("id", required=True, high=LIMITS.MAX_ID)
            self._variable(parent, element, fields, "setvar_id", domain.child_id)
        else:
            domain.restart = self._restart(element, fields)
        self.system.domains.append(domain)
        self._insides(domain, element)

    def _core(self, fields, default):
        return fields.number("cpu", default, high=self.config.cores - 1)

    def _restart(self, element, fields):
        restart = model.Restart(
            fields.number("restart_limit", RESTART_LIMIT, low=1, high=0xFFFFFFFF),
            fields.number("restart_backoff", RESTART_BACKOFF, high=60_000_000),
        )
        if fields.choice("on_fault", "stop", ("stop", "restart")) == "restart":
            return restart
        for name in _RESTART[1:]:
            if fields.has(name):
                self.problems.add(element, f"{name} needs on_fault='restart' beside it")
        return None

    def _insides(self, domain, element):
        known = self.read_children(
            element, self.problems,
            {
                "program_image": lambda child: self._program(domain, child),
                "map": lambda child: self._map(domain, child),
                "irq": lambda child: self._irq(domain, child),
                "ioport": lambda child: self._port(domain, child),
                "dma": lambda child: self._dma(domain, child),
                "setvar": lambda child: self._setvar(domain, child),
                "protection_domain": lambda child: self._read(child, domain),
                "virtual_machine": lambda child: self._guest(domain, child),
                "cspace": lambda child: self._cspace(domain, child),
            },
        )
        if domain.program is None and known:
            self.problems.add(element, f"'{domain.name}' needs program=\"...\" or a "
                                       "<program_image path=\"...\"/>")

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
        self._variable(
            domain, element, fields, "setvar_size",
            _of_region(record.region_name, lambda region: region.size),
        )
        if fields.has("setvar_prefill_size"):
            self._variable(
                domain, element, fields, "setvar_prefill_size",
                _of_region(record.region_name, lambda region: len(region.data)),
            )
            record.needs_prefill = True

    def _irq(self, domain, element):
        if "irq" in element.attributes:
            self.problems.add(
                element,
                "'irq' is the Arm form; use pin= (I/O APIC) or pcidev= (MSI)",
            )
            return
        if "pin" in element.attributes:
            fields = self._fields(
                element, "id", "pin", "ioapic", "trigger", "polarity", "vector", "cpu",
                "setvar_id"
            )
            kind = IRQ_KINDS.IOAPIC
            arguments = (
                fields.number("ioapic", 0, high=0xFFFFFFFF),
                fields.number("pin", required=True, high=0xFFFFFFFF),
                int(fields.choice("trigger", "level", ("level", "edge")) == "level"),
                int(fields.choice("polarity", "high", ("high", "low")) == "low"),
            )
        elif "pcidev" in element.attributes:
            fields = self._fields(element, "id", "pcidev", "handle", "vector", "cpu",
                                  "setvar_id")
            kind = IRQ_KINDS.MSI
            arguments = fields.pci("pcidev") + (
                fields.number("handle", required=True, high=0xFFFFFFFF),
            )
        elif "device" in element.attributes:
            fields = self._fields(element, "id", "device", "handle", "vector", "cpu",
                                  "setvar_id")
            kind = IRQ_KINDS.DEVICE
            arguments = (
                domain.name,
                fields.number("device", required=True, high=LIMITS.MAX_DEVICES - 1),
                fields.number("handle", required=True, high=0xFFFFFFFF),
            )
        else:
            self.problems.add(
                element, "<irq> needs pin= (I/O APIC), or pcidev= or device= (MSI)")
            return
        irq = model.Irq(
            element,
            fields.number("id", required=True, high=LIMITS.MAX_ID),
            fields.number("vector", required=True, high=model.MAX_VECTOR),
            kind,
            arguments,
            self._core(fields, None),
        )
        domain.irqs.append(irq)
        self._variable(domain, element, fields, "setvar_id", irq.id)

    def _port(self, domain, element):
        fields = self._fields(element, "id", "addr", "size", "setvar_id", "setvar_addr")
        port = model.Port(
            element,
            fields.number("id", required=True, high=LIMITS.MAX_ID),
            fields.number("addr", required=True, high=0xFFFF),
            fields.number("size", required=True, low=1, high=0x10000),
        )
        if port.address + port.size > 0x10000:
            self.problems.add(element, "the range passes the last I/O port, 0xffff")
        domain.ports.append(port)
        self._variable(domain, element, fields, "setvar_id", port.id)
        self._variable(domain, element, fields, "setvar_addr", port.address)

    def _dma(self, domain, element):
        fields = self._fields(element, "mr", "device", "perms", "pci", "shared_group", "iovaddr")
        domain.dmas.append(model.Dma(
            element,
            fields.text("mr", required=True),
            fields.number("device", 0, high=LIMITS.MAX_DEVICES - 1),
            fields.dma_rights(),
            fields.text("pci", "pci"),
            fields.boolean("shared_group", False),
            fields.number("iovaddr"),
        ))

    def _setvar(self, domain, element):
        fields = self._fields(element, "symbol", "region_paddr", "value")
        symbol = fields.text("symbol", required=True)
        if fields.has("value"):
            self._setvar_value(domain, element, fields, symbol)
            return
        if not fields.has("region_paddr"):
            self.problems.add(
                element, "<setvar> needs the attribute 'region_paddr', or 'value' with a number")
            return
        name = fields.text("region_paddr")
        domain.variables.append(model.Variable(
            element, symbol, _of_region(name, lambda region: region.paddr), name))

    def _setvar_value(self, domain, element, fields, symbol):
        if fields.has("region_paddr"):
            self.problems.add(element, "<setvar> takes one of 'region_paddr' and 'value', not both")
        domain.variables.append(
            model.Variable(element, symbol, fields.number("value", required=True)))

    def _guest(self, domain, element):
        fields = self._fields(element, "name", "rng", "balloon")
        if not self.board.guests:
            self.problems.add(
                element,
                f"the board {self.board.name} has no VT-x; take --board {self.board.name}_vtx",
            )
        if domain.guest is not None:
            self.problems.add(
                element,
                f"'{domain.name}' has a second <virtual_machine>; one is allowed",
            )
        guest = model.Guest(element, fields.text("name", required=True), 0,
                            fields.boolean("rng", False), fields.boolean("balloon", False))
        domain.guest = guest
        vcpus = []
        known = self.read_children(
            element, self.problems,
            {
                "vcpu": vcpus.append,
                "map": lambda child: guest.maps.append(self._read_map(child)[1]),
                "passthrough": lambda child: self._passed(domain, guest, child),
            },
        )
        if len(vcpus) != 1 and known:
            self.problems.add(
                element,
                f"'{guest.name}' has {len(vcpus)} <vcpu>; exactly one is allowed",
            )
        for vcpu in vcpus[:1]:
            fields = self._fields(vcpu, "id", "cpu", "setvar_id")
            # It runs on the monitor's thread, wherever this says.
            self._core(fields, 0)
            guest.vcpu_id = fields.number("id", required=True, high=LIMITS.MAX_ID)
            self._variable(domain, vcpu, fields, "setvar_id", guest.vcpu_id)

    def _passed(self, domain, guest, element):
        fields = self._fields(element, "device", "vaddr", "setvar_vaddr", "any_interrupt")
        passed = model.Passed(
            element,
            fields.number("device", required=True, high=LIMITS.MAX_DEVICES - 1),
            fields.number("vaddr", required=True),
            fields.boolean("any_interrupt", False),
        )
        guest.passed.append(passed)
        self._variable(domain, element, fields, "setvar_vaddr", passed.address)

    def _cspace(self, domain, element):
        self._fields(element)
        if domain.cspace:
            self.problems.add(element, f"'{domain.name}' has a second <cspace>; one is allowed")
        domain.cspace = element

        def read(child):
            fields = self._fields(child, "pd", "slot")
            domain.caps.append(
                model.SharedCap(
                    child,
                    child.name,
                    fields.text("pd", required=True),
                    fields.number("slot", required=True, low=1, high=LIMITS.MAX_USER_SLOT),
                )
            )

        self.read_children(
            element, self.problems, {"cap_tcb": read, "cap_sc": read, "cap_vspace": read}
        )
