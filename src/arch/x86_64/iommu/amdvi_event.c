// SPDX-License-Identifier: BSD-2-Clause
// What devices tried that they may not: events, which a unit writes to memory (48882 2.5).
#include <iommu/amdvi.h>

#include <base/memory.h>
#include <x86/amdvi.h>

enum { WRITING = 1000 }; // steps that an event may take from the tail to its place

static void report(struct amdvi *self, const struct amdvi_unit *unit, const uint64_t *event) {
	unsigned device = event[0] & 0xffff;
	uint64_t kind = event[0] >> AMDVI_EVENT_SHIFT;
	uint64_t *entry = self->devices[device];

	if (kind == AMDVI_EVENT_NONE ||
		(kind > AMDVI_EVENT_TABLE_ERROR && kind != AMDVI_EVENT_INVALID_REQUEST)) {
		if (!iommu_is_too_much())
			print("iommu: event %lx at 0x%lx, of no device\n",
				event[0] >> AMDVI_EVENT_REASON_SHIFT, event[1]);
		return;
	}
	if (!iommu_report(device, unit->segment || entry[1] & AMDVI_SILENT,
		    event[0] & AMDVI_EVENT_WRITE ? "write" : "read", event[1],
		    event[0] >> AMDVI_EVENT_REASON_SHIFT))
		return;
	entry[1] |= AMDVI_SILENT;
	amdvi_forget(AMDVI_FORGET_DEVICE | device, entry[1] & AMDVI_DOMAIN, EVERY_PAGE);
}

// A log that was full has ended: it is begun anew.
static void restart(const struct amdvi_unit *unit) {
	*amdvi_long(unit, AMDVI_CONTROL) &= ~AMDVI_EVENTS_ON;
	iommu_wait(amdvi_long(unit, AMDVI_STATUS), AMDVI_EVENTS_RUN, 0);
	*amdvi_long(unit, AMDVI_STATUS) = AMDVI_EVENTS_LOST;
	memory_clear(unit->events, PAGE_SIZE);
	*amdvi_long(unit, AMDVI_EVENT_HEAD) = *amdvi_long(unit, AMDVI_EVENT_TAIL) = 0;
	*amdvi_long(unit, AMDVI_CONTROL) |= AMDVI_EVENTS_ON;
}

// There are units whose tail is ahead of what they write: code 0 is no event's. Its place is free
// afterwards.
static void report_next(struct amdvi *self, const struct amdvi_unit *unit, uint64_t *event) {
	volatile uint64_t *words = event;

	for (unsigned i = 0; i < WRITING && !(words[0] >> AMDVI_EVENT_SHIFT); i++)
		cpu_relax();
	report(self, unit, event);
	words[0] = words[1] = 0;
}

// What comes after its end has been read is another interrupt, so this ends. A device whose
// requests are none of memory cannot be silenced: then its unit interrupts no more, until its log
// is looked at again.
static void report_events(struct amdvi *self, const struct amdvi_unit *unit) {
	uint64_t at = *amdvi_long(unit, AMDVI_EVENT_HEAD) % PAGE_SIZE, end;
	bool is_empty;

	*amdvi_long(unit, AMDVI_CONTROL) |= AMDVI_EVENT_INTERRUPT;
	*amdvi_long(unit, AMDVI_STATUS) = AMDVI_EVENT_CAME;
	end = *amdvi_long(unit, AMDVI_EVENT_TAIL) % PAGE_SIZE;
	is_empty = at == end;
	for (; at != end; at = (at + 16) % PAGE_SIZE)
		report_next(self, unit, &unit->events[at / sizeof(uint64_t)]);
	*amdvi_long(unit, AMDVI_EVENT_HEAD) = at;
	if (*amdvi_long(unit, AMDVI_STATUS) & AMDVI_EVENTS_LOST) restart(unit);
	if (!is_empty && iommu_is_flood())
		*amdvi_long(unit, AMDVI_CONTROL) &= ~AMDVI_EVENT_INTERRUPT;
}

void amdvi_report_faults(void) {
	struct amdvi *self = this_amdvi();

	for (unsigned i = 0; i < self->count; i++)
		report_events(self, &self->units[i]);
}
