// SPDX-License-Identifier: BSD-2-Clause
// What devices tried that they may not (VT-d 7.3, 9.9): a line each in the log. A device that goes
// on is not recorded any more, so that it takes no time from programs.
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

static void report(struct vtd *self, const struct vtd_unit *unit, uint64_t low, uint64_t high) {
	unsigned device = high & 0xffff;
	bool is_last = is_too_much(self);

	if (is_last && (unit->segment || self->contexts[device][0] & VTD_SILENT)) return;
	print("iommu: device " PCI_FORMAT " may not %s at 0x%lx, reason %lx%s\n", PCI_WORDS(device),
		high & VTD_RECORD_READ ? "read" : "write", low & -PAGE_SIZE,
		high >> VTD_RECORD_REASON_SHIFT & 0xff,
		is_last ? "; no more is reported of it until it gets a space" : "");
	if (!is_last) return;
	self->contexts[device][0] |= VTD_SILENT;
	self->iommu.publish(self->contexts[device], sizeof(uint64_t));
	vtd_forget(VTD_ALL, 0, 0);
}

static void report_records(struct vtd *self, const struct vtd_unit *unit) {
	unsigned at = vtd_fault_records(unit->capability);

	for (; at < vtd_fault_end(unit->capability); at += 16) {
		uint64_t high = *vtd_long(unit, at + 8);

		if (!(high & VTD_RECORD_VALID)) continue;
		report(self, unit, *vtd_long(unit, at), high);
		*vtd_word(unit, at + 12) = VTD_RECORD_VALID >> 32;
	}
	*vtd_word(unit, VTD_FAULT_STATUS) = VTD_FAULT_LOST;
}

// The records are a ring, which goes on meanwhile: no interrupt comes as long as one is valid. A
// device that goes on is silenced, so this ends.
void vtd_report_faults(void) {
	struct vtd *self = this_vtd();

	for (unsigned i = 0; i < self->count; i++)
		do
			report_records(self, &self->units[i]);
		while (*vtd_word(&self->units[i], VTD_FAULT_STATUS) & VTD_FAULT_PENDING);
}
