// SPDX-License-Identifier: BSD-2-Clause
// Redirection tables of the I/O APICs (82093AA data sheet).
#include <cpu/apic.h>

#include <cpu/lock.h>
#include <cpu/platform.h>
#include <x86/ioapic.h>

enum { IOAPIC_MAX_PINS = 240 };

static struct ioapic *ioapic_at(unsigned i) { return &this_cpu()->platform->ioapics[i]; }

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t offset) {
	ioapic->page[IOAPIC_SELECT] = offset;
	return ioapic->page[IOAPIC_WINDOW / 4];
}

// Who runs alone has it for itself.
static void ioapic_write(struct ioapic *ioapic, uint32_t offset, uint32_t value) {
	if (unlikely(this_cpu()->lock.is_inside)) {
		while (__atomic_exchange_n(&ioapic->is_taken, true, __ATOMIC_ACQUIRE))
			cpu_relax();
	}
	ioapic->page[IOAPIC_SELECT] = offset;
	ioapic->page[IOAPIC_WINDOW / 4] = value;
	store_release(&ioapic->is_taken, false);
}

unsigned ioapic_count(void) { return this_cpu()->platform->ioapic_count; }

unsigned ioapic_pins(unsigned ioapic) { return ioapic_at(ioapic)->pins; }

void pic_silence(void) {
	// Port and value: four initialisation words, then the mask (8259A data sheet).
	static const uint8_t writes[][2] = {{0x20, 0x11}, {0x21, VECTOR_PIC}, {0x21, 4}, {0x21, 1},
		{0x21, 0xff}, {0xa0, 0x11}, {0xa1, VECTOR_PIC}, {0xa1, 2}, {0xa1, 1}, {0xa1, 0xff}};

	for (unsigned i = 0; i < array_count(writes); i++)
		io_out8(writes[i][0], writes[i][1]);
}

void ioapic_add(const struct acpi_ioapic *found) {
	unsigned *count = &this_cpu()->platform->ioapic_count;
	struct ioapic *ioapic = ioapic_at(*count);
	uint32_t version = 0;

	*ioapic = (struct ioapic){.page = physical_pointer(physical(found->address)),
		.source = IOMMU_ANY_DEVICE,
		.id = found->id};
	if (ioapic->page[IOAPIC_SELECT] != UINT32_MAX)
		version = ioapic_read(ioapic, IOAPIC_VERSION);
	ioapic->pins = (version >> 16 & 0xff) + 1;
	if (version == 0 || ioapic->pins > IOAPIC_MAX_PINS)
		return print("ioapic: nothing answers at %lx\n", found->address);
	for (unsigned pin = 0; pin < ioapic->pins; pin++)
		ioapic_write(ioapic, IOAPIC_REDIRECTION + 2 * pin, REDIRECTION_MASKED);
	print("ioapic %u: %u pins at %lx\n", (*count)++, ioapic->pins, found->address);
}

void ioapic_set_route(unsigned ioapic, unsigned pin, uint32_t low) {
	ioapic_write(ioapic_at(ioapic), IOAPIC_REDIRECTION + 2 * pin, low);
}

void ioapic_set_target(unsigned ioapic, unsigned pin, uint32_t high) {
	ioapic_write(ioapic_at(ioapic), IOAPIC_REDIRECTION + 2 * pin + 1, high);
}
