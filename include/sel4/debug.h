// SPDX-License-Identifier: BSD-2-Clause
// Calls for people, answered by the debug build of the kernel.
#pragma once

#include <sel4/invoke.h>

static inline seL4_Word sel4_debug(seL4_Int64 number, seL4_Word argument) {
	struct sel4_registers registers = {argument, 0, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(number, &registers);
	return registers.rdi;
}

static inline void seL4_DebugPutChar(char c) { sel4_debug(SYSCALL_DEBUG_PUT_CHAR, (seL4_Uint8)c); }

static inline void sel4_debug_text(const char *text) {
	while (*text)
		seL4_DebugPutChar(*text++);
}

static inline void seL4_DebugPutString(char *str) { sel4_debug_text(str); }

static inline void seL4_DebugDumpScheduler(void) { sel4_debug(SYSCALL_DEBUG_DUMP_SCHEDULER, 0); }

static inline void seL4_DebugHalt(void) { sel4_debug(SYSCALL_DEBUG_HALT, 0); }

static inline void seL4_DebugSnapshot(void) { sel4_debug(SYSCALL_DEBUG_SNAPSHOT, 0); }

static inline seL4_Uint32 seL4_DebugCapIdentify(seL4_CPtr cap) {
	return (seL4_Uint32)sel4_debug(SYSCALL_DEBUG_CAP_IDENTIFY, cap);
}

static inline void seL4_DebugNameThread(seL4_CPtr tcb, const char *name) {
	char *text = (char *)__sel4_ipc_buffer->msg;
	unsigned i = 0;

	for (; name[i] && i < sizeof(__sel4_ipc_buffer->msg) - 1; i++)
		text[i] = name[i];
	text[i] = 0;
	sel4_debug(SYSCALL_DEBUG_NAME_THREAD, tcb);
}

// The core that the thread runs on.
static inline seL4_Uint32 seL4_DebugGetThreadAffinity(seL4_CPtr tcb) {
	return (seL4_Uint32)sel4_debug(SYSCALL_DEBUG_GET_THREAD_AFFINITY, tcb);
}
