// SPDX-License-Identifier: BSD-2-Clause
// Assertions of programs: seL4_Assert always checks, seL4_DebugAssert where
// CONFIG_DEBUG_BUILD is defined.
#pragma once

#include <abi/compiler.h>

#include <sel4/macros.h>

SEL4_C_BEGIN

// Says which expression is false and where, and does not return. The libraries have one; a C
// library's, or the program's own, takes its place.
void __assert_fail(const char *expression, const char *file, int line, const char *function);

SEL4_C_END

#define seL4_Fail(text) __assert_fail(text, __FILE__, __LINE__, __func__)
#define seL4_Assert(condition) \
	do { \
		if (!(condition)) seL4_Fail(#condition); \
	} while (0)

#ifdef CONFIG_DEBUG_BUILD
#define seL4_DebugAssert(condition) seL4_Assert(condition)
#else
#define seL4_DebugAssert(condition) ((void)(condition))
#endif

#define seL4_CompileTimeAssert(condition) ABI_ASSERT(condition)
#define seL4_Compile_Assert(name, condition) SEL4_COMPILE_ASSERT(name, condition)
