// SPDX-License-Identifier: BSD-2-Clause
// Vectors of exceptions (SDM 3A, table 6-1).
#pragma once

enum exception_vector {
	VECTOR_DEBUG = 1,
	VECTOR_NMI = 2,
	VECTOR_BREAKPOINT = 3,
	VECTOR_OVERFLOW = 4,
	VECTOR_INVALID_OPCODE = 6,
	VECTOR_NO_FPU = 7,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_STACK = 12,
	VECTOR_PROTECTION = 13,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_ALIGNMENT = 17,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_SECURITY = 30, // AMD (APM 2 8.2.21, 15.28)
	VECTOR_EXCEPTIONS = 32, // all before are reserved for them
};

enum { SECURITY_INIT = 1 }; // error code of VECTOR_SECURITY
