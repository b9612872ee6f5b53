// SPDX-License-Identifier: BSD-2-Clause
// Interrupt objects: one a user vector, routed from an IOAPIC pin or sent by a device as a message.
#include <ipc/irq.h>

#include <cap/invocation.h>
#include <kernel.h>
#include <ipc/notification.h>
#include <x86/apic.h>
#include <x86/ioapic.h>

enum { LAST_TARGET = UINT8_MAX - 1 }; // the id above means all cores

// mask: REDIRECTION_MASKED or 0, of a pin.
static void irq_set_mask(const struct irq *irq, uint32_t mask) {
	if (irq->state == IRQ_IOAPIC)
		ioapic_set_route(
			(unsigned)irq->source[0], (unsigned)irq->source[1], irq->route | mask);
}

// Null: interrupts pass as they are.
static const struct iommu *remapping(void) {
	const struct iommu *iommu = this_kernel()->platform.iommu;

	return iommu && iommu->set_interrupt ? iommu : NULL;
}

static uint32_t last_target(void) { return remapping() ? remapping()->last_target : LAST_TARGET; }

// It comes to the core whose APIC has this id; but a message that is not remapped, which says so
// itself.
static void irq_set_target(const struct irq *irq, uint32_t id) {
	const struct platform *platform = &this_kernel()->platform;
	unsigned source = (unsigned)irq->source[0];
	bool is_pin = irq->state == IRQ_IOAPIC;
	uint32_t high = id << REDIRECTION_TARGET_SHIFT;

	if (remapping())
		high = remapping()->set_interrupt(irq->route & REDIRECTION_VECTOR,
			&(struct iommu_interrupt){id,
				is_pin ? platform->ioapics[source].source : source,
				irq->route & REDIRECTION_LEVEL});
	if (is_pin) ioapic_set_target(source, (unsigned)irq->source[1], high);
}

bool irq_is_own(unsigned number, const struct cpu *cpu) {
	const struct cap *cap = &this_kernel()->irqs.rows[number].notification.cap;

	return cap->type == CAP_NOTIFICATION && notification_signal_is_own(cap_object(cap), cpu);
}

bool irq_is_acknowledged(const struct slot *slot, struct thread *thread) {
	return *context_tag(&thread->context) == tag_make(LABEL_IRQ_HANDLER_ACK, 0, 0, 0) &&
		slot->cap.type == CAP_IRQ_HANDLER;
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
	uint32_t id = this_cpu()->start.apic_id;

	for (unsigned i = 0; i < USER_IRQ_VECTORS; i++)
		if (irqs[i].state == given->state && irqs[i].source[0] == given->source[0] &&
			irqs[i].source[1] == given->source[1])
			return ERROR_REVOKE_FIRST;
	*irq = *given;
	irq->route |= USER_VECTOR_OFFSET + (uint32_t)(irq - irqs);
	irq_set_mask(irq, REDIRECTION_MASKED); // while its words do not fit together
	irq_set_target(
		irq, id <= last_target() ? id : this_kernel()->platform.cores[0]->start.apic_id);
	irq_set_mask(irq, 0);
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
	return irq_give(invocation, slot, irq,
		&(struct irq){.state = IRQ_IOAPIC,
			.route = (level ? REDIRECTION_LEVEL : 0) |
				(polarity ? REDIRECTION_LOW_ACTIVE : 0),
			.source = {ioapic, pin}});
}

enum error irq_control_get_msi(struct invocation *invocation) {
	static const uint8_t bits[] = {8, 5, 3}; // of bus, device, function
	struct irq given = {.state = IRQ_MESSAGE, .source = {0, invocation_word(invocation, 5)}};
	struct irq *irq;
	struct slot *slot;
	enum error error = irq_check(invocation, &slot, &irq);

	if (error) return error;
	for (unsigned i = 0; i < sizeof(bits); i++) {
		uint64_t word = invocation_word(invocation, 2 + i);

		if (word > bits_mask(bits[i]))
			return error_range(invocation, 0, bits_mask(bits[i]));
		given.source[0] = given.source[0] << bits[i] | word;
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

// From now on it comes to this core. A message that is not remapped goes where its device sends it:
// the answer is the id of the core's APIC, and what to send (SDM 3A 11.11).
enum error irq_handler_set_core(struct invocation *invocation) {
	const struct irq *irq = invocation_object(invocation);
	const struct platform *platform = &this_kernel()->platform;
	uint64_t core = invocation_word(invocation, 0);
	uint32_t id;

	if (core >= platform->core_count)
		return error_range(invocation, 0, platform->core_count - 1);
	id = platform->cores[core]->start.apic_id;
	if (id > last_target()) return ERROR_ILLEGAL_OPERATION;
	irq_set_target(irq, id);
	invocation->results[0] = id;
	invocation->results[1] = remapping() ? remapping()->message
					     : MESSAGE_ADDRESS | id << MESSAGE_TARGET_SHIFT;
	invocation->results[2] = irq->route & REDIRECTION_VECTOR;
	invocation->result_length = 3;
	return ERROR_NONE;
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
	if (remapping()) (void)remapping()->set_interrupt(irq->route & REDIRECTION_VECTOR, NULL);
	irq->state = IRQ_FREE;
}
