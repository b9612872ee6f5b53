// SPDX-License-Identifier: BSD-2-Clause
// CPU time by thread, counted by the kernel from seL4_BenchmarkResetLog to
// seL4_BenchmarkFinalizeLog. Only a kernel that counts knows these calls.
#pragma once

#include <abi/benchmark.h>

#include <sel4/debug.h>

// One of a kernel's log entries; Nacre's kernel writes none.
typedef struct benchmark_tracepoint_log_entry {
	seL4_Word id;
	seL4_Word duration;
} benchmark_tracepoint_log_entry_t;

// Starts to count, from zero for the core; threads continue from what they have.
static inline seL4_Error seL4_BenchmarkResetLog(void) {
	return (seL4_Error)sel4_debug(SYSCALL_BENCHMARK_RESET_LOG, 0);
}

// Stops counting. The number of log entries: 0.
static inline seL4_Word seL4_BenchmarkFinalizeLog(void) {
	return sel4_debug(SYSCALL_BENCHMARK_FINALIZE_LOG, 0);
}

// A frame for log entries. Nacre's kernel has none to write and does not know the call.
static inline seL4_Error seL4_BenchmarkSetLogBuffer(seL4_Word frame_cptr) {
	return (seL4_Error)sel4_debug(SYSCALL_BENCHMARK_SET_LOG_BUFFER, frame_cptr);
}

static inline void seL4_BenchmarkNullSyscall(void) {
	sel4_debug(SYSCALL_BENCHMARK_NULL_SYSCALL, 0);
}

// Writes back and empties the caches.
static inline void seL4_BenchmarkFlushCaches(void) {
	sel4_debug(SYSCALL_BENCHMARK_FLUSH_CACHES, 0);
}

static inline void seL4_BenchmarkFlushL1Caches(seL4_Word cache_type) {
	(void)cache_type;
	seL4_BenchmarkFlushCaches();
}

// The counters of a thread and of the core, in the IPC buffer: enum benchmark_word.
static inline void seL4_BenchmarkGetThreadUtilisation(seL4_Word tcb_cptr) {
	sel4_debug(SYSCALL_BENCHMARK_GET_THREAD_UTILISATION, tcb_cptr);
}

static inline void seL4_BenchmarkResetThreadUtilisation(seL4_Word tcb_cptr) {
	sel4_debug(SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION, tcb_cptr);
}

// A line a thread on the kernel's console.
static inline void seL4_BenchmarkDumpAllThreadsUtilisation(void) {
	sel4_debug(SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION, 0);
}

static inline void seL4_BenchmarkResetAllThreadsUtilisation(void) {
	sel4_debug(SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION, 0);
}
