// SPDX-License-Identifier: BSD-2-Clause
// What devices tried that they may not (VT-d 7.3, 9.9): a line each in the log. A device that goes
// on is not recorded any more, so that it takes no time from programs. One of another segment, one
// whose faults are recorded all the same (VT-d 7.2.1), and one that goes on to raise interrupts
// cannot be left out alone: then the unit's records stay as they are, full, and nothing more comes
// of it until one is looked at again.
#include <iommu/vtd.h>

#include <pci/pci.h>
#include <x86/vtd.h>

static bool report_interrupt(unsigned device, uint64_t entry, uint64_t reason) {
	bool is_last = iommu_is_too_much();

	print("iommu: device " PCI_FORMAT
	      " may not raise an interrupt by entry %lu, reason %lx%s\n",
		PCI_WORDS(device), entry, reason,
		is_last ? "; no more is reported of its unit until a device gets a space" : "");
	return !is_last;
}

// False: the rest stays.
static bool report(
	const struct vtd *self, const struct vtd_unit *unit, uint64_t low, uint64_t high) {
	unsigned device = high & 0xffff;
	uint64_t reason = high >> VTD_RECORD_REASON_SHIFT & 0xff, *context = self->contexts[device];

	if ((reason & ~15ul) == VTD_REASON_INTERRUPT)
		return report_interrupt(device, low >> VTD_RECORD_ENTRY_SHIFT, reason);
	if (!iommu_report(device, unit->segment || context[0] & VTD_SILENT,
		    high & VTD_RECORD_READ ? "read" : "write", low, reason))
		return !iommu_is_flood();
	context[0] |= VTD_SILENT;
	self->iommu.publish(context, sizeof(*context));
	vtd_forget(VTD_ALL, 0, 0);
	return true;
}

// False: there are no more, or they stay.
static bool report_records(const struct vtd *self, const struct vtd_unit *unit) {
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
	const struct vtd *self = this_vtd();

	for (unsigned i = 0; i < self->count; i++)
		while (report_records(self, &self->units[i])) {
		}
}
