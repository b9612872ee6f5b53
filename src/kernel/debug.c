// SPDX-License-Identifier: BSD-2-Clause
// Debug system calls.
#include <kernel/syscall.h>

#include <abi/syscall.h>
#include <base/format.h>
#include <base/panic.h>
#include <cpu/segments.h>
#include <kernel/object.h>
#include <kernel/schedule.h>
#include <kernel/thread_cspace.h>
#include <kernel/trace.h>

static void put_char(struct thread *thread) { print("%c", (char)thread->context.rdi); }

static void dump_scheduler(struct thread *) { run_queue_dump(); }

static void halt(struct thread *thread) { panic("halted by '%s'", thread->name); }

static void cap_identify(struct thread *thread) {
	const struct slot *slot = thread_find(thread, thread->context.rdi);
	const struct object_ops *ops = &object_ops[slot ? slot->cap.type : CAP_NULL];

	thread->context.rdi = ops->identify ? ops->identify(&slot->cap) : ops->identify_code;
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
	struct slot *slot = thread_find(thread, thread->context.rdi);
	const struct ipc_buffer *buffer = thread->buffer_to_read;

	if (!slot || slot->cap.type != CAP_THREAD || !buffer) {
		trace("'%s': DebugNameThread without thread or IPC buffer\n", thread->name);
		return;
	}
	format_text(cap_thread(&slot->cap)->name, THREAD_NAME_SIZE, "%.*s", THREAD_NAME_SIZE - 1,
		(const char *)buffer->message);
}

// For comparing system calls with and without their fast paths; exceptions stay as they are.
static void fast_paths(struct thread *thread) {
	segments_use_entry(thread->context.rdi ? SYSCALL_ENTRY_FAST : SYSCALL_ENTRY_PLAIN);
}

// Indexed by the negated number, as in syscall.c.
static void (*const debug_syscalls[])(struct thread *) = {
	[-SYSCALL_DEBUG_PUT_CHAR] = put_char,
	[-SYSCALL_DEBUG_DUMP_SCHEDULER] = dump_scheduler,
	[-SYSCALL_DEBUG_HALT] = halt,
	[-SYSCALL_DEBUG_CAP_IDENTIFY] = cap_identify,
	[-SYSCALL_DEBUG_SNAPSHOT] = snapshot,
	[-SYSCALL_DEBUG_NAME_THREAD] = name_thread,
	[-SYSCALL_DEBUG_FAST_PATHS] = fast_paths,
};

bool debug_syscall(struct thread *thread, uint64_t index) {
	if (!NACRE_DEBUG || index >= array_count(debug_syscalls) || !debug_syscalls[index])
		return false;
	debug_syscalls[index](thread);
	return true;
}
