// SPDX-License-Identifier: BSD-2-Clause
// Numbers the assembler shares with C: offsets.py knows which it uses, and what their names mean.
// Compiled to assembly text and never linked; offsets.py takes the marked lines.
#include <abi/syscall.h>
#include <cpu/platform.h>
#include <sched/thread.h>
#include <guest/engine.h>

_Static_assert(offsetof(struct thread, context) == 0);
#define FRAME_SIZE CONTEXT_FRAME
#define WHOLE_BIT __builtin_ctzl(CONTEXT_WHOLE)
#define DEFINE(name, value) asm volatile(".ascii \"@define " #name " %0\"" : : "i"((long)(value)))

[[gnu::used]] static void offsets(void) {
#include "offsets_names.inc"
}
