// SPDX-License-Identifier: BSD-2-Clause
// Tests: interrupt control and handlers, with the real-time clock as a source (IRQ-1 to IRQ-9).
#include "card.h"

enum {
	VECTOR = 20,
	RTC_PIN = 8,
	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
	RTC_STATUS_A = 0x0a,
	RTC_STATUS_B = 0x0b,
	RTC_STATUS_C = 0x0c,
	RTC_PERIODIC = 1 << 6,
};

static struct message get_ioapic(uint64_t slot, struct words words) {
	uint64_t all[7] = {slot, DEPTH};

	for (unsigned index = 0; index < words.count; index++)
		all[2 + index] = words.items[index];
	return invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_IOAPIC, CAPS(ROOT_SLOT_CNODE),
		(struct words){2 + words.count, all});
}

static struct message get_msi(uint64_t slot, struct words words) {
	uint64_t all[7] = {slot, DEPTH};

	for (unsigned index = 0; index < words.count; index++)
		all[2 + index] = words.items[index];
	return invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_MSI, CAPS(ROOT_SLOT_CNODE),
		(struct words){2 + words.count, all});
}

static void control_label(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, 0, CAPS(ROOT_SLOT_CNODE), WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, slot, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET, CAPS(), WORDS(1, slot, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, slot)),
		ERROR_TRUNCATED_MESSAGE);
}

static void ioapic_errors(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(get_ioapic(slot, WORDS(0, RTC_PIN, 0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_IOAPIC, CAPS(),
			    WORDS(slot, DEPTH, 0, RTC_PIN, 0, 0, VECTOR)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(get_ioapic(slot, WORDS(0, RTC_PIN, 0, 0, 108)), ERROR_RANGE, 0, 107);
	CHECK_ERROR(get_ioapic(ROOT_SLOT_TCB, WORDS(0, RTC_PIN, 0, 0, VECTOR)), ERROR_DELETE_FIRST);
	CHECK_ERROR(get_ioapic(slot, WORDS(0, 24, 0, 0, VECTOR)), ERROR_RANGE, 0, 23);
	CHECK_ERROR(get_ioapic(slot, WORDS(0, RTC_PIN, 2, 0, VECTOR)), ERROR_RANGE, 0, 1);
	CHECK_ERROR(get_ioapic(slot, WORDS(0, RTC_PIN, 0, 2, VECTOR)), ERROR_RANGE, 0, 1);
	CHECK_ERROR(get_ioapic(slot, WORDS(64, RTC_PIN, 0, 0, VECTOR)), ERROR_RANGE, 0, 0);
}

static void target_lookup(void) {
	static const uint64_t gets[] = {LABEL_IRQ_CONTROL_GET_IOAPIC, LABEL_IRQ_CONTROL_GET_MSI};
	uint64_t slot = slot_take();

	for (unsigned index = 0; index < array_count(gets); index++) {
		CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, gets[index], CAPS(ROOT_SLOT_TCB),
				    WORDS(slot, DEPTH, 0, 1, 0, 0, VECTOR)),
			ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
		CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, gets[index], CAPS(ROOT_SLOT_CNODE),
				    WORDS(slot, 0, 0, 1, 0, 0, VECTOR)),
			ERROR_RANGE, 1, 64);
		CHECK_ERROR(invoke(ROOT_SLOT_IRQ_CONTROL, gets[index], CAPS(ROOT_SLOT_CNODE),
				    WORDS(slot, 63, 0, 1, 0, 0, VECTOR)),
			ERROR_FAILED_LOOKUP, 0, LOOKUP_DEPTH_MISMATCH, 63, 64);
	}
}

static void msi_errors(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(get_msi(slot, WORDS(0, 0, 0, 0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(get_msi(slot, WORDS(0, 0, 0, 0, 108)), ERROR_RANGE, 0, 107);
	CHECK_ERROR(get_msi(ROOT_SLOT_TCB, WORDS(0, 0, 0, 0, VECTOR)), ERROR_DELETE_FIRST);
	CHECK_ERROR(get_msi(slot, WORDS(256, 0, 0, 0, VECTOR)), ERROR_RANGE, 0, 255);
	CHECK_ERROR(get_msi(slot, WORDS(0, 32, 0, 0, VECTOR)), ERROR_RANGE, 0, 31);
	CHECK_ERROR(get_msi(slot, WORDS(0, 0, 8, 0, VECTOR)), ERROR_RANGE, 0, 7);
	CHECK_OK(get_msi(slot, WORDS(0, 3, 0, 0, VECTOR)));
	CHECK_EQUAL(cap_kind(slot), KIND_IRQ_HANDLER);
	CHECK_OK(invoke(slot, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS()));
}

static void one_handler(void) {
	uint64_t slot = slot_take();
	uint64_t other = slot_take();
	uint64_t copy;

	CHECK_OK(get_msi(slot, WORDS(0, 3, 0, 0, VECTOR)));
	CHECK_ERROR(get_msi(other, WORDS(0, 4, 0, 0, VECTOR)), ERROR_REVOKE_FIRST);
	CHECK_ERROR(get_ioapic(other, WORDS(0, RTC_PIN, 0, 0, VECTOR)), ERROR_REVOKE_FIRST);
	copy = cap_copy(slot);
	CHECK_OK(cap_delete(slot));
	CHECK_ERROR(get_msi(other, WORDS(0, 4, 0, 0, VECTOR)), ERROR_REVOKE_FIRST);
	CHECK_OK(cap_delete(copy));
	CHECK_OK(get_msi(other, WORDS(0, 4, 0, 0, VECTOR)));
	CHECK_OK(cap_revoke(ROOT_SLOT_IRQ_CONTROL));
	CHECK_EQUAL(cap_kind(other), KIND_NULL);
}

static void one_source(void) {
	uint64_t slot = slot_take();
	uint64_t other = slot_take();

	CHECK_OK(get_ioapic(slot, WORDS(0, RTC_PIN, 0, 0, VECTOR)));
	CHECK_ERROR(get_ioapic(other, WORDS(0, RTC_PIN, 1, 1, VECTOR + 1)), ERROR_REVOKE_FIRST);
	CHECK_OK(get_ioapic(other, WORDS(0, RTC_PIN + 1, 0, 0, VECTOR + 1)));
	CHECK_OK(cap_delete(other));
	CHECK_OK(cap_delete(slot));
	CHECK_OK(get_ioapic(other, WORDS(0, RTC_PIN, 0, 0, VECTOR + 1)));
	CHECK_OK(get_msi(slot, WORDS(1, 2, 3, 4, VECTOR)));
	CHECK_OK(cap_delete(other));
	CHECK_ERROR(get_msi(other, WORDS(1, 2, 3, 4, VECTOR + 1)), ERROR_REVOKE_FIRST);
	CHECK_OK(get_msi(other, WORDS(1, 2, 3, 5, VECTOR + 1)));
}

static void handler_errors(void) {
	uint64_t handler = slot_take();
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	CHECK_OK(get_msi(handler, WORDS(0, 3, 0, 0, VECTOR)));
	CHECK_ERROR(invoke(handler, 0, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(
		invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(ROOT_SLOT_TCB), WORDS()),
		ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
			    CAPS(cap_copy_rights(notification, RIGHT_READ)), WORDS()),
		ERROR_INVALID_CAPABILITY, 0);
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(notification), WORDS()));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		CAPS(cap_copy_rights(notification, RIGHT_WRITE)), WORDS()));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_CLEAR, CAPS(), WORDS()));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_CLEAR, CAPS(), WORDS()));
}

struct clock {
	uint64_t ports;
	uint64_t handler;
	uint64_t notification;
};

static uint64_t clock_register(const struct clock *clock, uint64_t index) {
	CHECK_OK(invoke(clock->ports, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(RTC_INDEX, index)));
	return invoke(clock->ports, LABEL_PORT_RANGE_IN8, CAPS(), WORDS(RTC_DATA)).words[0];
}

static void clock_register_set(const struct clock *clock, uint64_t index, uint64_t value) {
	CHECK_OK(invoke(clock->ports, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(RTC_INDEX, index)));
	CHECK_OK(invoke(clock->ports, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(RTC_DATA, value)));
}

// The real-time clock with 1024 interrupts a second, routed to VECTOR with badge 0x1c.
static struct clock clock_start(void) {
	struct clock clock = {
		.ports = slot_take(),
		.handler = slot_take(),
		.notification = object_new(OBJECT_NOTIFICATION, 0),
	};

	CHECK_OK(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(RTC_INDEX, RTC_DATA, clock.ports, DEPTH)));
	CHECK_OK(get_ioapic(clock.handler, WORDS(0, RTC_PIN, 0, 0, VECTOR)));
	CHECK_EQUAL(cap_kind(clock.handler), KIND_IRQ_HANDLER);
	CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		CAPS(cap_mint(clock.notification, RIGHTS_ALL, 0x1c)), WORDS()));
	clock_register_set(&clock, RTC_STATUS_A, 0x26);
	(void)clock_register(&clock, RTC_STATUS_C);
	clock_register_set(
		&clock, RTC_STATUS_B, clock_register(&clock, RTC_STATUS_B) | RTC_PERIODIC);
	return clock;
}

static void clock_stop(const struct clock *clock) {
	clock_register_set(
		clock, RTC_STATUS_B, clock_register(clock, RTC_STATUS_B) & ~(uint64_t)RTC_PERIODIC);
	(void)clock_register(clock, RTC_STATUS_C);
}

static void clock_ticks(void) {
	struct clock clock = clock_start();

	for (unsigned tick = 0; tick < 5; tick++) {
		CHECK_EQUAL(ipc_wait(clock.notification).badge, 0x1c);
		(void)clock_register(&clock, RTC_STATUS_C);
		CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS()));
	}
	clock_stop(&clock);
}

static void masked_until_ack(void) {
	struct clock clock = clock_start();

	CHECK_EQUAL(ipc_wait(clock.notification).badge, 0x1c);
	(void)clock_register(&clock, RTC_STATUS_C);
	sleep_microseconds(10000);
	(void)clock_register(&clock, RTC_STATUS_C);
	CHECK_EQUAL(ipc_nb_wait(clock.notification).badge, 0);
	CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS()));
	(void)clock_register(&clock, RTC_STATUS_C);
	CHECK_EQUAL(ipc_wait(clock.notification).badge, 0x1c);
	clock_stop(&clock);
}

static void cleared_is_lost(void) {
	struct clock clock = clock_start();

	CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_CLEAR, CAPS(), WORDS()));
	(void)ipc_nb_wait(clock.notification);
	sleep_microseconds(5000);
	CHECK_EQUAL(ipc_nb_wait(clock.notification).badge, 0);
	CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(clock.notification),
		WORDS()));
	CHECK_OK(invoke(clock.handler, LABEL_IRQ_HANDLER_ACK, CAPS(), WORDS()));
	(void)clock_register(&clock, RTC_STATUS_C);
	(void)ipc_wait(clock.notification);
	clock_stop(&clock);
}

static void deleted_handler(void) {
	struct clock clock = clock_start();

	CHECK_EQUAL(ipc_wait(clock.notification).badge, 0x1c);
	CHECK_OK(cap_delete(clock.handler));
	(void)clock_register(&clock, RTC_STATUS_C);
	sleep_microseconds(5000);
	CHECK_EQUAL(ipc_nb_wait(clock.notification).badge, 0);
	clock_stop(&clock);
}

static void wakes_bound(void) {
	struct clock clock = clock_start();
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	(void)invoke(ROOT_SLOT_TCB, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS());
	CHECK_OK(invoke(
		ROOT_SLOT_TCB, LABEL_TCB_BIND_NOTIFICATION, CAPS(clock.notification), WORDS()));
	CHECK_EQUAL(ipc_recv(endpoint, object_new(OBJECT_REPLY, 0)).badge, 0x1c);
	CHECK_OK(invoke(ROOT_SLOT_TCB, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS()));
	clock_stop(&clock);
}

// The running thread is not affected, nor the handlers of other interrupts, of lower vectors too.
static void stray_messages(void) {
	static const uint8_t vectors[] = {
		16, 17, 18, 19, 20, 21, 29, 30, 31, 32, 46, 47, 156, 157, 158, 200, 254, 255};
	struct card card = card_find();
	uint64_t handler = slot_take(), notification = object_new(OBJECT_NOTIFICATION, 0), address;

	CHECK_OK(get_msi(handler, WORDS(0, card.device >> 3, 0, 0, VECTOR)));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION, CAPS(notification), WORDS()));
	address = invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS(0)).words[1];
	for (unsigned i = 0; i < array_count(vectors); i++) {
		for (unsigned round = 0; round < 2; round++)
			card_send(&card, address, vectors[i]);
		sleep_microseconds(1000);
		card_send(&card, address, 48 + VECTOR);
		(void)ipc_wait(notification);
	}
	CHECK_OK(cap_delete(handler));
	card_send(&card, address, 48 + VECTOR);
}

static const struct test tests[] = {
	{"irq-label", "the control capability knows its operations; the legacy one is refused",
		control_label,
		"IRQIssueIRQHandler/1 IRQIssueIRQHandler/2 X86IRQIssueIRQHandlerIOAPIC/1 "
		"X86IRQIssueIRQHandlerMSI/1"},
	{"irq-ioapic-errors", "GetIOAPIC checks vector, slot, controller, pin, level and polarity",
		ioapic_errors,
		"X86IRQIssueIRQHandlerIOAPIC/2 X86IRQIssueIRQHandlerIOAPIC/3 "
		"X86IRQIssueIRQHandlerIOAPIC/8 X86IRQIssueIRQHandlerIOAPIC/10 "
		"X86IRQIssueIRQHandlerIOAPIC/11 X86IRQIssueIRQHandlerIOAPIC/12 "
		"X86IRQIssueIRQHandlerIOAPIC/13"},
	{"irq-target", "the slot for a handler is looked up", target_lookup,
		"X86IRQIssueIRQHandlerIOAPIC/5 X86IRQIssueIRQHandlerIOAPIC/6 "
		"X86IRQIssueIRQHandlerIOAPIC/7 X86IRQIssueIRQHandlerMSI/5 "
		"X86IRQIssueIRQHandlerMSI/6 X86IRQIssueIRQHandlerMSI/7"},
	{"irq-msi-errors", "GetMSI checks vector, slot and PCI address", msi_errors,
		"X86IRQIssueIRQHandlerMSI/2 X86IRQIssueIRQHandlerMSI/3 "
		"X86IRQIssueIRQHandlerMSI/8 X86IRQIssueIRQHandlerMSI/9 "
		"X86IRQIssueIRQHandlerMSI/10 X86IRQIssueIRQHandlerMSI/11 "
		"X86IRQIssueIRQHandlerMSI/0"},
	{"irq-one", "a vector has one handler until its last capability is gone", one_handler,
		"X86IRQIssueIRQHandlerMSI/4 X86IRQIssueIRQHandlerIOAPIC/4"},
	{"irq-source", "a pin or message has one handler, whatever its vector", one_source,
		"X86IRQIssueIRQHandlerIOAPIC/14 X86IRQIssueIRQHandlerMSI/12"},
	{"irq-handler-errors", "SetNotification wants a notification with Write", handler_errors,
		"IRQSetIRQHandler/1 IRQSetIRQHandler/2 IRQSetIRQHandler/0 IRQClearIRQHandler/0"},
	{"irq-clock", "interrupts arrive as signals with the handler's badge", clock_ticks,
		"X86IRQIssueIRQHandlerIOAPIC/0 IRQAckIRQ/0"},
	{"irq-masked", "a line is masked from delivery to Ack", masked_until_ack, NULL},
	{"irq-cleared", "without a notification interrupts are lost", cleared_is_lost, NULL},
	{"irq-deleted", "deleting the handler silences the line", deleted_handler, NULL},
	{"irq-bound", "an interrupt wakes a thread that receives on an endpoint", wakes_bound,
		NULL},
	{"irq-stray", "a message with a vector that is no handler's concerns no thread",
		stray_messages, NULL},
};

TEST_FILE(irq);
