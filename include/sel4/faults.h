// SPDX-License-Identifier: BSD-2-Clause
// Fault numbers and the message words of each fault under their official names (FAULT-9 to
// FAULT-13).
#pragma once

#include <abi/compiler.h>
#include <abi/fault.h>

typedef enum {
	seL4_Fault_NullFault = FAULT_NONE,
	seL4_Fault_CapFault = FAULT_CAP,
	seL4_Fault_UnknownSyscall = FAULT_UNKNOWN_SYSCALL,
	seL4_Fault_UserException = FAULT_USER_EXCEPTION,
	seL4_Fault_DebugException = FAULT_DEBUG_EXCEPTION,
	seL4_Fault_Timeout = FAULT_TIMEOUT,
	seL4_Fault_VMFault = FAULT_VM,
} seL4_FaultType;

typedef enum {
	seL4_VMFault_IP,
	seL4_VMFault_Addr,
	seL4_VMFault_PrefetchFault,
	seL4_VMFault_FSR,
	seL4_VMFault_Length,
} seL4_VMFault_Msg;

typedef enum {
	seL4_CapFault_IP,
	seL4_CapFault_Addr,
	seL4_CapFault_InRecvPhase,
	seL4_CapFault_LookupFailureType,
	seL4_CapFault_BitsLeft,
	seL4_CapFault_DepthMismatch_BitsFound,
	seL4_CapFault_GuardMismatch_GuardFound = seL4_CapFault_DepthMismatch_BitsFound,
	seL4_CapFault_GuardMismatch_BitsFound,
} seL4_CapFault_Msg;

typedef enum {
	seL4_UnknownSyscall_RAX,
	seL4_UnknownSyscall_RBX,
	seL4_UnknownSyscall_RCX,
	seL4_UnknownSyscall_RDX,
	seL4_UnknownSyscall_RSI,
	seL4_UnknownSyscall_RDI,
	seL4_UnknownSyscall_RBP,
	seL4_UnknownSyscall_R8,
	seL4_UnknownSyscall_R9,
	seL4_UnknownSyscall_R10,
	seL4_UnknownSyscall_R11,
	seL4_UnknownSyscall_R12,
	seL4_UnknownSyscall_R13,
	seL4_UnknownSyscall_R14,
	seL4_UnknownSyscall_R15,
	seL4_UnknownSyscall_FaultIP,
	seL4_UnknownSyscall_SP,
	seL4_UnknownSyscall_FLAGS,
	seL4_UnknownSyscall_Syscall,
	seL4_UnknownSyscall_Length,
} seL4_UnknownSyscall_Msg;

typedef enum {
	seL4_UserException_FaultIP,
	seL4_UserException_SP,
	seL4_UserException_FLAGS,
	seL4_UserException_Number,
	seL4_UserException_Code,
	seL4_UserException_Length,
} seL4_UserException_Msg;

typedef enum {
	seL4_Timeout_Data,
	seL4_Timeout_Consumed,
	seL4_Timeout_Length,
} seL4_Timeout_Msg;

typedef enum {
	seL4_TimeoutReply_FaultIP,
	seL4_TimeoutReply_RSP,
	seL4_TimeoutReply_FLAGS,
	seL4_TimeoutReply_RAX,
	seL4_TimeoutReply_RBX,
	seL4_TimeoutReply_RCX,
	seL4_TimeoutReply_RDX,
	seL4_TimeoutReply_RSI,
	seL4_TimeoutReply_RDI,
	seL4_TimeoutReply_RBP,
	seL4_TimeoutReply_R8,
	seL4_TimeoutReply_R9,
	seL4_TimeoutReply_R10,
	seL4_TimeoutReply_R11,
	seL4_TimeoutReply_R12,
	seL4_TimeoutReply_R13,
	seL4_TimeoutReply_R14,
	seL4_TimeoutReply_R15,
	seL4_TimeoutReply_TLS_BASE,
	seL4_TimeoutReply_Length,
} seL4_TimeoutReply_Msg;

ABI_ASSERT((int)seL4_VMFault_Length == (int)FAULT_VM_LENGTH);
ABI_ASSERT((int)seL4_UnknownSyscall_Length == (int)FAULT_UNKNOWN_SYSCALL_LENGTH);
ABI_ASSERT((int)seL4_UserException_Length == (int)FAULT_USER_EXCEPTION_LENGTH);
ABI_ASSERT((int)seL4_Timeout_Length == (int)FAULT_TIMEOUT_LENGTH);
ABI_ASSERT((int)seL4_TimeoutReply_Length == (int)FAULT_TIMEOUT_REPLY_LENGTH);
