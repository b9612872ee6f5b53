// SPDX-License-Identifier: BSD-2-Clause
// System call numbers and register convention (SYS-1, SYS-2).
//
//   rdx  number (signed, all 64 bits)      rdi  destination or source capability; returns the badge
//   rsi  message tag                       r10, r8, r9, r15  message words 0..3
//   r12  reply capability (receive family, ReplyRecv, NBSendRecv); send target of NBSendWait
//   r13  send target of NBSendRecv         rcx, r11  destroyed by SYSCALL
#pragma once

enum syscall_number {
	SYSCALL_CALL = -1,
	SYSCALL_REPLY_RECV = -2,
	SYSCALL_NB_SEND_RECV = -3,
	SYSCALL_NB_SEND_WAIT = -4,
	SYSCALL_SEND = -5,
	SYSCALL_NB_SEND = -6,
	SYSCALL_RECV = -7,
	SYSCALL_NB_RECV = -8,
	SYSCALL_WAIT = -9,
	SYSCALL_NB_WAIT = -10,
	SYSCALL_YIELD = -11,
	SYSCALL_DEBUG_PUT_CHAR = -12,
	SYSCALL_DEBUG_DUMP_SCHEDULER = -13,
	SYSCALL_DEBUG_HALT = -14,
	SYSCALL_DEBUG_CAP_IDENTIFY = -15,
	SYSCALL_DEBUG_SNAPSHOT = -16,
	SYSCALL_DEBUG_NAME_THREAD = -17,
	SYSCALL_DEBUG_SEND_IPI = -18,
	SYSCALL_DEBUG_GET_THREAD_AFFINITY = -19,
	SYSCALL_BENCHMARK_FLUSH_CACHES = -21,
	SYSCALL_BENCHMARK_RESET_LOG = -22,
	SYSCALL_BENCHMARK_FINALIZE_LOG = -23,
	SYSCALL_BENCHMARK_SET_LOG_BUFFER = -24,
	SYSCALL_BENCHMARK_NULL_SYSCALL = -25,
	SYSCALL_BENCHMARK_GET_THREAD_UTILISATION = -26,
	SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION = -27,
	SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION = -28,
	SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION = -29,
	SYSCALL_VM_ENTER = -32,
	SYSCALL_NULL = -128, // from here on: extensions (docs/abi-extensions.md)
	SYSCALL_DEBUG_FAST_PATHS = -129,
	SYSCALL_VCPU_RUN = -130,
};
