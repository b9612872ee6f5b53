// SPDX-License-Identifier: BSD-2-Clause
// Benchmark system calls.
#include <kernel/benchmark.h>

#include <abi/benchmark.h>
#include <abi/syscall.h>
#include <cpu/console.h>
#include <kernel/run_queue.h>
#include <kernel/syscall.h>
#include <kernel/thread_cspace.h>

static void nothing(struct thread *) {}

static void flush_caches(struct thread *) { caches_flush(); }

static void reset_log(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	uint64_t now = clock_now();

	cpu->benchmark = (struct benchmark){.is_on = true, .start = now, .switched = now};
	cpu->scheduler->idle.utilisation = (struct utilisation){};
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

static struct thread *find_thread(struct thread *thread) {
	const struct slot *slot = thread_find(thread, thread->context.rdi);

	return slot && slot->cap.type == CAP_THREAD ? cap_thread(&slot->cap) : NULL;
}

static void write_counts(uint64_t *words, const struct utilisation *counts) {
	words[0] = counts->cycles;
	words[1] = counts->schedules;
	words[2] = counts->kernel_cycles;
	words[3] = counts->kernel_entries;
}

static void get_thread(struct thread *thread) {
	const struct benchmark *benchmark = &this_cpu()->benchmark;
	const struct utilisation *idle = &this_cpu()->scheduler->idle.utilisation;
	struct utilisation total = benchmark->total;
	const struct thread *asked = find_thread(thread);
	uint64_t *words = thread->buffer_to_write ? thread->buffer_to_write->message : NULL;

	if (!asked || !words) return;
	total.cycles = (benchmark->is_on ? clock_now() : benchmark->end) - benchmark->start;
	write_counts(words + BENCHMARK_TCB_UTILISATION, &asked->utilisation);
	write_counts(words + BENCHMARK_IDLE_TCBCPU_UTILISATION, idle);
	words[BENCHMARK_IDLE_LOCALCPU_UTILISATION] = idle->cycles;
	write_counts(words + BENCHMARK_TOTAL_UTILISATION, &total);
}

static void reset_thread(struct thread *thread) {
	struct thread *asked = find_thread(thread);

	if (asked) asked->utilisation = (struct utilisation){};
}

static void dump(const struct cap *cap) {
	const struct utilisation *of;

	if (cap->type != CAP_THREAD) return;
	of = &cap_thread(cap)->utilisation;
	print("  %p %lu cycles, %lu in the kernel, chosen %lu times, %lu entries\n",
		cap_object(cap), of->cycles, of->kernel_cycles, of->schedules, of->kernel_entries);
}

static void dump_all(struct thread *) {
	print("utilisation, idle %lu cycles, threads:\n",
		this_cpu()->scheduler->idle.utilisation.cycles);
	objects_visit(dump);
}

static void forget(const struct cap *cap) {
	if (cap->type == CAP_THREAD) cap_thread(cap)->utilisation = (struct utilisation){};
}

static void reset_all(struct thread *) { objects_visit(forget); }

// Indexed by the negated number.
static void (*const benchmark_syscalls[])(struct thread *) = {
	[-SYSCALL_BENCHMARK_FLUSH_CACHES] = flush_caches,
	[-SYSCALL_BENCHMARK_RESET_LOG] = reset_log,
	[-SYSCALL_BENCHMARK_FINALIZE_LOG] = finalize_log,
	[-SYSCALL_BENCHMARK_NULL_SYSCALL] = nothing,
	[-SYSCALL_BENCHMARK_GET_THREAD_UTILISATION] = get_thread,
	[-SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION] = reset_thread,
	[-SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION] = dump_all,
	[-SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION] = reset_all,
};

bool benchmark_syscall(struct thread *thread, uint64_t index) {
	if (!NACRE_BENCHMARK || index >= array_count(benchmark_syscalls) ||
		!benchmark_syscalls[index])
		return false;
	benchmark_syscalls[index](thread);
	return true;
}
