// SPDX-License-Identifier: BSD-2-Clause
// Channels, interrupts and I/O ports: capabilities with the badges and slots of Microkit.
#include <root/wire.h>

#include <microkit.h>

#include <base/bits.h>

#include <root/domain.h>

#include <user/slots.h>

enum {
	BADGE_CALL_BIT = 63,
};

// One end: what its domain may do to the peer. An omitted peer leaves the slots empty.
static seL4_Error wire_end(const struct system *system, const struct system_end *end) {
	const struct domain *domain = &system->domains[end->domain];
	const struct domain *peer = &system->domains[end->peer];
	seL4_Error error = seL4_NoError;

	if (domain->omitted || peer->omitted) return seL4_NoError;
	if (end->flags & SYSTEM_END_NOTIFY)
		error = domain_give(domain, BASE_OUTPUT_NOTIFICATION_CAP + end->id,
			peer->notification, seL4_ReadWrite, BIT(end->peer_id));
	if (!error && (end->flags & SYSTEM_END_CALL))
		error = domain_give(domain, BASE_ENDPOINT_CAP + end->id, peer->endpoint,
			seL4_CapRights_new(0, 1, 1, 1), BIT(BADGE_CALL_BIT) | end->peer_id);
	return error;
}

static seL4_Error irq_get(const struct system_irq *irq, seL4_CPtr slot) {
	const uint32_t *arguments = irq->arguments;

	if (irq->kind == SYSTEM_IRQ_IOAPIC)
		return seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, seL4_CapInitThreadCNode, slot,
			seL4_WordBits, arguments[0], arguments[1], arguments[2], arguments[3],
			irq->vector);
	return seL4_IRQControl_GetMSI(seL4_CapIRQControl, seL4_CapInitThreadCNode, slot,
		seL4_WordBits, arguments[0], arguments[1], arguments[2], arguments[3], irq->vector);
}

static seL4_Error wire_irq(const struct system *system, const struct system_irq *irq) {
	const struct domain *domain = &system->domains[irq->domain];
	seL4_CPtr slots;
	seL4_Error error;

	if (domain->omitted) return seL4_NoError;
	// The handler stays; the badged notification is only needed for the binding.
	slots = slots_allocate(2);
	if (!slots) return seL4_NotEnoughMemory;
	error = irq_get(irq, slots);
	if (!error)
		error = seL4_CNode_Mint(seL4_CapInitThreadCNode, slots + 1, seL4_WordBits,
			seL4_CapInitThreadCNode, domain->notification, seL4_WordBits,
			seL4_AllRights, BIT(irq->id));
	if (!error) error = seL4_IRQHandler_SetNotification(slots, slots + 1);
	if (!error) error = domain_give(domain, BASE_IRQ_CAP + irq->id, slots, seL4_AllRights, 0);
	return error;
}

static seL4_Error wire_port(const struct system *system, const struct system_port *port) {
	const struct domain *domain = &system->domains[port->domain];
	seL4_CPtr slot;
	seL4_Error error;

	if (domain->omitted) return seL4_NoError;
	slot = slots_allocate(1);
	if (!slot) return seL4_NotEnoughMemory;
	error = seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, port->first, port->last,
		seL4_CapInitThreadCNode, slot, seL4_WordBits);
	if (!error)
		error = domain_give(domain, BASE_IOPORT_CAP + port->id, slot, seL4_AllRights, 0);
	return error;
}

seL4_Error wire_all(struct system *system) {
	const struct image *image = &system->image;
	seL4_Error error = seL4_NoError;

	for (uint32_t i = 0; !error && i < image_count(image, SYSTEM_ENDS); i++) {
		error = wire_end(system, &image->ends[i]);
		if (error)
			system_report(
				error, "channel of", image->domains[image->ends[i].domain].name);
	}
	for (uint32_t i = 0; !error && i < image_count(image, SYSTEM_IRQS); i++) {
		error = wire_irq(system, &image->irqs[i]);
		if (error)
			system_report(
				error, "interrupt of", image->domains[image->irqs[i].domain].name);
	}
	for (uint32_t i = 0; !error && i < image_count(image, SYSTEM_PORTS); i++) {
		error = wire_port(system, &image->ports[i]);
		if (error)
			system_report(
				error, "I/O port of", image->domains[image->ports[i].domain].name);
	}
	return error;
}
