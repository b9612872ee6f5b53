// SPDX-License-Identifier: BSD-2-Clause
// Tests: whose interrupts arrive where a unit remaps them (IRQ-12 to IRQ-14).
#include "card.h"

#include <x86/apic.h>

enum {
	VECTOR = 60,
	CPU_VECTOR = 48 + VECTOR,
	USER_VECTORS = 108,
	OTHER_DEVICE = 0x7f08, // that no machine of the tests has
	HANDLES = 40, // numbers from here on are not those of other tests
	PIN = 11,
	ENTRIES = 256,
	BADGE = 0x11,
};

struct sender {
	struct card card;
	uint64_t notification, address;
};

static uint64_t message_handler(uint64_t device, uint64_t vector, uint64_t notification) {
	uint64_t handler = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_MSI, CAPS(ROOT_SLOT_CNODE),
		WORDS(handler, DEPTH, device >> 8, device >> 3 & 31, device & 7, HANDLES + vector,
			vector)));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		CAPS(cap_mint(notification, RIGHTS_ALL, BADGE)), WORDS()));
	return handler;
}

static uint64_t message_address(uint64_t handler) {
	struct message answer = invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS(0));

	CHECK_OK(answer);
	return answer.words[1];
}

// Skips the test where messages are not remapped.
static struct sender sender_find(void) {
	struct sender sender = {
		.card = card_find(), .notification = object_new(OBJECT_NOTIFICATION, 0)};
	uint64_t handler = message_handler(OTHER_DEVICE, VECTOR, sender.notification);

	sender.address = message_address(handler);
	CHECK_OK(cap_delete(handler));
	if (!(sender.address & MESSAGE_REMAPPED)) test_skip("interrupts are not remapped");
	return sender;
}

static void send(const struct sender *sender, uint64_t data) {
	card_send(&sender->card, sender->address, data);
}

static bool has_come(const struct sender *sender) {
	sleep_microseconds(1000);
	return ipc_nb_wait(sender->notification).badge == BADGE;
}

// What SetCore answers is what a device has to send, remapped or not.
static void answered_message(void) {
	struct card card = card_find();
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t handler = message_handler(card.device, VECTOR, notification);
	struct message answer = invoke(handler, LABEL_IRQ_HANDLER_SET_CORE, CAPS(), WORDS(0));
	const struct bootinfo_chunk *iommu = chunk_find(BOOTINFO_IOMMU);

	CHECK_OK(answer);
	CHECK_EQUAL(answer.words[2], CPU_VECTOR);
	CHECK(iommu &&
		!(answer.words[1] & MESSAGE_REMAPPED) ==
			!(*(const uint32_t *)(iommu + 1) & BOOTINFO_IOMMU_INTERRUPTS));
	for (unsigned i = 0; i < 3; i++) {
		card_send(&card, answer.words[1], answer.words[2]);
		CHECK_EQUAL(ipc_wait(notification).badge, BADGE);
		sleep_microseconds(1000); // the card waits between two
	}
}

static void own_device(void) {
	struct sender sender = sender_find();
	uint64_t handler = message_handler(sender.card.device, VECTOR, sender.notification);

	send(&sender, CPU_VECTOR);
	CHECK(has_come(&sender));
	CHECK_EQUAL(message_address(handler), sender.address);
	CHECK_OK(cap_delete(handler));
	send(&sender, CPU_VECTOR);
	CHECK(!has_come(&sender));
	(void)message_handler(sender.card.device, VECTOR, sender.notification);
	send(&sender, CPU_VECTOR);
	CHECK(has_come(&sender));
}

// The same number for another device, after this one had it: a bit of its own differs at a time.
static void other_device(void) {
	struct sender sender = sender_find();

	for (unsigned bit = 0; bit <= 16; bit++) {
		uint64_t device = sender.card.device ^ (1u << bit & 0xffff);
		uint64_t handler = message_handler(device, VECTOR, sender.notification);

		send(&sender, CPU_VECTOR);
		CHECK_EQUAL(has_come(&sender), device == sender.card.device);
		CHECK_OK(cap_delete(handler));
	}
}

static void pin_of_another(void) {
	struct sender sender = sender_find();
	uint64_t handler = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_IRQ_CONTROL, LABEL_IRQ_CONTROL_GET_IOAPIC, CAPS(ROOT_SLOT_CNODE),
		WORDS(handler, DEPTH, 0, PIN, 0, 0, VECTOR)));
	CHECK_OK(invoke(handler, LABEL_IRQ_HANDLER_SET_NOTIFICATION,
		CAPS(cap_mint(sender.notification, RIGHTS_ALL, BADGE)), WORDS()));
	send(&sender, CPU_VECTOR);
	CHECK(!has_come(&sender));
}

// By all numbers there are, and some beyond; each that has a handler has another device's.
static void all_entries(void) {
	struct sender sender = sender_find();

	for (uint64_t i = 0; i < USER_VECTORS; i++)
		(void)message_handler(
			i == VECTOR ? sender.card.device : OTHER_DEVICE, i, sender.notification);
	for (uint64_t i = 0; i < ENTRIES + 8; i++) {
		if (i == CPU_VECTOR) continue;
		send(&sender, i);
		CHECK(!has_come(&sender));
	}
	send(&sender, 0xffff);
	CHECK(!has_come(&sender));
	send(&sender, CPU_VECTOR);
	CHECK(has_come(&sender));
}

static const struct test tests[] = {
	{"remap-message", "a message is what SetCore answers", answered_message, NULL},
	{"remap-own", "a device raises its interrupt while it has a handler", own_device, NULL},
	{"remap-other", "and not that of any other device", other_device, NULL},
	{"remap-pin", "nor that of a pin", pin_of_another, NULL},
	{"remap-all", "of all entries it uses its own alone", all_entries, NULL},
};

TEST_FILE(remap);
