// SPDX-License-Identifier: BSD-2-Clause
// Addresses in snippets.asm.
#pragma once

#include <stdint.h>

extern const char code_read[];
extern const char code_write[];
extern const char code_jump[];
extern const char code_spin[];
extern const char code_count[], code_count_end[];
extern const char code_divide[];
extern const char code_divide_at[];
extern const char code_undefined[];
extern const char code_breakpoint[];
extern const char code_breakpoint_after[];
extern const char code_halt[];
extern const char code_port[];
extern const char code_int_allowed[];
extern const char code_int_allowed_at[];
extern const char code_int_refused[], code_int_unaligned[];
extern const char code_int_spurious[];
extern const char code_fpu[];
extern const char code_fpu_after[];
extern const char code_syscall[];
extern const char code_syscall_at[];
extern const char code_syscall_after[];
extern const char code_park[];
extern const char code_bases[];
extern const char code_registers_hold[];

void code_sse_hold(uint64_t value, uint64_t *counters, uint64_t rounds);

extern volatile uint64_t code_registers[6]; // rax rbx rdi rsi r15, 1 when stored
