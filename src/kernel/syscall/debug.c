// SPDX-License-Identifier: BSD-2-Clause
// System calls of the debug build.
#include <syscall/syscall.h>

#include <base/format.h>
#include <cap/object.h>
#include <check/check.h>
#include <cpu/platform.h>
#include <sched/run_queue.h>
#include <x86/apic.h>

static void put_char(struct thread *thread) { print("%c", (char)thread->context.rdi); }

static void dump(const struct thread *thread, const char *name) {
	print("  %-16s %-8s priority %3u state %u rip %lx\n", thread->name, name, thread->priority,
		thread->state, thread->context.rip);
}

static void dump_scheduler(struct thread *) {
	const struct scheduler *self = &this_cpu()->scheduler;
	const struct thread *thread;

	print("scheduler: now %lu ticks, current '%s'\n", this_cpu()->now,
		this_cpu()->current->name);
	for (int level = READY_QUEUES - 1; level >= 0; level--)
		for (thread = self->ready[level]; thread; thread = thread->queue.next)
			dump(thread, "ready");
	for (thread = self->release; thread; thread = release_next(thread))
		dump(thread, "release");
}

static void halt(struct thread *thread) { panic("halted by '%s'", thread->name); }

static void cap_identify(struct thread *thread) {
	// By format and level; the root's is 0.
	static const uint8_t nodes[4][4] = {[SPACE_HOST] = {9, 3, 5, 7},
		[SPACE_GUEST] = {29, 23, 25, 27},
		[SPACE_DMA] = {17, 17, 17, 17}};
	const struct cap *cap = named_cap(thread);
	unsigned code = object_ops[cap->type].identify_code;

	thread->context.rdi = code ? code : nodes[cap->map.format][cap->map.level];
}

// Every slot of the caller's root cnode that holds a capability.
static void snapshot(struct thread *thread) {
	const struct cap *root = &thread->slots[THREAD_CSPACE].cap;
	const struct slot *slots = cap_object(root);

	check_everything();
	print("capabilities of '%s':\n", thread->name);
	for (uint64_t i = 0; root->type == CAP_CNODE && i < cnode_slot_count(root); i++) {
		const struct cap *cap = &slots[i].cap;

		if (cap->type != CAP_NULL)
			print("  %5lu %-14s rights %x size %2u object %p word %lx\n", i,
				object_ops[cap->type].name, (unsigned)cap->rights,
				(unsigned)cap->size_bits, cap_object(cap), cap->word);
	}
}

static void name_thread(struct thread *thread) {
	const struct cap *cap = named_cap(thread);
	const struct ipc_buffer *buffer = thread->buffer_to_read;

	if (cap->type != CAP_THREAD || !buffer)
		return print_debug(
			"'%s': DebugNameThread without thread or IPC buffer\n", thread->name);
	format_text(cap_thread(cap)->name, THREAD_NAME_SIZE, "%.*s", THREAD_NAME_SIZE - 1,
		(const char *)buffer->message);
}

// As if a device had sent the message of a user vector to a core.
static void send_ipi(struct thread *thread) {
	const struct platform *platform = this_cpu()->platform;
	uint64_t core = thread->context.rdi, vector = thread->context.rsi;

	if (core >= platform->core_count || vector >= USER_IRQ_VECTORS) return;
	apic_send(platform->cores[core]->start.apic_id,
		(uint32_t)(USER_VECTOR_OFFSET + vector) | COMMAND_ASSERT);
}

static void thread_affinity(struct thread *thread) {
	const struct cap *cap = named_cap(thread);

	thread->context.rdi = cap->type == CAP_THREAD ? cap_thread(cap)->cpu->number : 0;
}

// For comparing system calls with and without their fast paths; exceptions stay as they are. A VM
// exit loads LSTAR as it was when its guest was prepared.
static void fast_paths(struct thread *thread) {
	thread->cpu->guest_prepared = NULL;
	segments_use_entry(thread->context.rdi ? SYSCALL_ENTRY_FAST : SYSCALL_ENTRY_PLAIN);
}

build_syscall *const debug_syscalls[BUILD_SYSCALLS] = {
	[-SYSCALL_DEBUG_PUT_CHAR] = put_char,
	[-SYSCALL_DEBUG_DUMP_SCHEDULER] = dump_scheduler,
	[-SYSCALL_DEBUG_HALT] = halt,
	[-SYSCALL_DEBUG_CAP_IDENTIFY] = cap_identify,
	[-SYSCALL_DEBUG_SNAPSHOT] = snapshot,
	[-SYSCALL_DEBUG_NAME_THREAD] = name_thread,
	[-SYSCALL_DEBUG_SEND_IPI] = send_ipi,
	[-SYSCALL_DEBUG_GET_THREAD_AFFINITY] = thread_affinity,
	[-SYSCALL_DEBUG_FAST_PATHS] = fast_paths,
};
