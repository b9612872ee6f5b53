// SPDX-License-Identifier: BSD-2-Clause
// What public headers need of the compiler, in C from C11 on and in C++.
#pragma once

#ifdef __cplusplus
#define ABI_ASSERT(condition) static_assert(condition, #condition)
#else
#define ABI_ASSERT(condition) _Static_assert(condition, #condition)
#endif

#if defined(__cplusplus) || __STDC_VERSION__ > 201710L
#define ABI_MUST_USE [[nodiscard]]
#else
#define ABI_MUST_USE
#endif
#define ABI_ALWAYS_INLINE __attribute__((always_inline)) static inline
