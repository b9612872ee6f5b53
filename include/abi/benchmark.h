// SPDX-License-Identifier: BSD-2-Clause
// Where the CPU time is that the benchmark system calls count: words of the caller's IPC buffer
// from message word 0 on, in ticks of the TSC and numbers of events.
#pragma once

enum benchmark_word {
	// Of the thread asked for: time, times it was chosen, time in the kernel, kernel entries.
	BENCHMARK_TCB_UTILISATION = 0,
	BENCHMARK_TCB_NUMBER_SCHEDULES = 1,
	BENCHMARK_TCB_KERNEL_UTILISATION = 2,
	BENCHMARK_TCB_NUMBER_KERNEL_ENTRIES = 3,
	// Of the idle loop of the caller's core and of the thread's, then as above.
	BENCHMARK_IDLE_LOCALCPU_UTILISATION = 4,
	BENCHMARK_IDLE_TCBCPU_UTILISATION = 5,
	BENCHMARK_IDLE_NUMBER_SCHEDULES = 6,
	BENCHMARK_IDLE_KERNEL_UTILISATION = 7,
	BENCHMARK_IDLE_NUMBER_KERNEL_ENTRIES = 8,
	// Of the core, from BenchmarkResetLog to BenchmarkFinalizeLog.
	BENCHMARK_TOTAL_UTILISATION = 9,
	BENCHMARK_TOTAL_NUMBER_SCHEDULES = 10,
	BENCHMARK_TOTAL_KERNEL_UTILISATION = 11,
	BENCHMARK_TOTAL_NUMBER_KERNEL_ENTRIES = 12,
	BENCHMARK_WORDS = 13,
};
