// SPDX-License-Identifier: BSD-2-Clause
// System calls of the debug and the benchmark build.
#include <syscall/syscall.h>

#include <abi/benchmark.h>
#include <abi/syscall.h>
#include <base/format.h>
#include <base/memory.h>
#include <cpu/console.h>
#include <cpu/segments.h>
#include <cap/object.h>
#include <check/check.h>
#include <sched/run_queue.h>

static void put_char(struct thread *thread) { print("%c", (char)thread->context.rdi); }

static void dump_scheduler(struct thread *) { run_queue_dump(); }

static void halt(struct thread *thread) { panic("halted by '%s'", thread->name); }

static const struct cap *named_cap(const struct thread *thread) {
	static const struct cap null;
	const struct slot *slot = thread_find(thread, thread->context.rdi);

	return slot ? &slot->cap : &null;
}

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

	if (cap->type != CAP_THREAD || !buffer) {
		trace("'%s': DebugNameThread without thread or IPC buffer\n", thread->name);
		return;
	}
	format_text(cap_thread(cap)->name, THREAD_NAME_SIZE, "%.*s", THREAD_NAME_SIZE - 1,
		(const char *)buffer->message);
}

// For comparing system calls with and without their fast paths; exceptions stay as they are.
static void fast_paths(struct thread *thread) {
	segments_use_entry(thread->context.rdi ? SYSCALL_ENTRY_FAST : SYSCALL_ENTRY_PLAIN);
}

// What the benchmark build counts (benchmark.h).

static void nothing(struct thread *) {}

static void flush_caches(struct thread *) { caches_flush(); }

static void reset_log(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	uint64_t now = clock_now();

	cpu->benchmark = (struct benchmark){.is_on = true, .start = now, .switched = now};
	cpu->scheduler.idle->utilisation = (struct utilisation){};
	thread->context.rdi = ERROR_NONE;
}

// Utilisation is no log: it has no entries.
static void finalize_log(struct thread *thread) {
	struct benchmark *benchmark = &this_cpu()->benchmark;

	thread->context.rdi = 0;
	if (!benchmark->is_on) return;
	benchmark->is_on = false;
	benchmark->end = clock_now();
	thread->utilisation.cycles += benchmark->end - benchmark->switched;
	benchmark_leave(benchmark->end);
}

// Null: not a capability to a thread.
static struct utilisation *counts_of(const struct cap *cap) {
	return cap->type == CAP_THREAD ? &cap_thread(cap)->utilisation : NULL;
}

static void get_thread(struct thread *thread) {
	const struct benchmark *benchmark = &this_cpu()->benchmark;
	const struct utilisation *idle = &this_cpu()->scheduler.idle->utilisation;
	const struct utilisation *asked = counts_of(named_cap(thread));
	struct utilisation total = benchmark->total;
	uint64_t *words = thread->buffer_to_write ? thread->buffer_to_write->message : NULL;

	if (!asked || !words) return;
	total.cycles = (benchmark->is_on ? clock_now() : benchmark->end) - benchmark->start;
	memcpy(words + BENCHMARK_TCB_UTILISATION, asked, sizeof(*asked));
	words[BENCHMARK_IDLE_LOCALCPU_UTILISATION] = idle->cycles;
	memcpy(words + BENCHMARK_IDLE_TCBCPU_UTILISATION, idle, sizeof(*idle));
	memcpy(words + BENCHMARK_TOTAL_UTILISATION, &total, sizeof(total));
}

static void dump(const struct cap *cap) {
	const struct utilisation *of = counts_of(cap);

	if (of)
		print("  %p %lu cycles, %lu in the kernel, chosen %lu times, %lu entries\n",
			cap_object(cap), of->cycles, of->kernel_cycles, of->schedules,
			of->kernel_entries);
}

static void dump_all(struct thread *) {
	print("utilisation, idle %lu cycles, threads:\n",
		this_cpu()->scheduler.idle->utilisation.cycles);
	objects_visit(dump);
}

static void forget(const struct cap *cap) {
	struct utilisation *of = counts_of(cap);

	if (of) *of = (struct utilisation){};
}

static void reset_thread(struct thread *thread) { forget(named_cap(thread)); }

static void reset_all(struct thread *) { objects_visit(forget); }

#define DEBUG(function) (NACRE_DEBUG ? (function) : NULL)
#define BENCHMARK(function) (NACRE_BENCHMARK ? (function) : NULL)

// Indexed by the negated number.
static void (*const syscalls[])(struct thread *) = {
	[-SYSCALL_DEBUG_PUT_CHAR] = DEBUG(put_char),
	[-SYSCALL_DEBUG_DUMP_SCHEDULER] = DEBUG(dump_scheduler),
	[-SYSCALL_DEBUG_HALT] = DEBUG(halt),
	[-SYSCALL_DEBUG_CAP_IDENTIFY] = DEBUG(cap_identify),
	[-SYSCALL_DEBUG_SNAPSHOT] = DEBUG(snapshot),
	[-SYSCALL_DEBUG_NAME_THREAD] = DEBUG(name_thread),
	[-SYSCALL_DEBUG_FAST_PATHS] = DEBUG(fast_paths),
	[-SYSCALL_BENCHMARK_FLUSH_CACHES] = BENCHMARK(flush_caches),
	[-SYSCALL_BENCHMARK_RESET_LOG] = BENCHMARK(reset_log),
	[-SYSCALL_BENCHMARK_FINALIZE_LOG] = BENCHMARK(finalize_log),
	[-SYSCALL_BENCHMARK_NULL_SYSCALL] = BENCHMARK(nothing),
	[-SYSCALL_BENCHMARK_GET_THREAD_UTILISATION] = BENCHMARK(get_thread),
	[-SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION] = BENCHMARK(reset_thread),
	[-SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION] = BENCHMARK(dump_all),
	[-SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION] = BENCHMARK(reset_all),
};

bool syscall_of_build(struct thread *thread, uint64_t index) {
	if (index >= array_count(syscalls) || !syscalls[index]) return false;
	syscalls[index](thread);
	return true;
}
