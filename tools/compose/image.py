# SPDX-License-Identifier: BSD-2-Clause
"""The image of the initial task: src/root/system_image.h names the same fields in the same
order."""
import struct

from compose import model

MAGIC = b"NACRESYS"
VERSION = 2
ANY_ADDRESS = 2**64 - 1
NONE = 0xFFFFFFFF

DOMAIN = struct.Struct("<64sQQQQQ10I")
SEGMENT = struct.Struct("<IIQQQQ")
REGION = struct.Struct("<64sQQQQII")
MAP = struct.Struct("<IIIIQ")
IRQ = struct.Struct("<IIII4I")
PORT = struct.Struct("<IIII")
END = struct.Struct("<IIIIII")
GUEST = struct.Struct("<64sII")
CAP = struct.Struct("<IIII")
IO_SPACE = struct.Struct("<64sII")
IO_MAP = struct.Struct("<IIIIQ")
SLICE = struct.Struct("<IIQ")
SYMBOL = struct.Struct("<QII")
HEADER = struct.Struct("<8sIIQII")
TABLE = struct.Struct("<QII")
TABLES = (DOMAIN, SEGMENT, REGION, MAP, IRQ, PORT, END, GUEST, CAP, IO_SPACE, IO_MAP, SLICE)

READ, WRITE, EXECUTE, UNCACHED = 1, 2, 4, 8
PASSIVE, NO_FPU, CALLABLE, RESTART, OWN_THREAD = 1, 2, 4, 8, 16
NOTIFY, CALL = 1, 2
CAP_KINDS = {"cap_tcb": 0, "cap_sc": 1, "cap_vspace": 2}
UNITS = {"ticks": 0, "us": 1}


def _pad(data, unit):
    return data + bytes(-len(data) % unit)


class ImageWriter:
    def __init__(self, system, programs, config):
        self.system = system
        self.config = config
        self.programs = programs
        self.rows = {table: [] for table in TABLES}
        self.chunks = []
        self.chunk_bytes = 0
        self.data_start = 0
        self.stored = {}

    def _store(self, data):
        """Offset of the page-aligned data; equal data is stored once."""
        data = bytes(data).rstrip(b"\0")
        return self._store_whole(data) if data else (0, 0)

    def _store_whole(self, data):
        if data not in self.stored:
            self.stored[data] = self.data_start + self.chunk_bytes
            padded = _pad(data, model.PAGE)
            self.chunks.append(padded)
            self.chunk_bytes += len(padded)
        return self.stored[data], len(data)

    def _callable(self, domain):
        """Whether it receives on an endpoint: it is called, or sees faults or guest exits."""
        return (
            self.system.is_called(domain)
            or domain.guest is not None
            or bool(self.system.children(domain))
        )

    def _symbols(self, domain):
        """Where the names of the program's functions stand: offset, count, bytes of names."""
        records, names = b"", b""
        for address, size, name in self.programs[domain.name].names:
            records += SYMBOL.pack(address, size, len(names))
            names += name.encode()[:127] + b"\0"
        count = len(self.programs[domain.name].names)
        if not count:
            return 0, 0, 0
        return self._store_whole(records + names)[0], count, len(names)

    def _domain(self, domain, guests):
        flags = PASSIVE * domain.passive | NO_FPU * (not domain.fpu)
        flags |= CALLABLE * self._callable(domain) | RESTART * (domain.restart is not None)
        flags |= OWN_THREAD * self.config.own_thread
        symbols, symbol_count, name_bytes = self._symbols(domain)
        self.rows[DOMAIN].append(
            DOMAIN.pack(
                domain.name.encode(),
                self.programs[domain.name].entry,
                domain.stack_size,
                domain.budget,
                domain.period,
                symbols,
                domain.priority,
                flags,
                guests.index(domain.guest) if domain.guest else NONE,
                self.system.domains.index(domain.parent) if domain.parent else NONE,
                domain.child_id,
                domain.time_domain,
                domain.restart.limit if domain.restart else 0,
                domain.restart.backoff if domain.restart else 0,
                symbol_count,
                name_bytes,
            )
        )

    def _segments(self, index, domain):
        for segment in self.programs[domain.name].segments:
            access = READ | WRITE * segment.writable | EXECUTE * segment.executable
            lead = segment.vaddr % model.PAGE
            offset, size = self._store(bytes(lead) + segment.data)
            self.rows[SEGMENT].append(
                SEGMENT.pack(
                    index, access, segment.vaddr - lead, segment.memory_size + lead, offset, size
                )
            )

    def _maps(self, owner_kind, owner, records, regions):
        for record in records:
            access = READ | WRITE * ("w" in record.perms) | EXECUTE * ("x" in record.perms)
            access |= UNCACHED * (not record.cached)
            self.rows[MAP].append(
                MAP.pack(regions.index(record.region), owner_kind, owner, access, record.address)
            )

    def _regions(self, regions):
        for region in regions:
            offset, size = self._store(region.data)
            self.rows[REGION].append(
                REGION.pack(
                    region.name.encode(),
                    region.size,
                    ANY_ADDRESS if region.paddr is None else region.paddr,
                    offset,
                    size,
                    region.page_size.bit_length() - 1,
                    model.BOOTINFO_CHUNKS[region.bootinfo] if region.bootinfo else 0,
                )
            )

    def _ends(self):
        domains = self.system.domains
        for channel in self.system.channels:
            for end, other in (channel.ends, channel.ends[::-1]):
                self.rows[END].append(
                    END.pack(
                        domains.index(end.domain),
                        end.id,
                        domains.index(other.domain),
                        other.id,
                        NOTIFY * end.notify | CALL * end.call,
                        0,
                    )
                )

    def _caps(self, index, domain):
        for cap in domain.caps:
            target = self.system.domains.index(cap.domain)
            self.rows[CAP].append(CAP.pack(index, cap.slot, CAP_KINDS[cap.kind], target))

    def _io_spaces(self, regions):
        for index, space in enumerate(self.system.io_spaces):
            bus, device, function = space.device
            self.rows[IO_SPACE].append(
                IO_SPACE.pack(
                    space.name.encode(), bus << 8 | device << 3 | function, space.domain_id
                )
            )
            for record in space.maps:
                access = READ * ("r" in record.perms) | WRITE * ("w" in record.perms)
                self.rows[IO_MAP].append(
                    IO_MAP.pack(index, regions.index(record.region), access, 0, record.address)
                )

    def _slices(self):
        for entry in self.system.schedule.slices if self.system.schedule else ():
            self.rows[SLICE].append(SLICE.pack(entry.domain, UNITS[entry.unit], entry.duration))

    def _fill(self, regions, guests):
        for rows in self.rows.values():
            rows.clear()
        for index, domain in enumerate(self.system.domains):
            self._domain(domain, guests)
            self._segments(index, domain)
            self._maps(0, index, domain.maps, regions)
            for irq in domain.irqs:
                self.rows[IRQ].append(IRQ.pack(index, irq.id, irq.kind, irq.vector, *irq.arguments))
            for port in domain.ports:
                self.rows[PORT].append(
                    PORT.pack(index, port.id, port.address, port.address + port.size - 1)
                )
            self._caps(index, domain)
            if domain.guest:
                self.rows[GUEST].append(
                    GUEST.pack(domain.guest.name.encode(), index, domain.guest.vcpu_id)
                )
        for index, guest in enumerate(guests):
            self._maps(1, index, guest.maps, regions)
        self._regions(regions)
        self._ends()
        self._io_spaces(regions)
        self._slices()

    def _tables_size(self):
        return HEADER.size + len(TABLES) * TABLE.size + sum(
            len(_pad(b"".join(rows), 8)) for rows in self.rows.values()
        )

    def write(self):
        # Objects at fixed addresses are made first, then large ones, so that both find room.
        regions = sorted(
            self.system.regions, key=lambda region: (region.paddr is None, -region.page_size)
        )
        guests = [domain.guest for domain in self.system.domains if domain.guest]
        # The first pass finds the size of the tables, the second knows where data starts.
        self._fill(regions, guests)
        self.data_start = -(-self._tables_size() // model.PAGE) * model.PAGE
        self.chunks, self.chunk_bytes, self.stored = [], 0, {}
        self._fill(regions, guests)
        tables, body = b"", b""
        place = HEADER.size + len(TABLES) * TABLE.size
        for table in TABLES:
            rows = self.rows[table]
            tables += TABLE.pack(place + len(body), len(rows), table.size)
            body += _pad(b"".join(rows), 8)
        size = self.data_start + self.chunk_bytes
        schedule = self.system.schedule
        start, shift = (schedule.start, schedule.shift) if schedule else (0, 0)
        head = HEADER.pack(MAGIC, VERSION, len(TABLES), size, start, shift) + tables + body
        return head.ljust(self.data_start, b"\0") + b"".join(self.chunks)
