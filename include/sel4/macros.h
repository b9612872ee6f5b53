// SPDX-License-Identifier: BSD-2-Clause
// Attributes and checks under the names that users of libsel4 know.
#pragma once

#define CONST __attribute__((__const__))
#define PURE __attribute__((__pure__))
#define SEL4_PACKED __attribute__((packed))
#define SEL4_DEPRECATED(text) __attribute__((deprecated(text)))
#define SEL4_DEPRECATE_MACRO(text) _Pragma("message(\"" text "\")")
#define SEL4_OFFSETOF(type, member) __builtin_offsetof(type, member)

#define LIBSEL4_UNUSED __attribute__((unused))
#define LIBSEL4_WEAK __attribute__((weak))
#define LIBSEL4_NOINLINE __attribute__((noinline))
#define LIBSEL4_INLINE static inline
#define LIBSEL4_INLINE_FUNC static inline
#define LIBSEL4_BIT(n) (1ul << (n))

// An enumerator that makes an enumeration 64 bits wide.
#define SEL4_FORCE_LONG_ENUM(type) _enum_pad_##type = 0x7fffffffffffffffl

#define SEL4_COMPILE_ASSERT(name, condition) \
	typedef char __attribute__((unused)) name[(condition) ? 1 : -1]
#define SEL4_SIZE_SANITY(index, entry, type) \
	SEL4_COMPILE_ASSERT(type##entry##_size_sane, sizeof(type) == 1ul << (entry))

// Around functions and variables of other translation units, which are C.
#ifdef __cplusplus
#define SEL4_C_BEGIN extern "C" {
#define SEL4_C_END }
#else
#define SEL4_C_BEGIN
#define SEL4_C_END
#endif
