// SPDX-License-Identifier: BSD-2-Clause
// Interrupt objects: one a user vector, routed from an IOAPIC pin or sent by a device as a message.
#include <ipc/irq.h>

#include <cap/invocation.h>
#include <kernel.h>
#include <ipc/notification.h>
#include <x86/ioapic.h>

// mask: REDIRECTION_MASKED or 0, of a pin.
static void irq_set_mask(const struct irq *irq, uint32_t mask) {
	if (irq->state == IRQ_IOAPIC)
		ioapic_set_route(
			(unsigned)irq->source[0], (unsigned)irq->source[1], irq->route | mask);
}

void irq_arrived(unsigned number) {
	const struct irq *irq = &this_kernel()->irqs.rows[number];
	const struct cap *cap = &irq->notification.cap;

	irq_set_mask(irq, REDIRECTION_MASKED);
	apic_end_of_interrupt();
	if (cap->type == CAP_NOTIFICATION)
		notification_signal_last(cap_object(cap), cap->badge);
	else if (irq->state == IRQ_FREE || !(irq->route & REDIRECTION_LEVEL))
		irq_count(USER_VECTOR_OFFSET + number,
			irq->state == IRQ_FREE ? IRQ_UNEXPECTED : IRQ_LOST);
}

void irq_count(unsigned vector, enum irq_loss loss) {
	uint64_t count = ++this_kernel()->irqs.counts[loss];
	const char *what = loss == IRQ_LOST ? "lost" : "unexpected";

	if ((count & (count - 1)) == 0)
		print("irq: %s interrupt, vector %u; %lu %s so far\n", what, vector, count, what);
}

// What both Get operations check first: the vector in word 6, then the destination slot.
static enum error irq_check(struct invocation *invocation, struct slot **slot, struct irq **irq) {
	uint64_t vector = invocation_word(invocation, 6);
	struct irq *irqs = this_kernel()->irqs.rows;

	if (vector >= USER_IRQ_VECTORS) return error_range(invocation, 0, USER_IRQ_VECTORS - 1);
	if (irqs[vector].state != IRQ_FREE) return ERROR_REVOKE_FIRST;
	*irq = &irqs[vector];
	return invocation_empty_slot(invocation, &invocation->caps[0]->cap, 0, slot);
}

// One source has one handler: a pin has one vector, and its driver acknowledges for all.
static enum error irq_give(struct invocation *invocation, struct slot *slot, struct irq *irq,
	const struct irq *given) {
	const struct irq *irqs = this_kernel()->irqs.rows;

	for (unsigned i = 0; i < USER_IRQ_VECTORS; i++)
		if (irqs[i].state == given->state && irqs[i].source[0] == given->source[0] &&
			irqs[i].source[1] == given->source[1])
			return ERROR_REVOKE_FIRST;
	*irq = *given;
	derive_insert_copy(slot, cap_make(CAP_IRQ_HANDLER, irq), invocation->slot);
	return ERROR_NONE;
}

// Only machines without an I/O APIC could serve it.
enum error irq_control_get(struct invocation *) { return ERROR_ILLEGAL_OPERATION; }

enum error irq_control_get_ioapic(struct invocation *invocation) {
	uint64_t ioapic = invocation_word(invocation, 2), pin = invocation_word(invocation, 3);
	uint64_t level = invocation_word(invocation, 4), polarity = invocation_word(invocation, 5);
	struct irq *irq;
	struct slot *slot;
	enum error error = irq_check(invocation, &slot, &irq);

	if (error) return error;
	if (ioapic_count() == 0) return ERROR_ILLEGAL_OPERATION;
	if (ioapic >= ioapic_count()) return error_range(invocation, 0, ioapic_count() - 1);
	if (pin >= ioapic_pins((unsigned)ioapic))
		return error_range(invocation, 0, ioapic_pins((unsigned)ioapic) - 1);
	if (level > 1 || polarity > 1) return error_range(invocation, 0, 1);
	error = irq_give(
		invocation, slot, irq, &(struct irq){.state = IRQ_IOAPIC, .source = {ioapic, pin}});
	if (!error)
		irq->route = ioapic_route((unsigned)ioapic, (unsigned)pin,
			USER_VECTOR_OFFSET + (unsigned)(irq - this_kernel()->irqs.rows),
			(unsigned)level, (unsigned)polarity);
	return error;
}

enum error irq_control_get_msi(struct invocation *invocation) {
	static const uint8_t largest[] = {255, 31, 7}; // bus, device, function
	struct irq given = {.state = IRQ_MESSAGE, .source = {0, invocation_word(invocation, 5)}};
	struct irq *irq;
	struct slot *slot;
	enum error error = irq_check(invocation, &slot, &irq);

	if (error) return error;
	for (unsigned i = 0; i < sizeof(largest); i++) {
		if (invocation_word(invocation, 2 + i) > largest[i])
			return error_range(invocation, 0, largest[i]);
		given.source[0] = given.source[0] << 8 | invocation_word(invocation, 2 + i);
	}
	return irq_give(invocation, slot, irq, &given);
}

enum error irq_handler_ack(struct invocation *invocation) {
	irq_set_mask(invocation_object(invocation), 0);
	return ERROR_NONE;
}

enum error irq_handler_set_notification(struct invocation *invocation) {
	struct irq *irq = invocation_object(invocation);
	struct slot *source = invocation->caps[0];
	enum error error;

	if (source->cap.type != CAP_NOTIFICATION || !(source->cap.rights & RIGHT_WRITE))
		return error_capability(invocation, 0);
	error = slot_delete(&irq->notification);
	if (error) return error;
	derive_insert_copy(&irq->notification, source->cap, source);
	return ERROR_NONE;
}

// From now on it comes to this core. A message goes where its device sends it: the answer is the id
// of the core's APIC, which the message's address names (SDM 3A 11.11.1).
enum error irq_handler_set_core(struct invocation *invocation) {
	const struct irq *irq = invocation_object(invocation);
	const struct platform *platform = &this_kernel()->platform;
	uint64_t core = invocation_word(invocation, 0);
	uint32_t id;

	if (core >= platform->core_count)
		return error_range(invocation, 0, platform->core_count - 1);
	id = platform->cores[core]->start.apic_id;
	if (id > UINT8_MAX) return ERROR_ILLEGAL_OPERATION;
	if (irq->state == IRQ_IOAPIC)
		ioapic_set_target((unsigned)irq->source[0], (unsigned)irq->source[1], id);
	return invocation_return(invocation, id);
}

enum error irq_handler_clear(struct invocation *invocation) {
	struct irq *irq = invocation_object(invocation);

	return slot_delete(&irq->notification);
}

// Without its last handler the vector is free again (IRQ-1).
void irq_handler_destroy(struct slot *slot, bool last) {
	struct irq *irq = cap_object(&slot->cap);

	if (!last) return;
	if (slot_delete_step(&irq->notification)) {
		slot->next |= SLOT_UNFINISHED;
		return;
	}
	irq_set_mask(irq, REDIRECTION_MASKED);
	irq->state = IRQ_FREE;
}
