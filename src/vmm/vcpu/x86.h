// SPDX-License-Identifier: BSD-2-Clause
// Architectural numbers that only a monitor needs: registers in the order of instruction encoding,
// error codes.
#pragma once

#include <x86/vector.h>

enum x86_register {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
};

enum x86_page_fault {
	PAGE_FAULT_PRESENT = 1 << 0,
	PAGE_FAULT_WRITE = 1 << 1,
	PAGE_FAULT_USER = 1 << 2,
	PAGE_FAULT_RESERVED = 1 << 3,
	PAGE_FAULT_FETCH = 1 << 4,
};

// Pending debug exceptions, as the state page has them.
enum x86_pending_debug {
	PENDING_DEBUG_ENABLED = 1 << 12, // at least one of the breakpoints met was enabled
	PENDING_DEBUG_STEP = 1 << 14,
};
