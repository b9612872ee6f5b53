// SPDX-License-Identifier: BSD-2-Clause
// System calls of the benchmark build.
#include <syscall/syscall.h>

#include <abi/benchmark.h>
#include <check/check.h>
#include <cpu/console.h>

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

build_syscall *const benchmark_syscalls[BUILD_SYSCALLS] = {
	[-SYSCALL_BENCHMARK_FLUSH_CACHES] = flush_caches,
	[-SYSCALL_BENCHMARK_RESET_LOG] = reset_log,
	[-SYSCALL_BENCHMARK_FINALIZE_LOG] = finalize_log,
	[-SYSCALL_BENCHMARK_NULL_SYSCALL] = nothing,
	[-SYSCALL_BENCHMARK_GET_THREAD_UTILISATION] = get_thread,
	[-SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION] = reset_thread,
	[-SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION] = dump_all,
	[-SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION] = reset_all,
};
