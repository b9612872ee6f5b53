# SPDX-License-Identifier: BSD-2-Clause
"""Packs a system into the image for the initial task, as layout.py describes it."""
from compose import layout, model
from compose.layout import ACCESS, CAP_KINDS, DOMAIN_FLAGS, END_FLAGS, OWNERS, TABLES, UNITS

CAPS = {"cap_tcb": CAP_KINDS.TCB, "cap_sc": CAP_KINDS.SCHED_CONTEXT, "cap_vspace": CAP_KINDS.SPACE}
UNIT_NAMES = {"ticks": UNITS.TICKS, "us": UNITS.MICROSECONDS}


def _pad(data, unit):
    return data + bytes(-len(data) % unit)


def _address(region):
    if region.is_screen:
        return layout.SCREEN_ADDRESS
    return layout.ANY_ADDRESS if region.paddr is None else region.paddr


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

    def _add(self, record, **values):
        self.rows[record].append(record.pack(**values))

    def _symbols(self, domain):
        """Where the names of the program's functions stand: offset, count, bytes of names."""
        records, names = b"", b""
        for address, size, name in self.programs[domain.name].names:
            records += layout.SYMBOL.pack(address=address, size=size, name=len(names))
            names += name.encode()[:127] + b"\0"
        count = len(self.programs[domain.name].names)
        if not count:
            return 0, 0, 0
        return self._store_whole(records + names)[0], count, len(names)

    def _domain_flags(self, domain):
        return (
            DOMAIN_FLAGS.PASSIVE * domain.passive
            | DOMAIN_FLAGS.NO_FPU * (not domain.fpu)
            | DOMAIN_FLAGS.CALLABLE * self._callable(domain)
            | DOMAIN_FLAGS.RESTART * (domain.restart is not None)
            | DOMAIN_FLAGS.OWN_THREAD * self.config.own_thread
            | DOMAIN_FLAGS.NEEDS_CORES * self.system.needs_cores
        )

    def _domain(self, domain, guests):
        symbols, symbol_count, names_size = self._symbols(domain)
        self._add(
            layout.DOMAIN,
            name=domain.name.encode(),
            entry=self.programs[domain.name].entry,
            stack_size=domain.stack_size,
            budget=domain.budget,
            period=domain.period,
            symbols_offset=symbols,
            priority=domain.priority,
            flags=self._domain_flags(domain),
            guest=guests.index(domain.guest) if domain.guest else layout.NONE,
            parent=self.system.domains.index(domain.parent) if domain.parent else layout.NONE,
            child_id=domain.child_id,
            time_domain=domain.time_domain,
            restart_limit=domain.restart.limit if domain.restart else 0,
            restart_backoff=domain.restart.backoff if domain.restart else 0,
            symbol_count=symbol_count,
            names_size=names_size,
            core=domain.core,
            padding=0,
        )

    def _segments(self, index, domain):
        for segment in self.programs[domain.name].segments:
            lead = segment.vaddr % model.PAGE
            offset, size = self._store(bytes(lead) + segment.data)
            self._add(
                layout.SEGMENT,
                domain=index,
                access=(ACCESS.READ | ACCESS.WRITE * segment.writable
                        | ACCESS.EXECUTE * segment.executable),
                vaddr=segment.vaddr - lead,
                memory_size=segment.memory_size + lead,
                data_offset=offset,
                data_size=size,
            )

    def _maps(self, owner_kind, owner, records, regions):
        for record in records:
            self._add(
                layout.MAP,
                region=regions.index(record.region),
                owner_kind=owner_kind,
                owner=owner,
                access=(ACCESS.READ | ACCESS.WRITE * ("w" in record.perms)
                        | ACCESS.EXECUTE * ("x" in record.perms)
                        | ACCESS.UNCACHED * (not record.cached)),
                address=record.address,
            )

    def _regions(self, regions):
        for region in regions:
            offset, size = self._store(region.data)
            self._add(
                layout.REGION,
                name=region.name.encode(),
                size=region.size,
                paddr=_address(region),
                data_offset=offset,
                data_size=size,
                page_bits=region.page_size.bit_length() - 1,
                bootinfo_chunk=model.BOOTINFO_CHUNKS[region.bootinfo] if region.bootinfo else 0,
            )

    def _ends(self):
        domains = self.system.domains
        for channel in self.system.channels:
            for end, other in (channel.ends, channel.ends[::-1]):
                self._add(
                    layout.END,
                    domain=domains.index(end.domain),
                    id=end.id,
                    peer=domains.index(other.domain),
                    peer_id=other.id,
                    flags=END_FLAGS.NOTIFY * end.notify | END_FLAGS.CALL * end.call,
                    padding=0,
                )

    def _rights(self, index, domain):
        """What a domain alone is given: interrupts, ports, capabilities, a guest."""
        for irq in domain.irqs:
            self._add(layout.IRQ, domain=index, id=irq.id, kind=irq.kind, vector=irq.vector,
                      core=irq.core, padding=0, arguments=self._irq_arguments(domain, irq))
        for port in domain.ports:
            self._add(layout.PORT, domain=index, id=port.id, first=port.address,
                      last=port.address + port.size - 1)
        for cap in domain.caps:
            self._add(layout.CAP, domain=index, slot=cap.slot, kind=CAPS[cap.kind],
                      target=self.system.domains.index(cap.domain))
        if domain.guest:
            self._add(layout.GUEST, name=domain.guest.name.encode(), domain=index,
                      vcpu_id=domain.guest.vcpu_id)

    def _irq_arguments(self, domain, irq):
        if irq.kind != layout.IRQ_KINDS.DEVICE:
            return irq.arguments
        _, number, handle = irq.arguments
        space = self.system.space_of(domain, number)
        return self.system.io_spaces.index(space), handle, 0, 0

    def _io_spaces(self, regions, guests):
        for index, space in enumerate(self.system.io_spaces):
            bus, device, function = space.device
            owner, passed = space.owner, space.passed
            self._add(layout.IO_SPACE, name=space.name.encode(),
                      device=bus << 8 | device << 3 | function, domain_id=space.domain_id,
                      owner=self.system.domains.index(owner) if owner else layout.NONE,
                      channel=space.channel if owner else 0, number=space.number,
                      settings=regions.index(space.settings) if owner else 0,
                      shares_group=space.shares_group, needs_iommu=space.needs_iommu(),
                      guest=guests.index(owner.guest) if passed else layout.NONE,
                      any_interrupt=bool(passed and passed.any_interrupt),
                      window=passed.address if passed else 0)
            for record in space.maps:
                access = (ACCESS.READ * ("r" in record.perms)
                          | ACCESS.WRITE * ("w" in record.perms))
                self._add(layout.IO_MAP, space=index, region=regions.index(record.region),
                          access=access, padding=0, address=record.address)

    def _slices(self):
        for entry in self.system.schedule.slices if self.system.schedule else ():
            self._add(layout.SLICE, time_domain=entry.domain, unit=UNIT_NAMES[entry.unit],
                      duration=entry.duration)

    def _fill(self, regions, guests):
        for rows in self.rows.values():
            rows.clear()
        for index, domain in enumerate(self.system.domains):
            self._domain(domain, guests)
            self._segments(index, domain)
            self._maps(OWNERS.DOMAIN, index, domain.maps, regions)
            self._rights(index, domain)
        for index, guest in enumerate(guests):
            self._maps(OWNERS.GUEST, index, guest.maps, regions)
        self._regions(regions)
        self._ends()
        self._io_spaces(regions, guests)
        self._slices()

    def _tables_size(self):
        return layout.HEADER.size + sum(len(_pad(b"".join(rows), 8)) for rows in self.rows.values())

    def _tables(self):
        """The bytes of the header's tables, and of their records."""
        tables, body = b"", b""
        for record in TABLES:
            rows = self.rows[record]
            tables += layout.TABLE.pack(offset=layout.HEADER.size + len(body), count=len(rows),
                                        record_size=record.size)
            body += _pad(b"".join(rows), 8)
        return tables, body

    def excess(self):
        """(table, its records, most records) where the initial task would refuse the image."""
        for record, (name, limit) in TABLES.items():
            if len(self.rows[record]) > limit:
                yield name.lower().replace("_", " "), len(self.rows[record]), limit

    def write(self):
        # Objects at fixed addresses are made first, then large ones, so that both find room.
        regions = sorted(
            self.system.regions, key=lambda region: (region.is_ram(), -region.page_size)
        )
        guests = [domain.guest for domain in self.system.domains if domain.guest]
        # The first pass finds the size of the tables, the second knows where data starts.
        self._fill(regions, guests)
        self.data_start = -(-self._tables_size() // model.PAGE) * model.PAGE
        self.chunks, self.chunk_bytes, self.stored = [], 0, {}
        self._fill(regions, guests)
        tables, body = self._tables()
        schedule = self.system.schedule
        head = layout.HEADER.pack(
            magic=layout.MAGIC,
            version=layout.LIMITS.IMAGE_VERSION,
            table_count=len(TABLES),
            size=self.data_start + self.chunk_bytes,
            schedule_start=schedule.start if schedule else 0,
            schedule_shift=schedule.shift if schedule else 0,
            tables=tables,
        )
        return (head + body).ljust(self.data_start, b"\0") + b"".join(self.chunks)
