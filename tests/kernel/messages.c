// SPDX-License-Identifier: BSD-2-Clause
// Tests: message words, tags and badges between two threads (MSG-1 to MSG-9).
#include <base/memory.h>
#include "world.h"

static struct helper *receiver_start(uint64_t endpoint) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, helper_receive);
	settle();
	return helper;
}

static void words_and_label(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);

	ipc_send(cap_mint(endpoint, RIGHTS_ALL, 0xbad6e), 0x123456789abcd, WORDS(1, 2, 3, 4, 5, 6));
	settle();
	CHECK_EQUAL(helper->done, 1);
	CHECK_EQUAL(helper->message.badge, 0xbad6e);
	CHECK_EQUAL(helper->message.label, 0x123456789abcd);
	CHECK_EQUAL(helper->message.length, 6);
	for (unsigned word = 0; word < 6; word++)
		CHECK_EQUAL(helper->message.words[word], word + 1);
}

static void badge_width(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);

	ipc_send(cap_mint(endpoint, RIGHTS_ALL, ~0ul), 0, WORDS());
	settle();
	CHECK_EQUAL(helper->message.badge, ~0ul);
}

static void longest(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);
	uint64_t words[MESSAGE_MAX_LENGTH];

	for (unsigned word = 0; word < MESSAGE_MAX_LENGTH; word++)
		words[word] = word * 3 + 1;
	ipc_send(endpoint, 0, (struct words){MESSAGE_MAX_LENGTH, words});
	settle();
	CHECK_EQUAL(helper->message.length, MESSAGE_MAX_LENGTH);
	for (unsigned word = MESSAGE_REGISTERS; word < MESSAGE_MAX_LENGTH; word++)
		CHECK_EQUAL(helper->buffer->message[word], word * 3 + 1);
}

static void length_clamped(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);
	struct call_registers registers = {.rdi = endpoint, .rsi = tag_make(7, 0, 0, 127)};

	system_call(SYSCALL_SEND, &registers);
	settle();
	CHECK_EQUAL(helper->message.tag, tag_make(7, 0, 0, MESSAGE_MAX_LENGTH));
}

static void beyond_length_kept(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call_registers registers = {
		.rdi = endpoint, .rsi = tag_make(0, 0, 0, 1), .r10 = 9, .r8 = 8, .r9 = 7, .r15 = 6};
	struct helper *helper = receiver_start(endpoint);

	helper->buffer->message[4] = 0x55;
	system_call(SYSCALL_SEND, &registers);
	settle();
	CHECK_EQUAL(helper->message.length, 1);
	CHECK_EQUAL(helper->message.words[0], 9);
	// The receiver went in with zeros.
	CHECK_EQUAL(helper->message.words[1], 0);
	CHECK_EQUAL(helper->message.words[2], 0);
	CHECK_EQUAL(helper->message.words[3], 0);
	CHECK_EQUAL(helper->message.words[4], 0x55);
}

static void receiver_without_buffer(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(NULL_CAP), WORDS(0)));
	helper->buffer->message[4] = 0x77;
	ipc_send(endpoint, 0, WORDS(1, 2, 3, 4, 5, 6));
	settle();
	CHECK_EQUAL(helper->message.length, 4);
	CHECK_EQUAL(helper->message.words[3], 4);
	CHECK_EQUAL(helper->message.words[4], 0x77);
}

static void receiver_read_only_buffer(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);
	uint64_t frame = cap_copy_rights(helper_buffer_frame(helper), RIGHT_READ);

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(frame),
		WORDS((uint64_t)helper->buffer)));
	helper->buffer->message[4] = 0x88;
	ipc_send(endpoint, 0, WORDS(1, 2, 3, 4, 5, 6));
	settle();
	CHECK_EQUAL(helper->message.length, 4);
	CHECK_EQUAL(helper->message.words[4], 0x88);
}

static void send_six(struct helper *helper) {
	ipc_send(helper->argument[0], 3, WORDS(1, 2, 3, 4, 5, 6));
}

static void sender_without_buffer(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct message message;

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(NULL_CAP), WORDS(0)));
	helper->argument[0] = endpoint;
	helper_start(helper, send_six);
	message = ipc_wait(endpoint);
	CHECK_EQUAL(message.tag, tag_make(3, 0, 0, 4));
	CHECK_EQUAL(message.words[3], 4);
}

// Both want an extra capability, the second more words than travel in registers.
static void invoke_twice(struct helper *helper) {
	struct message retype = invoke(helper->argument[1], LABEL_UNTYPED_RETYPE,
		CAPS(ROOT_SLOT_CNODE), WORDS(OBJECT_ENDPOINT, 0, 0, 0, helper->argument[2], 1));

	helper->message = invoke(helper->argument[0], LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(PRIORITY_HELPER));
	helper->argument[3] = retype.label;
}

static void invoker_without_buffer(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = helper_make(PRIORITY_HELPER)->tcb;
	helper->argument[1] = object_new(OBJECT_UNTYPED, 12);
	helper->argument[2] = slot_take();
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(NULL_CAP), WORDS(0)));
	helper_start(helper, invoke_twice);
	settle();
	CHECK_EQUAL(helper->message.label, ERROR_TRUNCATED_MESSAGE);
	CHECK_EQUAL(helper->argument[3], ERROR_TRUNCATED_MESSAGE);
}

static void sender_read_only_buffer(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t frame = cap_copy_rights(helper_buffer_frame(helper), RIGHT_READ);
	struct message message;

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(frame),
		WORDS((uint64_t)helper->buffer)));
	helper->argument[0] = endpoint;
	helper_start(helper, send_six);
	message = ipc_wait(endpoint);
	CHECK_EQUAL(message.tag, tag_make(3, 0, 0, 6));
	CHECK_EQUAL(message.words[5], 6);
}

static void registers_not_buffer(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);

	own_buffer()->message[0] = 0xdead;
	helper->buffer->message[0] = 0xbeef;
	ipc_send(endpoint, 0, WORDS(1, 2, 3, 4));
	settle();
	CHECK_EQUAL(helper->message.words[0], 1);
	CHECK_EQUAL(helper->buffer->message[0], 0xbeef);
}

static void unwrapped_bits_ignored(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = receiver_start(endpoint);
	struct call_registers registers = {.rdi = endpoint, .rsi = tag_make(1, 7, 0, 0)};

	system_call(SYSCALL_SEND, &registers);
	settle();
	CHECK_EQUAL(helper->message.tag, tag_make(1, 0, 0, 0));
}

static const struct test tests[] = {
	{"message-words", "label, length, words and badge arrive as sent", words_and_label, NULL},
	{"message-badge", "a badge has 64 bits", badge_width, NULL},
	{"message-longest", "a message of 120 words arrives whole", longest, NULL},
	{"message-clamped", "a length above 120 counts as 120", length_clamped, NULL},
	{"message-kept", "words at or above the length keep the receiver's values",
		beyond_length_kept, NULL},
	{"message-no-buffer", "a receiver without IPC buffer gets at most four words",
		receiver_without_buffer, NULL},
	{"message-read-only", "a receiver with a read-only buffer gets at most four words",
		receiver_read_only_buffer, NULL},
	{"message-sender-none", "a sender without IPC buffer sends at most four words",
		sender_without_buffer, NULL},
	{"message-invoker-none",
		"an invocation without IPC buffer has four words and no capabilities at most",
		invoker_without_buffer, NULL},
	{"message-sender-read", "a read-only buffer suffices to send a long message",
		sender_read_only_buffer, NULL},
	{"message-registers", "the first four words travel in registers only", registers_not_buffer,
		NULL},
	{"message-unwrapped", "the sender's capsUnwrapped bits are ignored", unwrapped_bits_ignored,
		NULL},
};

TEST_FILE(message);
