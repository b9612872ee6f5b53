// SPDX-License-Identifier: BSD-2-Clause
// Channels, children, shared capabilities, interrupts and I/O ports: capabilities with the badges
// and slots of Microkit.
#include <root/wire.h>

#include <microkit.h>
#include <sel4/nacre.h>

#include <base/bits.h>
#include <user/print.h>

#include <root/cores.h>
#include <root/domain.h>
#include <root/group.h>

// Whether a link between two domains is made in this pass: both are started, and one of them
// belongs to the group.
static bool joins(const struct system *system, unsigned group, uint32_t first, uint32_t second) {
	if (system->domains[first].omitted || system->domains[second].omitted) return false;
	return group_matches(group, group_of_domain(system, first)) ||
		group_matches(group, group_of_domain(system, second));
}

static seL4_Error wire_end(struct system *system, unsigned group, uint32_t index) {
	const struct system_end *end = &system->image.ends[index];
	const struct domain *domain = &system->domains[end->domain];
	const struct domain *peer = &system->domains[end->peer];
	seL4_Error error = seL4_NoError;

	// What is rebuilt is reached by the capabilities that others have.
	if (!joins(system, group, end->domain, end->peer) ||
		!group_matches(group, group_of_domain(system, end->domain)))
		return seL4_NoError;
	if (end->flags & SYSTEM_END_NOTIFY)
		error = domain_give(domain, BASE_OUTPUT_NOTIFICATION_CAP + end->id,
			peer->notification, seL4_ReadWrite, BIT(end->peer_id));
	if (!error && (end->flags & SYSTEM_END_CALL))
		error = domain_give(domain, BASE_ENDPOINT_CAP + end->id, peer->endpoint,
			seL4_CapRights_new(0, 1, 1, 1), BIT(BADGE_CALL_BIT) | end->peer_id);
	return error;
}

// A parent controls the threads of its children.
static seL4_Error wire_child(struct system *system, unsigned group, uint32_t index) {
	const struct system_domain *record = &system->image.domains[index];

	if (record->parent == SYSTEM_NONE || !joins(system, group, index, record->parent))
		return seL4_NoError;
	return domain_give(&system->domains[record->parent], BASE_TCB_CAP + record->child_id,
		system->domains[index].tcb, seL4_AllRights, 0);
}

static seL4_Error wire_cap(struct system *system, unsigned group, uint32_t index) {
	const struct system_cap *cap = &system->image.caps[index];
	const struct domain *target = &system->domains[cap->target];
	const seL4_CPtr caps[SYSTEM_CAP_KINDS] = {
		[SYSTEM_CAP_TCB] = target->tcb,
		[SYSTEM_CAP_SCHED_CONTEXT] = target->sched_context,
		[SYSTEM_CAP_SPACE] = target->space.root,
	};

	if (!joins(system, group, cap->domain, cap->target)) return seL4_NoError;
	return seL4_CNode_Copy(system->domains[cap->domain].root_cnode, cap->slot, PD_ROOT_CAP_BITS,
		seL4_CapInitThreadCNode, caps[cap->kind], seL4_WordBits, seL4_AllRights);
}

// Handler and notification live as long as the system.
static seL4_Error wire_irq(struct system *system, unsigned group, uint32_t index) {
	const struct system_irq *irq = &system->image.irqs[index];
	const struct domain *domain = &system->domains[irq->domain];
	seL4_CPtr handler = system->irqs[index];
	seL4_Error error;

	if (!handler || !joins(system, group, irq->domain, irq->domain)) return seL4_NoError;
	error = domain_give(domain, BASE_IRQ_CAP + irq->id, handler, seL4_AllRights, 0);
	if (error || group != GROUP_ALL) return error;
	error = seL4_CNode_Mint(seL4_CapInitThreadCNode, handler + 1, seL4_WordBits,
		seL4_CapInitThreadCNode, domain->notification, seL4_WordBits, seL4_AllRights,
		BIT(irq->id));
	// Core 0 passes the signal on. A message's driver has its address written
	// (nacre/pci_client.h).
	if (!error && nacre_IRQHandler_SetCore(handler, cores_of_irq(system, irq), NULL))
		print("system: '%s': interrupt %u comes to core 0, as the id of the APIC of core "
		      "%lu is too large\n",
			system->image.domains[irq->domain].name, irq->id,
			cores_of_irq(system, irq));
	return error ? error : seL4_IRQHandler_SetNotification(handler, handler + 1);
}

static seL4_Error wire_port(struct system *system, unsigned group, uint32_t index) {
	const struct system_port *port = &system->image.ports[index];
	const struct domain *domain = &system->domains[port->domain];

	if (!joins(system, group, port->domain, port->domain)) return seL4_NoError;
	return domain_give(
		domain, BASE_IOPORT_CAP + port->id, system->ports[index], seL4_AllRights, 0);
}

static uint32_t end_owner(const struct image *image, uint32_t index) {
	return image->ends[index].domain;
}

static uint32_t child_owner(const struct image *, uint32_t index) { return index; }

static uint32_t cap_owner(const struct image *image, uint32_t index) {
	return image->caps[index].domain;
}

static uint32_t irq_owner(const struct image *image, uint32_t index) {
	return image->irqs[index].domain;
}

static uint32_t port_owner(const struct image *image, uint32_t index) {
	return image->ports[index].domain;
}

static const struct wire_row {
	enum system_table_kind table;
	seL4_Error (*wire)(struct system *system, unsigned group, uint32_t index);
	uint32_t (*owner)(const struct image *image, uint32_t index);
	const char *what;
} wire_rows[] = {
	{SYSTEM_ENDS, wire_end, end_owner, "channel of"},
	{SYSTEM_DOMAINS, wire_child, child_owner, "child"},
	{SYSTEM_CAPS, wire_cap, cap_owner, "shared capability of"},
	{SYSTEM_IRQS, wire_irq, irq_owner, "interrupt of"},
	{SYSTEM_PORTS, wire_port, port_owner, "I/O port of"},
};

seL4_Error wire_group(struct system *system, unsigned group) {
	const struct image *image = &system->image;

	for (unsigned row = 0; row < sizeof(wire_rows) / sizeof(wire_rows[0]); row++) {
		const struct wire_row *kind = &wire_rows[row];

		for (uint32_t i = 0; i < image_count(image, kind->table); i++) {
			seL4_Error error = kind->wire(system, group, i);

			if (error)
				return system_report(error, kind->what,
					image->domains[kind->owner(image, i)].name);
		}
	}
	return seL4_NoError;
}
