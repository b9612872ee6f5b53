// SPDX-License-Identifier: BSD-2-Clause
// The SYSCALL instruction with all its registers, the IPC buffer, and invocations on top of them.
#pragma once

#include <abi/invocation.h>
#include <abi/syscall.h>

#include <sel4/errors.h>
#include <sel4/macros.h>
#include <sel4/types.h>

typedef enum {
	seL4_SysCall = SYSCALL_CALL,
	seL4_SysReplyRecv = SYSCALL_REPLY_RECV,
	seL4_SysNBSendRecv = SYSCALL_NB_SEND_RECV,
	seL4_SysNBSendWait = SYSCALL_NB_SEND_WAIT,
	seL4_SysSend = SYSCALL_SEND,
	seL4_SysNBSend = SYSCALL_NB_SEND,
	seL4_SysRecv = SYSCALL_RECV,
	seL4_SysNBRecv = SYSCALL_NB_RECV,
	seL4_SysWait = SYSCALL_WAIT,
	seL4_SysNBWait = SYSCALL_NB_WAIT,
	seL4_SysYield = SYSCALL_YIELD,
	seL4_SysDebugPutChar = SYSCALL_DEBUG_PUT_CHAR,
	seL4_SysDebugDumpScheduler = SYSCALL_DEBUG_DUMP_SCHEDULER,
	seL4_SysDebugHalt = SYSCALL_DEBUG_HALT,
	seL4_SysDebugCapIdentify = SYSCALL_DEBUG_CAP_IDENTIFY,
	seL4_SysDebugSnapshot = SYSCALL_DEBUG_SNAPSHOT,
	seL4_SysDebugNameThread = SYSCALL_DEBUG_NAME_THREAD,
	seL4_SysDebugSendIPI = SYSCALL_DEBUG_SEND_IPI,
	seL4_SysDebugGetThreadAffinity = SYSCALL_DEBUG_GET_THREAD_AFFINITY,
	seL4_SysBenchmarkFlushCaches = SYSCALL_BENCHMARK_FLUSH_CACHES,
	seL4_SysBenchmarkResetLog = SYSCALL_BENCHMARK_RESET_LOG,
	seL4_SysBenchmarkFinalizeLog = SYSCALL_BENCHMARK_FINALIZE_LOG,
	seL4_SysBenchmarkSetLogBuffer = SYSCALL_BENCHMARK_SET_LOG_BUFFER,
	seL4_SysBenchmarkNullSyscall = SYSCALL_BENCHMARK_NULL_SYSCALL,
	seL4_SysBenchmarkGetThreadUtilisation = SYSCALL_BENCHMARK_GET_THREAD_UTILISATION,
	seL4_SysBenchmarkResetThreadUtilisation = SYSCALL_BENCHMARK_RESET_THREAD_UTILISATION,
	seL4_SysBenchmarkDumpAllThreadsUtilisation = SYSCALL_BENCHMARK_DUMP_ALL_THREADS_UTILISATION,
	seL4_SysBenchmarkResetAllThreadsUtilisation =
		SYSCALL_BENCHMARK_RESET_ALL_THREADS_UTILISATION,
	seL4_SysVMEnter = SYSCALL_VM_ENTER,
} seL4_Syscall_ID;

// Set once by each program's start code.
SEL4_C_BEGIN
extern seL4_IPCBuffer *__sel4_ipc_buffer;
SEL4_C_END

// Register file of a system call. Fields a call does not use are passed as 0; r12 is the reply
// capability (or the target of NBSendWait), r13 the target of NBSendRecv.
struct sel4_registers {
	seL4_Word rdi;
	seL4_Word rsi;
	seL4_Word words[MESSAGE_REGISTERS];
	seL4_Word r12;
	seL4_Word r13;
};

// The kernel need not preserve rsp over SYSRET, so it waits in rbx.
__attribute__((always_inline)) static inline void sel4_syscall(
	seL4_Int64 number, struct sel4_registers *registers) {
	register seL4_Word r10 __asm__("r10") = registers->words[0];
	register seL4_Word r8 __asm__("r8") = registers->words[1];
	register seL4_Word r9 __asm__("r9") = registers->words[2];
	register seL4_Word r15 __asm__("r15") = registers->words[3];
	register seL4_Word r12 __asm__("r12") = registers->r12;
	register seL4_Word r13 __asm__("r13") = registers->r13;

	__asm__ volatile("movq %%rsp, %%rbx\n\tsyscall\n\tmovq %%rbx, %%rsp"
			 : "+D"(registers->rdi), "+S"(registers->rsi), "+r"(r10), "+r"(r8),
			 "+r"(r9), "+r"(r15)
			 : "d"(number), "r"(r12), "r"(r13)
			 : "rcx", "rbx", "r11", "memory");
	registers->words[0] = r10;
	registers->words[1] = r8;
	registers->words[2] = r9;
	registers->words[3] = r15;
}

static inline seL4_MessageInfo_t seL4_GetTag(void) { return __sel4_ipc_buffer->tag; }

static inline void seL4_SetTag(seL4_MessageInfo_t tag) { __sel4_ipc_buffer->tag = tag; }

static inline seL4_Word seL4_GetMR(int i) { return __sel4_ipc_buffer->msg[i]; }

static inline void seL4_SetMR(int i, seL4_Word mr) { __sel4_ipc_buffer->msg[i] = mr; }

static inline seL4_Word seL4_GetUserData(void) { return __sel4_ipc_buffer->userData; }

static inline void seL4_SetUserData(seL4_Word data) { __sel4_ipc_buffer->userData = data; }

static inline seL4_Word seL4_GetBadge(int i) { return __sel4_ipc_buffer->caps_or_badges[i]; }

static inline seL4_CPtr seL4_GetCap(int i) { return __sel4_ipc_buffer->caps_or_badges[i]; }

static inline void seL4_SetCap(int i, seL4_CPtr cptr) {
	__sel4_ipc_buffer->caps_or_badges[i] = cptr;
}

static inline void seL4_SetCapReceivePath(
	seL4_CPtr receiveCNode, seL4_CPtr receiveIndex, seL4_Word receiveDepth) {
	__sel4_ipc_buffer->receiveCNode = receiveCNode;
	__sel4_ipc_buffer->receiveIndex = receiveIndex;
	__sel4_ipc_buffer->receiveDepth = receiveDepth;
}

static inline seL4_IPCBuffer *seL4_GetIPCBuffer(void) { return __sel4_ipc_buffer; }

static inline void seL4_SetIPCBuffer(seL4_IPCBuffer *buffer) { __sel4_ipc_buffer = buffer; }

// An operation on an object: its label, how many capabilities are in the IPC buffer, how many
// words it has, and the first four; words from the fifth on are already in the IPC buffer. After
// success `words` holds the first results and `length` their number; after an error it is 0.
struct sel4_invocation {
	seL4_Word label;
	seL4_Word caps;
	seL4_Word length;
	seL4_Word words[MESSAGE_REGISTERS];
};

__attribute__((always_inline)) static inline seL4_Error sel4_invoke(
	seL4_CPtr service, struct sel4_invocation *invocation) {
	struct sel4_registers registers = {service,
		tag_make(invocation->label, 0, invocation->caps, invocation->length),
		{invocation->words[0], invocation->words[1], invocation->words[2],
			invocation->words[3]},
		0, 0};
	seL4_Error error;

	sel4_syscall(SYSCALL_CALL, &registers);
	error = (seL4_Error)tag_label(registers.rsi);
	for (int i = 0; i < MESSAGE_REGISTERS; i++)
		invocation->words[i] = registers.words[i];
	invocation->length = error == seL4_NoError ? tag_length(registers.rsi) : 0;
	if (error == seL4_NoError) return error;
	// Where callers look for the details of an error.
	for (int i = 0; i < MESSAGE_REGISTERS; i++)
		seL4_SetMR(i, registers.words[i]);
	return error;
}

// Words of a structure, from the message after a success: as many as the kernel sent.
static inline void sel4_results(
	const struct sel4_invocation *invocation, seL4_Word *words, seL4_Word count) {
	for (seL4_Word i = 0; i < count && i < invocation->length; i++)
		words[i] = i < MESSAGE_REGISTERS ? invocation->words[i] : seL4_GetMR((int)i);
}
