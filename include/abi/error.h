// SPDX-License-Identifier: BSD-2-Clause
// Error codes an invocation answers with: the label of the reply to a Call (INV-9).
#pragma once

enum error {
	ERROR_NONE = 0,
	ERROR_INVALID_ARGUMENT = 1, // word 0: argument number
	ERROR_INVALID_CAPABILITY = 2, // word 0: 0 the invoked capability, n extra capability n-1
	ERROR_ILLEGAL_OPERATION = 3,
	ERROR_RANGE = 4, // words 0, 1: smallest and largest value allowed
	ERROR_ALIGNMENT = 5,
	ERROR_FAILED_LOOKUP = 6, // word 0: 1 source, 0 target; then a lookup failure
	ERROR_TRUNCATED_MESSAGE = 7,
	ERROR_DELETE_FIRST = 8,
	ERROR_REVOKE_FIRST = 9,
	ERROR_NOT_ENOUGH_MEMORY = 10, // word 0: bytes left

	// Inside the kernel only: the operation stopped at a preemption point and the system call
	// is executed again from its first instruction.
	ERROR_PREEMPTED = 32,
	// Inside the kernel only: the handler decided the caller's state itself; no reply is
	// written.
	ERROR_NO_REPLY = 33,
};

// Why a capability address did not resolve (CAP-7, FAULT-9).
enum lookup_failure_kind {
	LOOKUP_INVALID_ROOT = 1,
	LOOKUP_MISSING_CAPABILITY = 2,
	LOOKUP_DEPTH_MISMATCH = 3,
	LOOKUP_GUARD_MISMATCH = 4,
};
