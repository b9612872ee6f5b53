// SPDX-License-Identifier: BSD-2-Clause
// Interrupt objects: issue, delivery, acknowledgement, end.
#include "test.h"
#include "world.h"

#include <ipc/irq.h>
#include <kernel.h>
#include <ipc/notification.h>
#include <string.h>
#include <x86/ioapic.h>

enum {
	CONTROL = 1,
	NOTIFICATION,
	HANDLER,
	HANDLER_COPY,
	WINDOW,
	READ_ONLY,
	VECTOR = 7,
	PIN = 9,
};

static void start(void) {
	struct slot *s;
	struct cap cap;

	world_start(20);
	s = world.slots;
	derive_insert_original(&s[CONTROL], cap_make(CAP_IRQ_CONTROL, NULL), NULL);
	check(world_make(OBJECT_NOTIFICATION, 0, NOTIFICATION, 1) == ERROR_NONE);
	cap = s[NOTIFICATION].cap;
	cap.rights = RIGHT_READ;
	derive_insert_copy(&s[READ_ONLY], cap, &s[NOTIFICATION]);
	cap = cap_make(CAP_CNODE, world.slots);
	cap.size_bits = 12;
	derive_insert_original(&s[WINDOW], cap, NULL);
}

static struct call get(enum invocation_label label, uint64_t vector) {
	return (struct call){.slot = CONTROL,
		.label = label,
		.length = 7,
		.caps = 1,
		.words = {HANDLER, 12, 1, PIN, 1, 1, vector},
		.cap_slots = {WINDOW}};
}

static enum error handler(enum invocation_label label, unsigned cap) {
	return world_call(&(struct call){
		.slot = HANDLER, .label = label, .caps = cap != 0, .cap_slots = {cap}});
}

static bool is_range(enum error error, uint64_t high) {
	return error == ERROR_RANGE && payload(0) == 0 && payload(1) == high;
}

static enum error get_with(enum invocation_label label, unsigned word, uint64_t value) {
	struct call call = get(label, VECTOR);

	call.words[word] = value;
	return world_call(&call);
}

static void issue_errors(void) {
	struct call call = get(LABEL_IRQ_CONTROL_GET_IOAPIC, VECTOR);

	start();
	check(world_call(&(struct call){
		      .slot = CONTROL, .label = LABEL_IRQ_CONTROL_GET, .length = 3, .caps = 1}) ==
		ERROR_ILLEGAL_OPERATION);
	call.length = 6;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 6, 108), 107));
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 1, 0) == ERROR_RANGE);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 0, NOTIFICATION) == ERROR_DELETE_FIRST);
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 2, HOST_IOAPICS), HOST_IOAPICS - 1));
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, HOST_PINS), HOST_PINS - 1));
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 4, 2), 1));
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 5, 2), 1));
	host.ioapics = 0;
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 2, 0) == ERROR_ILLEGAL_OPERATION);
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_MSI, 2, 256), 255));
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_MSI, 3, 32), 31));
	check(is_range(get_with(LABEL_IRQ_CONTROL_GET_MSI, 4, 8), 7));
	check(slot_is_empty(&world.slots[HANDLER]));
	check(get_with(LABEL_IRQ_CONTROL_GET_MSI, 3, 0) == ERROR_NONE);
	check(get_with(LABEL_IRQ_CONTROL_GET_MSI, 3, 0) == ERROR_REVOKE_FIRST);
}

// A second handler of the source, in another slot and with another vector; word is its change.
static enum error get_second(enum invocation_label label, unsigned word, uint64_t value) {
	struct call call = get(label, VECTOR + 1);

	call.words[0] = HANDLER_COPY;
	call.words[word] = value;
	return world_call(&call);
}

static void one_source(void) {
	enum invocation_label pin = LABEL_IRQ_CONTROL_GET_IOAPIC;
	enum invocation_label message = LABEL_IRQ_CONTROL_GET_MSI;

	start();
	check(get_with(pin, 3, PIN) == ERROR_NONE);
	check(get_second(pin, 3, PIN) == ERROR_REVOKE_FIRST);
	check(get_second(pin, 4, 0) == ERROR_REVOKE_FIRST); // level or edge: the same pin
	check(slot_is_empty(&world.slots[HANDLER_COPY]));
	check(host.pins[1][PIN].vector == USER_VECTOR_OFFSET + VECTOR);
	check(get_second(pin, 2, 0) == ERROR_NONE); // of another IOAPIC
	check(slot_delete(&world.slots[HANDLER_COPY]) == ERROR_NONE);
	check(get_second(pin, 3, PIN + 1) == ERROR_NONE);
	check(slot_delete(&world.slots[HANDLER_COPY]) == ERROR_NONE);
	check(get_second(message, 4, 1) == ERROR_NONE); // the same numbers, but a message
	check(slot_delete(&world.slots[HANDLER_COPY]) == ERROR_NONE);
	check(slot_delete(&world.slots[HANDLER]) == ERROR_NONE);
	check(get_second(pin, 3, PIN) == ERROR_NONE); // free again
	check(slot_delete(&world.slots[HANDLER_COPY]) == ERROR_NONE);
	check(get_with(message, 2, 1) == ERROR_NONE);
	check(get_second(message, 2, 1) == ERROR_REVOKE_FIRST);
	for (unsigned word = 2; word < 6; word++) {
		check(get_second(message, word, 0) == ERROR_NONE);
		check(slot_delete(&world.slots[HANDLER_COPY]) == ERROR_NONE);
	}
}

static struct cpu other;

static void chosen_core(void) {
	struct call call = {.slot = HANDLER, .label = LABEL_IRQ_HANDLER_SET_CORE, .length = 1};

	start();
	host_start_core(&other, this_cpu()->kernel);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_NONE);
	call.words[0] = 1;
	check(world_call(&call) == ERROR_NONE);
	check(host.pins[1][PIN].high == other.start.apic_id << REDIRECTION_TARGET_SHIFT);
	call.words[0] = 0;
	check(world_call(&call) == ERROR_NONE);
	check(host.pins[1][PIN].high == this_cpu()->start.apic_id << REDIRECTION_TARGET_SHIFT);
	call.words[0] = 2;
	check(is_range(world_call(&call), 1));
}

// What a message has to be for that, and which cores one can name.
static void message(void) {
	struct call call = {
		.slot = HANDLER, .label = LABEL_IRQ_HANDLER_SET_CORE, .length = 1, .words = {1}};

	start();
	host_start_core(&other, this_cpu()->kernel);
	check(get_with(LABEL_IRQ_CONTROL_GET_MSI, 3, 0) == ERROR_NONE);
	other.start.apic_id = 254;
	check(world_call(&call) == ERROR_NONE && payload(0) == 254);
	check(payload(1) == 0xfeefe000 && payload(2) == USER_VECTOR_OFFSET + VECTOR);
	other.start.apic_id = 255;
	check(world_call(&call) == ERROR_ILLEGAL_OPERATION);
}

// Where interrupts are remapped

static struct iommu_interrupt entries[256]; // target 0: none passes

static uint32_t entry_set(unsigned vector, const struct iommu_interrupt *interrupt) {
	entries[vector] = interrupt ? *interrupt : (struct iommu_interrupt){};
	return 0xabc0000;
}

static void start_remapped(void) {
	static struct iommu iommu;

	start();
	iommu = (struct iommu){
		.set_interrupt = entry_set, .message = 0xfee12340, .last_target = 1000};
	host_start_core(&other, this_cpu()->kernel);
	other.start.apic_id = 1000;
	this_cpu()->start.apic_id = 3;
	this_cpu()->platform->iommu = &iommu;
	memset(entries, 0, sizeof(entries));
}

static void remapped_pin(void) {
	struct call call = {
		.slot = HANDLER, .label = LABEL_IRQ_HANDLER_SET_CORE, .length = 1, .words = {1}};
	const struct iommu_interrupt *entry = &entries[USER_VECTOR_OFFSET + VECTOR];

	start_remapped();
	this_cpu()->platform->ioapics[1].source = 0xf0f8;
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_NONE);
	check(entry->target == 3 && entry->source == 0xf0f8 && entry->is_level);
	check(host.pins[1][PIN].high == 0xabc0000 && host.pins[1][PIN].unmasked);
	check(world_call(&call) == ERROR_NONE && entry->target == 1000);
	check(entry->source == 0xf0f8 && entry->is_level);
	check(slot_delete(&world.slots[HANDLER]) == ERROR_NONE && entry->target == 0);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 4, 0) == ERROR_NONE && !entry->is_level);
}

static void remapped_message(void) {
	struct call call = get(LABEL_IRQ_CONTROL_GET_MSI, VECTOR);
	struct call set = {
		.slot = HANDLER, .label = LABEL_IRQ_HANDLER_SET_CORE, .length = 1, .words = {1}};
	const struct iommu_interrupt *entry = &entries[USER_VECTOR_OFFSET + VECTOR];

	start_remapped();
	call.words[2] = 0x12; // bus, device, function
	call.words[3] = 0x1e;
	call.words[4] = 7;
	check(world_call(&call) == ERROR_NONE);
	check(entry->target == 3 && entry->source == 0x12f7 && !entry->is_level);
	check(world_call(&set) == ERROR_NONE && entry->target == 1000);
	check(payload(0) == 1000 && payload(1) == 0xfee12340);
	check(payload(2) == USER_VECTOR_OFFSET + VECTOR);
	other.start.apic_id = 1001;
	check(world_call(&set) == ERROR_ILLEGAL_OPERATION && entry->target == 1000);
	check(slot_delete(&world.slots[HANDLER]) == ERROR_NONE && entry->target == 0);
}

// The core that makes a handler may be one that cannot be named: then it is the first one's.
static void unreachable_maker(void) {
	start_remapped();
	this_cpu()->platform->iommu->last_target = 2;
	this_cpu()->platform->cores[0] = &other;
	other.start.apic_id = 1;
	check(get_with(LABEL_IRQ_CONTROL_GET_MSI, 3, 0) == ERROR_NONE);
	check(entries[USER_VECTOR_OFFSET + VECTOR].target == 1);
}

static void delivery(void) {
	const struct host_pin *pin = &host.pins[1][PIN];
	const struct notification *notification;
	const struct irq *irq;

	start();
	notification = cap_object(&world.slots[NOTIFICATION].cap);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_NONE);
	check(pin->unmasked && pin->vector == USER_VECTOR_OFFSET + VECTOR);
	check(pin->level == 1 && pin->polarity == 1);
	irq_arrived(VECTOR);
	check(!pin->unmasked && notification->word == 0);
	check(handler(LABEL_IRQ_HANDLER_ACK, 0) == ERROR_NONE && pin->unmasked);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, 0) == ERROR_TRUNCATED_MESSAGE);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, READ_ONLY) == ERROR_INVALID_CAPABILITY);
	check(payload(0) == 0);
	world.slots[NOTIFICATION].cap.badge = 0x40;
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, NOTIFICATION) == ERROR_NONE);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, NOTIFICATION) == ERROR_NONE);
	irq_arrived(VECTOR);
	check(!pin->unmasked && notification->word == 0x40);
	check(handler(LABEL_IRQ_HANDLER_CLEAR, 0) == ERROR_NONE && !pin->unmasked);
	irq = cap_object(&world.slots[HANDLER].cap);
	check(slot_is_empty(&irq->notification));
	irq_arrived(107);
}

// Without notification a level is there after Ack, an edge or a message is not.
static void counted(void) {
	const uint64_t *counts;

	start();
	counts = this_kernel()->irqs.counts;
	irq_arrived(VECTOR);
	check(counts[0] == 1 && counts[1] == 0);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 4, 1) == ERROR_NONE);
	irq_arrived(VECTOR);
	check(counts[0] == 1 && counts[1] == 0);
	check(slot_delete(&world.slots[HANDLER]) == ERROR_NONE);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 4, 0) == ERROR_NONE);
	irq_arrived(VECTOR);
	check(counts[0] == 1 && counts[1] == 1);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, NOTIFICATION) == ERROR_NONE);
	irq_arrived(VECTOR);
	irq_arrived(VECTOR);
	check(counts[1] == 1);
	check(slot_delete(&world.slots[HANDLER]) == ERROR_NONE);
	check(get_with(LABEL_IRQ_CONTROL_GET_MSI, 2, 1) == ERROR_NONE);
	irq_arrived(VECTOR);
	check(counts[0] == 1 && counts[1] == 2);
}

static void end(void) {
	const struct irq *irq;
	struct slot *s;

	start();
	s = world.slots;
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_NONE);
	irq = cap_object(&s[HANDLER].cap);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, NOTIFICATION) == ERROR_NONE);
	derive_insert_copy(&s[HANDLER_COPY], s[HANDLER].cap, &s[HANDLER]);
	check(slot_delete(&s[HANDLER]) == ERROR_NONE && host.pins[1][PIN].unmasked);
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_REVOKE_FIRST);
	check(slot_revoke(&s[CONTROL]) == ERROR_NONE && slot_is_empty(&s[HANDLER_COPY]));
	check(!host.pins[1][PIN].unmasked && slot_is_empty(&irq->notification));
	check(get_with(LABEL_IRQ_CONTROL_GET_IOAPIC, 3, PIN) == ERROR_NONE);
	check(handler(LABEL_IRQ_HANDLER_SET_NOTIFICATION, NOTIFICATION) == ERROR_NONE);
	check(slot_revoke(&s[0]) == ERROR_NONE);
	check(slot_is_empty(&irq->notification));
	irq_arrived(VECTOR);
	check(!host.pins[1][PIN].unmasked);
}

static const struct test rows[] = {
	{"IRQ001", "a handler is refused in the order of the ABI", issue_errors},
	{"IRQ002", "an interrupt signals, masks its pin, and Ack unmasks it", delivery},
	{"IRQ004", "a pin and a message have one handler, whatever its vector", one_source},
	{"IRQ003", "the last handler capability frees the vector", end},
	{"IRQ006", "interrupts without handler are counted, and those that are lost", counted},
	{"IRQ005", "an interrupt comes to the core that was chosen last", chosen_core},
	{"IRQ007", "SetCore answers what a message has to be", message},
	{"IRQ008", "a remapped pin has an entry with its I/O APIC as the source", remapped_pin},
	{"IRQ009", "a remapped message has one with its device, and any core", remapped_message},
	{"IRQ010", "a core that has no id to be named by is not", unreachable_maker},
};

TESTS(irq_tests);
