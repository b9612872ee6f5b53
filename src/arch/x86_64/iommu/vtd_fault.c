// SPDX-License-Identifier: BSD-2-Clause
// What devices tried that they may not (VT-d 7.3, 9.9): a line each in the log. A device that goes
// on is not recorded any more, so that it takes no time from programs. One that goes on to raise
// interrupts cannot be left out alone: then the unit's records stay as they are, full, and nothing
// more comes of it until one is looked at again.
#include <iommu/vtd.h>

#include <cpu/clock.h>
#include <pci/pci.h>
#include <x86/vtd.h>

enum { FAULTS_A_SECOND = 16 };

static bool is_too_much(struct vtd *self) {
	if (clock_now() - self->second > 1000000 * clock_ticks_per_us()) {
		self->second = clock_now();
		self->faults = 0;
	}
	return ++self->faults > FAULTS_A_SECOND;
}

static void report_interrupt(unsigned device, unsigned entry, unsigned reason, bool is_last) {
	print("iommu: device " PCI_FORMAT " may not raise an interrupt by entry %u, reason %x%s\n",
		PCI_WORDS(device), entry, reason,
		is_last ? "; no more is reported of its unit until a device gets a space" : "");
}

// False: the rest stays.
static bool report(struct vtd *self, const struct vtd_unit *unit, uint64_t low, uint64_t high) {
	unsigned device = high & 0xffff, reason = high >> VTD_RECORD_REASON_SHIFT & 0xff;
	bool is_last = is_too_much(self);

	if ((reason & ~15u) == VTD_REASON_INTERRUPT) {
		report_interrupt(
			device, (unsigned)(low >> VTD_RECORD_ENTRY_SHIFT), reason, is_last);
		return !is_last;
	}
	if (is_last && (unit->segment || self->contexts[device][0] & VTD_SILENT)) return true;
	print("iommu: device " PCI_FORMAT " may not %s at 0x%lx, reason %x%s\n", PCI_WORDS(device),
		high & VTD_RECORD_READ ? "read" : "write", low & -PAGE_SIZE, reason,
		is_last ? "; no more is reported of it until it gets a space" : "");
	if (!is_last) return true;
	self->contexts[device][0] |= VTD_SILENT;
	self->iommu.publish(self->contexts[device], sizeof(uint64_t));
	vtd_forget(VTD_ALL, 0, 0);
	return true;
}

// False: there are no more, or they stay.
static bool report_records(struct vtd *self, const struct vtd_unit *unit) {
	unsigned at = vtd_fault_records(unit->capability);

	for (; at < vtd_fault_end(unit->capability); at += 16) {
		uint64_t high = *vtd_long(unit, at + 8);

		if (!(high & VTD_RECORD_VALID)) continue;
		if (!report(self, unit, *vtd_long(unit, at), high)) return false;
		*vtd_word(unit, at + 12) = VTD_RECORD_VALID >> 32;
	}
	*vtd_word(unit, VTD_FAULT_STATUS) = VTD_FAULT_LOST;
	return *vtd_word(unit, VTD_FAULT_STATUS) & VTD_FAULT_PENDING;
}

// The records are a ring, which goes on meanwhile: no interrupt comes as long as one is valid. A
// device that goes on is silenced, or its unit left alone, so this ends.
void vtd_report_faults(void) {
	struct vtd *self = this_vtd();

	for (unsigned i = 0; i < self->count; i++)
		while (report_records(self, &self->units[i])) {
		}
}
