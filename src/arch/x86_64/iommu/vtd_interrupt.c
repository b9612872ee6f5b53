// SPDX-License-Identifier: BSD-2-Clause
// Entries of the table by which interrupts are remapped (VT-d 5.1, 9.9). Each is at the number of
// its vector: the address of a message says that the data is that number, a pin's high word has it.
#include <iommu/vtd.h>

#include <x86/vtd.h>

// The half that makes it valid is the last; the other one stays when it goes, and is the same when
// only the core is another.
uint32_t vtd_set_interrupt(unsigned vector, const struct iommu_interrupt *interrupt) {
	struct vtd *self = this_vtd();
	unsigned shift = self->is_wide ? VTD_ENTRY_WIDE_TARGET_SHIFT : VTD_ENTRY_TARGET_SHIFT;
	volatile uint64_t *entry = self->entries[vector];

	if (interrupt) {
		entry[1] = interrupt->source == IOMMU_ANY_DEVICE
			? 0
			: interrupt->source | VTD_ENTRY_VERIFIED;
		entry[0] = (uint64_t)interrupt->target << shift | vector << VTD_ENTRY_VECTOR_SHIFT |
			(interrupt->is_level ? VTD_ENTRY_LEVEL : 0) | VTD_PRESENT;
	} else
		entry[0] = 0;
	self->iommu.publish(self->entries[vector], sizeof(self->entries[vector]));
	vtd_forget_interrupts(VTD_QUEUE_ONE_ENTRY | (uint64_t)vector << VTD_QUEUE_ENTRY_SHIFT);
	return vector << VTD_PIN_ENTRY_SHIFT | VTD_PIN_REMAPPED;
}
