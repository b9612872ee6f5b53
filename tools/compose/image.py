# SPDX-License-Identifier: BSD-2-Clause
"""The image of the initial task: src/root/system_image.h names the same fields in the same
order."""
import struct

from compose import model

MAGIC = b"NACRESYS"
VERSION = 1
ANY_ADDRESS = 2**64 - 1
NO_GUEST = 0xFFFFFFFF

DOMAIN = struct.Struct("<64sQQQQIIII")
SEGMENT = struct.Struct("<IIQQQQ")
REGION = struct.Struct("<64sQQQQII")
MAP = struct.Struct("<IIIIQ")
IRQ = struct.Struct("<IIII4I")
PORT = struct.Struct("<IIII")
END = struct.Struct("<IIIIII")
GUEST = struct.Struct("<64sII")
HEADER = struct.Struct("<8sIIQ")
TABLE = struct.Struct("<QII")
TABLES = (DOMAIN, SEGMENT, REGION, MAP, IRQ, PORT, END, GUEST)

READ, WRITE, EXECUTE, UNCACHED = 1, 2, 4, 8
PASSIVE, NO_FPU, CALLABLE = 1, 2, 4
NOTIFY, CALL = 1, 2


def _pad(data, unit):
    return data + bytes(-len(data) % unit)


class ImageWriter:
    def __init__(self, system, programs):
        self.system = system
        self.programs = programs
        self.rows = {table: [] for table in TABLES}
        self.chunks = []
        self.chunk_bytes = 0
        self.data_start = 0
        self.stored = {}

    def _store(self, data):
        """Offset of the page-aligned data; equal data is stored once."""
        data = bytes(data).rstrip(b"\0")
        if not data:
            return 0, 0
        if data not in self.stored:
            self.stored[data] = self.data_start + self.chunk_bytes
            padded = _pad(data, model.PAGE)
            self.chunks.append(padded)
            self.chunk_bytes += len(padded)
        return self.stored[data], len(data)

    def _callable(self, domain):
        callee = any(
            other.domain is domain and end.call
            for channel in self.system.channels
            for end, other in (channel.ends, channel.ends[::-1])
        )
        return callee or domain.guest is not None

    def _domain(self, domain, guests):
        flags = PASSIVE * domain.passive | NO_FPU * (not domain.fpu)
        flags |= CALLABLE * self._callable(domain)
        self.rows[DOMAIN].append(
            DOMAIN.pack(
                domain.name.encode(),
                self.programs[domain.name].entry,
                domain.stack_size,
                domain.budget,
                domain.period,
                domain.priority,
                flags,
                guests.index(domain.guest) if domain.guest else NO_GUEST,
                0,
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
            if domain.guest:
                self.rows[GUEST].append(
                    GUEST.pack(domain.guest.name.encode(), index, domain.guest.vcpu_id)
                )
        for index, guest in enumerate(guests):
            self._maps(1, index, guest.maps, regions)
        self._regions(regions)
        self._ends()

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
        head = HEADER.pack(MAGIC, VERSION, len(TABLES), size) + tables + body
        return head.ljust(self.data_start, b"\0") + b"".join(self.chunks)
