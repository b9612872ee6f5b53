// SPDX-License-Identifier: BSD-2-Clause
// Routing of interrupts.
#include <vmm/irq/fabric.h>

#include <vmm/irq/ioapic.h>
#include <vmm/irq/lapic.h>

#define MSI_ADDRESS_MASK (~0xfffffull)

void fabric_add_lapic(struct fabric *fabric, struct lapic *lapic) {
	lapic->fabric = fabric;
	lapic->next = fabric->lapics;
	fabric->lapics = lapic;
}

void fabric_add_ioapic(struct fabric *fabric, struct ioapic *ioapic) {
	ioapic->fabric = fabric;
	ioapic->next = fabric->ioapics;
	fabric->ioapics = ioapic;
}

// Of those named, the one that does the least important work; of several, that of lowest number.
static struct lapic *least_busy(struct fabric *fabric, const struct apic_message *message) {
	struct lapic *best = NULL;

	for (struct lapic *each = fabric->lapics; each; each = each->next) {
		uint32_t priority = lapic_processor_priority(each);

		if (!lapic_accepts(each) || !lapic_matches(each, message)) continue;
		if (!best || priority < lapic_processor_priority(best) ||
			(priority == lapic_processor_priority(best) && each->id < best->id))
			best = each;
	}
	return best;
}

void fabric_send(struct fabric *fabric, const struct apic_message *message) {
	struct lapic *best;

	if (message->delivery != DELIVERY_LOWEST) {
		for (struct lapic *each = fabric->lapics; each; each = each->next)
			if (lapic_matches(each, message)) lapic_receive(each, message);
		return;
	}
	best = least_busy(fabric, message);
	if (best) lapic_receive(best, message);
}

void fabric_msi(struct fabric *fabric, uint64_t address, uint32_t data) {
	struct apic_message message = {
		.destination = address >> MESSAGE_TARGET_SHIFT & 0xff,
		.destination_mode = address & MSI_LOGICAL ? DESTINATION_LOGICAL
							  : DESTINATION_PHYSICAL,
		.delivery = (enum apic_delivery)(data >> MSI_DELIVERY_SHIFT & 7),
		.trigger = data & MSI_LEVEL ? TRIGGER_LEVEL : TRIGGER_EDGE,
		.vector = data & MSI_VECTOR,
	};

	if ((address & MSI_ADDRESS_MASK) != MESSAGE_ADDRESS) return;
	// These have eight destination bits, of which all ones is every APIC.
	if (message.destination_mode == DESTINATION_PHYSICAL && message.destination == 0xff)
		message.destination = APIC_EVERY;
	fabric_send(fabric, &message);
}

void fabric_end_of_interrupt(struct fabric *fabric, uint8_t vector) {
	for (struct ioapic *each = fabric->ioapics; each; each = each->next)
		ioapic_end_of_interrupt(each, vector);
}
