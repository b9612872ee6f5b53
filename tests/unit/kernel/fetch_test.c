// SPDX-License-Identifier: BSD-2-Clause
// Words of user memory are read once: another core or a device may change them between two reads.
// The page that holds them cannot be touched without a signal, which counts.
#define _GNU_SOURCE // names of registers in a signal's state
#include "test.h"
#include "world.h"

#include <abi/bootinfo.h>
#include <abi/message.h>
#include <ipc/transfer.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum {
	PAGE = 4096,
	WORDS = PAGE / 8,
	FRAME = WORLD_FREE,
	TARGET, // empty
	CNODE_DEPTH = 12,
	FLAG_TRAP = 1 << 8,
	ERROR_WRITE = 1 << 1, // of a page fault
};

static uint8_t *page; // watched
static unsigned reads[WORDS];

static void page_close(void) { check(mprotect(page, PAGE, PROT_NONE) == 0); }

static void page_open(void) { check(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0); }

// Counts the access and lets this one instruction through.
static void on_access(int, siginfo_t *info, void *state) {
	greg_t *registers = ((ucontext_t *)state)->uc_mcontext.gregs;
	uint64_t offset = (uint64_t)info->si_addr - (uint64_t)page;

	check(offset < PAGE);
	if (!(registers[REG_ERR] & ERROR_WRITE)) reads[offset / 8]++;
	page_open();
	registers[REG_EFL] |= FLAG_TRAP;
}

static void on_step(int, siginfo_t *, void *state) {
	((ucontext_t *)state)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)FLAG_TRAP;
	page_close();
}

static void watch(void *start) {
	struct sigaction access = {.sa_sigaction = on_access, .sa_flags = SA_SIGINFO};
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	check(sigaction(SIGSEGV, &access, NULL) == 0 && sigaction(SIGTRAP, &step, NULL) == 0);
	page = start;
	memset(reads, 0, sizeof(reads));
	page_close();
}

static void check_read_once(const uint64_t *word) {
	check(reads[((uint64_t)word - (uint64_t)page) / 8] == 1);
}

static struct ipc_buffer *start(void) {
	world_boot();
	check(world_make(OBJECT_PAGE, 0, FRAME, 1) == ERROR_NONE);
	return cap_object(&world.slots[FRAME].cap);
}

static void receiving(void) {
	struct ipc_buffer *buffer = start();
	struct thread sender = {.buffer_to_read = world.root->buffer_to_read};

	buffer->receive_cnode = ROOT_SLOT_CNODE;
	buffer->receive_index = TARGET;
	buffer->receive_depth = 64;
	((struct ipc_buffer *)world.root->buffer_to_read)->caps_or_badges[0] = FRAME;
	*context_tag(&sender.context) = tag_make(0, 0, 1, 0);
	sender.slots[THREAD_CSPACE] = world.root->slots[THREAD_CSPACE];
	sender.cache = world.root->cache;
	world.root->buffer_to_write = buffer;
	watch(buffer);
	message_transfer(&sender, world.root, NULL, 0, MESSAGE_GRANT);
	page_open();
	check(world.slots[TARGET].cap.type == CAP_FRAME);
	check_read_once(&buffer->receive_cnode);
	check_read_once(&buffer->receive_index);
	check_read_once(&buffer->receive_depth);
}

static void sending(void) {
	struct ipc_buffer *buffer = start();
	struct thread sender = {.buffer_to_read = buffer};

	buffer->caps_or_badges[0] = FRAME;
	*context_tag(&sender.context) = tag_make(0, 0, 1, 6);
	sender.slots[THREAD_CSPACE] = world.root->slots[THREAD_CSPACE];
	sender.cache = world.root->cache;
	watch(buffer);
	message_transfer(&sender, world.root, NULL, 0, MESSAGE_GRANT);
	page_open();
	check_read_once(&buffer->caps_or_badges[0]);
	check_read_once(&buffer->message[4]);
	check_read_once(&buffer->message[5]);
}

static void invocations(void) {
	struct ipc_buffer *buffer = start();
	struct invocation invocation = {
		.slot = &world.slots[ROOT_SLOT_IRQ_CONTROL],
		.buffer = buffer,
		.registers = (uint64_t[]){TARGET, 64, 0, 5},
		.label = LABEL_IRQ_CONTROL_GET_IOAPIC,
		.length = 7,
		.cap_count = 1,
		.caps = {&world.slots[ROOT_SLOT_CNODE]},
	};

	buffer->message[4] = 1;
	buffer->message[6] = 3;
	watch(buffer);
	check(invocation_dispatch(&invocation) == ERROR_NONE);
	page_open();
	for (unsigned i = 4; i < 7; i++)
		check_read_once(&buffer->message[i]);
}

static const struct test rows[] = {
	{"FETCH001", "where a receiver wants a capability is read once", receiving},
	{"FETCH002", "words and capability addresses of a message are read once", sending},
	{"FETCH003", "words of an invocation are read once", invocations},
};

TESTS(fetch_tests);
