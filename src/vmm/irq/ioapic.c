// SPDX-License-Identifier: BSD-2-Clause
// I/O APIC of version 20h, which has an EOI register.
#include <vmm/irq/ioapic.h>

#include <x86/ioapic.h>

enum { IOAPIC_INDICES = IOAPIC_REDIRECTION + 2 * IOAPIC_PINS };

#define IOAPIC_ID_MASK 0x0f000000u
#define IOAPIC_VERSION_VALUE (0x20u | (IOAPIC_PINS - 1) << 16)

#define ENTRY_DESTINATION_SHIFT (32 + REDIRECTION_TARGET_SHIFT)
#define ENTRY_WRITABLE (0xffull << ENTRY_DESTINATION_SHIFT | 0x1afffull)

void ioapic_reset(struct ioapic *ioapic) {
	*ioapic = (struct ioapic){
		.fabric = ioapic->fabric,
		.next = ioapic->next,
		.window = ioapic->window,
		.levels = ioapic->levels, // the devices' business
	};
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->redirection[pin] = REDIRECTION_MASKED;
}

static void ioapic_send(struct ioapic *ioapic, unsigned pin) {
	uint64_t entry = ioapic->redirection[pin];
	uint64_t destination = entry >> ENTRY_DESTINATION_SHIFT << MESSAGE_TARGET_SHIFT;

	fabric_msi(ioapic->fabric,
		MESSAGE_ADDRESS | destination | (entry & REDIRECTION_LOGICAL ? MSI_LOGICAL : 0),
		(uint32_t)(entry & REDIRECTION_MESSAGE));
}

// The wire's polarity is the entry's own business: lines here say "active", not "high voltage", so
// an entry programmed active-low sees the same requests.
static void ioapic_service(struct ioapic *ioapic, unsigned pin) {
	uint64_t *entry = &ioapic->redirection[pin];
	uint32_t bit = 1u << pin;

	if (*entry & REDIRECTION_MASKED) return;
	if (*entry & REDIRECTION_LEVEL) {
		if (!(ioapic->levels & bit) || (*entry & REDIRECTION_REMOTE_REQUEST)) return;
		*entry |= REDIRECTION_REMOTE_REQUEST;
		ioapic->latched &= ~bit;
		ioapic_send(ioapic, pin);
		return;
	}
	if (!(ioapic->latched & bit)) return;
	ioapic->latched &= ~bit;
	ioapic_send(ioapic, pin);
}

void ioapic_pin_changed(void *controller, unsigned pin, enum line_level level) {
	struct ioapic *ioapic = controller;
	uint32_t bit;

	if (pin >= IOAPIC_PINS) return;
	bit = 1u << pin;
	if (level == LINE_LOW) {
		ioapic->levels &= ~bit;
		return;
	}
	ioapic->levels |= bit;
	// An edge on a masked pin is kept and sent at unmasking, or a device whose line stays high
	// would never be heard again.
	ioapic->latched |= bit;
	ioapic_service(ioapic, pin);
}

void ioapic_end_of_interrupt(struct ioapic *ioapic, uint8_t vector) {
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->redirection[pin];

		if (!(*entry & REDIRECTION_REMOTE_REQUEST) ||
			(*entry & REDIRECTION_VECTOR) != vector)
			continue;
		*entry &= ~(uint64_t)REDIRECTION_REMOTE_REQUEST;
		ioapic_service(ioapic, pin);
	}
}

static uint32_t ioapic_index_read(const struct ioapic *ioapic) {
	if (ioapic->select >= IOAPIC_REDIRECTION && ioapic->select < IOAPIC_INDICES) {
		unsigned word = ioapic->select - IOAPIC_REDIRECTION;

		return (uint32_t)(ioapic->redirection[word / 2] >> 32 * (word % 2));
	}
	switch (ioapic->select) {
	case IOAPIC_ID:
	case IOAPIC_ARBITRATION: return ioapic->id;
	case IOAPIC_VERSION: return IOAPIC_VERSION_VALUE;
	default: return 0;
	}
}

static void ioapic_entry_write(struct ioapic *ioapic, unsigned word, uint32_t value) {
	unsigned pin = word / 2;
	unsigned shift = 32 * (word % 2);
	uint64_t *entry = &ioapic->redirection[pin];
	uint64_t wanted = (*entry & ~(0xffffffffull << shift)) | (uint64_t)value << shift;

	*entry = (wanted & ENTRY_WRITABLE) | (*entry & REDIRECTION_REMOTE_REQUEST);
	// Edge mode has no remote request; software clears a stuck one by switching to it and back.
	if (!(*entry & REDIRECTION_LEVEL)) *entry &= ~(uint64_t)REDIRECTION_REMOTE_REQUEST;
	ioapic_service(ioapic, pin);
}

static void ioapic_index_write(struct ioapic *ioapic, uint32_t value) {
	if (ioapic->select == IOAPIC_ID)
		ioapic->id = value & IOAPIC_ID_MASK;
	else if (ioapic->select >= IOAPIC_REDIRECTION && ioapic->select < IOAPIC_INDICES)
		ioapic_entry_write(ioapic, ioapic->select - IOAPIC_REDIRECTION, value);
}

static uint64_t ioapic_read(void *device, uint64_t offset, enum bus_width) {
	const struct ioapic *ioapic = device;

	if (offset == IOAPIC_SELECT) return ioapic->select;
	return offset == IOAPIC_WINDOW ? ioapic_index_read(ioapic) : 0;
}

static void ioapic_write(void *device, uint64_t offset, enum bus_width, uint64_t value) {
	struct ioapic *ioapic = device;

	if (offset == IOAPIC_SELECT)
		ioapic->select = (uint8_t)value;
	else if (offset == IOAPIC_WINDOW)
		ioapic_index_write(ioapic, (uint32_t)value);
	else if (offset == IOAPIC_EOI)
		ioapic_end_of_interrupt(ioapic, (uint8_t)value);
}

static const struct bus_ops ioapic_ops = {
	.name = "I/O APIC",
	.widths = BUS_WIDTH_4,
	.read = ioapic_read,
	.write = ioapic_write,
};

bool ioapic_attach(struct ioapic *ioapic, struct bus *memory) {
	ioapic->window = (struct bus_window){&ioapic_ops, ioapic, IOAPIC_ADDRESS, 0x1000, NULL};
	return bus_add(memory, &ioapic->window);
}
