# SPDX-License-Identifier: BSD-2-Clause
"""The layout of system.img, described once: image.py packs these records, and layout_header.py
makes of them <root/system_image.h>, by which the initial task reads. Little-endian, fixed-size
records, a table for each kind; page-aligned data of segments and regions at the end."""
import collections
import struct

from compose.contract import ABI

MAGIC = b"NACRESYS"
ANY_ADDRESS = 2**64 - 1
SCREEN_ADDRESS = 2**64 - 2  # where this machine has its screen, if it has one
NONE = 0xFFFFFFFF  # in place of an index


class Constants:
    """Names for numbers: attributes here, an enumeration with the prefix in C. A row is a name, a
    value and what it means."""

    def __init__(self, name, prefix, *rows, is_mask=False):
        self.name, self.prefix, self.rows, self.is_mask = name, prefix, rows, is_mask
        for row in rows:
            setattr(self, row[0], row[1])


def flags(name, prefix, *rows):
    """A bit for each (name, meaning)."""
    return Constants(name, prefix, *((row[0], 1 << bit, *row[1:]) for bit, row in enumerate(rows)),
                     is_mask=True)


def kinds(name, prefix, *rows):
    """A number for each (name, meaning), from 0."""
    return Constants(name, prefix, *((row[0], number, *row[1:]) for number, row in enumerate(rows)))


LIMITS = Constants(
    "limits", "",
    ("IMAGE_VERSION", 5),
    ("NAME_LENGTH", ABI.MICROKIT_PD_NAME_LENGTH, "a NUL included"),
    ("MAX_DOMAINS", 63),
    ("MAX_GUESTS", 63),
    ("MAX_IRQS", ABI.USER_IRQ_VECTORS),
    ("MAX_DEVICES", 64, "whose reach is described"),
    ("MAX_RECORDS", 4096, "in any other table"),
    ("PASSED_WINDOW", 64 << 20, "of a guest, for the registers of a device"),
    ("MAX_ID", ABI.MICROKIT_MAX_CHANNELS - 1, "of a channel, a child, an interrupt, a port"),
    ("MAX_USER_SLOT", ABI.PD_ROOT_CAP_SIZE - 1),
    ("MAX_CORE", 63, "of those that the kernel starts"),
    ("MAX_TIME_DOMAIN", 15),
    ("MAX_SLICES", 99),
    ("MAX_STACK", 1 << 24, "bytes"),
    ("DURATION_BITS", 56, "of a slice"),
)
DOMAIN_FLAGS = flags(
    "domain_flags", "DOMAIN_",
    ("PASSIVE",),
    ("NO_FPU",),
    ("CALLABLE", "receives on an endpoint: callee, parent, guest's monitor"),
    ("RESTART", "after a fault; else it stays stopped"),
    ("OWN_THREAD", "holds its own TCB"),
    ("NEEDS_CORES", "is not started where a core that it names is missing; else core 0 stands in"),
)
ACCESS = flags("access", "", ("READ",), ("WRITE",), ("EXECUTE",), ("UNCACHED",))
OWNERS = kinds("owner", "OWNER_", ("DOMAIN",), ("GUEST",))
IRQ_KINDS = kinds(
    "irq_kind", "IRQ_",
    ("IOAPIC", "arguments: unit, pin, level, polarity"),
    ("MSI", "arguments: bus, device, function, handle"),
    ("DEVICE", "arguments: index of the device's I/O address space, handle"),
)
END_FLAGS = flags(
    "end_flags", "END_",
    ("NOTIFY", "the domain may notify the peer"),
    ("CALL", "the domain may call the peer"),
)
CAP_KINDS = kinds("cap_kind", "CAP_", ("TCB",), ("SCHED_CONTEXT",), ("SPACE",), ("KINDS",))
UNITS = kinds("unit", "UNIT_", ("TICKS",), ("MICROSECONDS",))
CONSTANTS = (LIMITS, DOMAIN_FLAGS, ACCESS, OWNERS, IRQ_KINDS, END_FLAGS, CAP_KINDS, UNITS)

# A field's type: its format for `struct`, and in C the text before and after its name.
Type = collections.namedtuple("Type", "format before behind")
U32 = Type("I", "uint32_t", "")
U64 = Type("Q", "uint64_t", "")
NAME = Type(f"{LIMITS.NAME_LENGTH}s", "char", "[SYSTEM_NAME_LENGTH]")


def array(kind, count):
    return Type(f"{count}{kind.format}", kind.before, f"[{count}]")


class Record:
    """A struct: fields of (type, name, meaning) in order, with no padding between them."""

    def __init__(self, name, *fields, comment=""):
        self.name, self.fields, self.comment = name, fields, comment
        self.names = tuple(field[1] for field in fields)
        self.layout = struct.Struct("<" + "".join(field[0].format for field in fields))
        self.size = self.layout.size
        self.tuple = collections.namedtuple(name, self.names)

    def pack(self, **values):
        """The bytes of a record, every field of which is named."""
        if set(values) != set(self.names):
            raise KeyError(f"{self.name}: {sorted(set(values) ^ set(self.names))}")
        parts = []
        for name in self.names:
            value = values[name]
            parts += value if isinstance(value, tuple) else [value]
        return self.layout.pack(*parts)

    def unpack_from(self, data, offset=0):
        """The record at the offset, with its fields as attributes."""
        values, place = [], offset
        for kind, *_ in self.fields:
            part = struct.Struct("<" + kind.format)
            value = part.unpack_from(data, place)
            values.append(value[0] if len(value) == 1 else value)
            place += part.size
        return self.tuple(*values)

    def offset(self, name):
        before = self.fields[:self.names.index(name)]
        return struct.calcsize("<" + "".join(field[0].format for field in before))


TABLE = Record("table", (U64, "offset"), (U32, "count"), (U32, "record_size"))
DOMAIN = Record(
    "domain",
    (NAME, "name"),
    (U64, "entry"),
    (U64, "stack_size"),
    (U64, "budget", "microseconds"),
    (U64, "period"),
    (U64, "symbols_offset", "symbol_count of struct system_symbol, then their names"),
    (U32, "priority"),
    (U32, "flags"),
    (U32, "guest", "index of the guest it monitors, or SYSTEM_NONE"),
    (U32, "parent", "index of the domain that handles its faults, or SYSTEM_NONE"),
    (U32, "child_id", "in the parent"),
    (U32, "time_domain"),
    (U32, "restart_limit"),
    (U32, "restart_backoff", "microseconds before the first restart"),
    (U32, "symbol_count"),
    (U32, "names_size", "the last byte is a NUL"),
    (U32, "core"),
    (U32, "padding"),
    comment="A parent precedes its children.",
)
SYMBOL = Record(
    "symbol",
    (U64, "address"),
    (U32, "size"),
    (U32, "name", "offset in the names"),
    comment="A function of a program, in ascending order of addresses.",
)
SEGMENT = Record(
    "segment",
    (U32, "domain"),
    (U32, "access"),
    (U64, "vaddr"),
    (U64, "memory_size"),
    (U64, "data_offset", "page aligned; byte 0 belongs at vaddr"),
    (U64, "data_size", "the rest of memory_size is zero"),
    comment="Loadable part of a domain's program; pages are private to the domain.",
)
REGION = Record(
    "region",
    (NAME, "name"),
    (U64, "size"),
    (U64, "paddr", "or SYSTEM_ANY_ADDRESS, SYSTEM_SCREEN_ADDRESS"),
    (U64, "data_offset"),
    (U64, "data_size"),
    (U32, "page_bits", "12 or 21"),
    (U32, "bootinfo_chunk", "extra bootinfo to copy in, 0 for none"),
)
MAP = Record(
    "map",
    (U32, "region"),
    (U32, "owner_kind"),
    (U32, "owner"),
    (U32, "access"),
    (U64, "address"),
)
IRQ = Record(
    "irq",
    (U32, "domain"),
    (U32, "id"),
    (U32, "kind"),
    (U32, "vector"),
    (U32, "core", "that is interrupted"),
    (U32, "padding"),
    (array(U32, 4), "arguments"),
)
PORT = Record("port", (U32, "domain"), (U32, "id"), (U32, "first"), (U32, "last"))
END = Record(
    "end",
    (U32, "domain"),
    (U32, "id"),
    (U32, "peer"),
    (U32, "peer_id"),
    (U32, "flags"),
    (U32, "padding"),
)
GUEST = Record("guest", (NAME, "name"), (U32, "domain", "its monitor"), (U32, "vcpu_id"))
CAP = Record(
    "cap",
    (U32, "domain"),
    (U32, "slot"),
    (U32, "kind"),
    (U32, "target"),
    comment="A capability of `target` in the root CNode of `domain`.",
)
IO_SPACE = Record(
    "io_space",
    (NAME, "name"),
    (U32, "device", "bus << 8 | device << 3 | function; found at the start where it has an owner"),
    (U32, "domain_id"),
    (U32, "owner", "the domain that drives it, or SYSTEM_NONE, where the next four mean nothing"),
    (U32, "channel", "of the PCI component to the owner"),
    (U32, "number", "of the device among those that are granted there"),
    (U32, "settings", "the region with the component's grants"),
    (U32, "shares_group", "1: others may have what the IOMMU does not tell apart from it"),
    (U32, "needs_iommu", "1: its addresses are others than those of the memory"),
    (U32, "guest", "that it is passed through to, or SYSTEM_NONE, where the next means nothing"),
    (U32, "any_interrupt", "1: its guest has it also where it can raise any interrupt"),
    (U64, "window", "address of the memory behind its BARs, in the guest and in the owner"),
    comment="What a device may reach through the IOMMU.",
)
IO_MAP = Record(
    "io_map",
    (U32, "space"),
    (U32, "region"),
    (U32, "access"),
    (U32, "padding"),
    (U64, "address"),
)
SLICE = Record(
    "slice",
    (U32, "time_domain"),
    (U32, "unit"),
    (U64, "duration"),
    comment="An entry of the domain schedule; duration 0 is an end marker.",
)

# In the order of the image: what a table holds, and how much of it.
TABLES = {
    DOMAIN: ("DOMAINS", LIMITS.MAX_DOMAINS),
    SEGMENT: ("SEGMENTS", LIMITS.MAX_RECORDS),
    REGION: ("REGIONS", LIMITS.MAX_RECORDS),
    MAP: ("MAPS", LIMITS.MAX_RECORDS),
    IRQ: ("IRQS", LIMITS.MAX_IRQS),
    PORT: ("PORTS", LIMITS.MAX_RECORDS),
    END: ("ENDS", LIMITS.MAX_RECORDS),
    GUEST: ("GUESTS", LIMITS.MAX_GUESTS),
    CAP: ("CAPS", LIMITS.MAX_RECORDS),
    IO_SPACE: ("IO_SPACES", LIMITS.MAX_DEVICES),
    IO_MAP: ("IO_MAPS", LIMITS.MAX_RECORDS),
    SLICE: ("SLICES", LIMITS.MAX_SLICES),
}
HEADER = Record(
    "header",
    (array(Type("s", "char", ""), len(MAGIC)), "magic"),
    (U32, "version"),
    (U32, "table_count"),
    (U64, "size", "of the whole image"),
    (U32, "schedule_start", "index among the slices"),
    (U32, "schedule_shift", "index in the kernel's schedule of the first slice"),
    (Type(f"{TABLE.size * len(TABLES)}s", "struct system_table", "[SYSTEM_TABLE_COUNT]"), "tables"),
)
RECORDS = (TABLE, HEADER, SYMBOL, *TABLES)
