// SPDX-License-Identifier: BSD-2-Clause
// Message tags, and where the words of a message are.
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <abi/message.h>

static void tags(void) {
	check(tag_make(0xfffffffffffff, 7, 3, 120) == 0xffffffffffffffff - 7);
	check(tag_length(127) == 120 && tag_length(121) == 120 && tag_length(119) == 119);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t label = random_next() >> TAG_LABEL_SHIFT;
		unsigned length = random_below(121);
		unsigned caps = random_below(4);
		uint64_t tag = tag_make(label, random_below(8), caps, length);

		check(tag_label(tag) == label && tag_length(tag) == length);
		check(tag_caps(tag) == caps);
	}
}

// The buffer's frame again, with other rights.
static void set_buffer(struct thread *thread, unsigned rights, bool device) {
	struct cap cap = world.slots[ROOT_SLOT_IPC_BUFFER].cap;

	check(!slot_delete_step(&thread->slots[THREAD_BUFFER]));
	cap.rights = rights & 0xf;
	cap.device = device;
	thread_fill_slot(&thread->slots[THREAD_BUFFER], cap, &world.slots[ROOT_SLOT_IPC_BUFFER]);
}

static void words(void) {
	struct thread *thread;
	struct ipc_buffer *buffer;

	world_boot();
	thread = world.root;
	buffer = cap_object(&world.slots[ROOT_SLOT_IPC_BUFFER].cap);
	check(&thread->context.words[0] == &thread->context.r10);
	check(&thread->context.words[1] == &thread->context.r8);
	check(&thread->context.words[2] == &thread->context.r9);
	check(&thread->context.words[3] == &thread->context.r15);
	check(thread->buffer_to_write == buffer && thread->buffer_to_read == buffer);
	set_buffer(thread, RIGHT_READ, false);
	check(!thread->buffer_to_write && thread->buffer_to_read == buffer);
	set_buffer(thread, 0, false);
	check(!thread->buffer_to_read);
	set_buffer(thread, RIGHT_WRITE, false);
	check(!thread->buffer_to_read && !thread->buffer_to_write);
	set_buffer(thread, RIGHT_READ | RIGHT_WRITE, true);
	check(!thread->buffer_to_read && !thread->buffer_to_write);
	set_buffer(thread, RIGHT_READ | RIGHT_WRITE, false);
	check(thread->buffer_to_write == buffer && thread->buffer_to_read == buffer);
	check(!slot_delete_step(&thread->slots[THREAD_BUFFER]));
	check(!thread->buffer_to_read && !thread->buffer_to_write);
}

static const struct test rows[] = {
	{"MESSAGE001", "a tag keeps its fields apart and cuts the length at 120", tags},
	{"MESSAGE002", "words are in the registers of the ABI, then in a usable buffer", words},
};

TESTS(message_tests);
