// SPDX-License-Identifier: BSD-2-Clause
// Fault numbers and message lengths (FAULT-9 to FAULT-13).
#pragma once

enum fault_kind {
	FAULT_NONE = 0, // none: never sent
	FAULT_CAP = 1, // capability fault
	FAULT_UNKNOWN_SYSCALL = 2, // unknown system call
	FAULT_USER_EXCEPTION = 3, // exception
	FAULT_DEBUG_EXCEPTION = 4, // debug exception: never sent
	FAULT_TIMEOUT = 5, // timeout
	FAULT_VM = 6, // VM fault
};

enum {
	FAULT_UNKNOWN_SYSCALL_LENGTH = 19,
	FAULT_UNKNOWN_SYSCALL_REPLY_LENGTH = 18,
	FAULT_USER_EXCEPTION_LENGTH = 5,
	FAULT_USER_EXCEPTION_REPLY_LENGTH = 3,
	FAULT_TIMEOUT_LENGTH = 2,
	FAULT_TIMEOUT_REPLY_LENGTH = 19,
	FAULT_VM_LENGTH = 4,
	USER_CONTEXT_WORDS = 20, // ReadRegisters, WriteRegisters (THR-10)
};
