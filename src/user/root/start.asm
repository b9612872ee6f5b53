; SPDX-License-Identifier: BSD-2-Clause
; Entry of an initial task. It gets its BootInfo address in rdi and no stack (BOOT-4).
default rel

extern root_start
global _start
global root_start_tsc

ROOT_STACK_SIZE equ 0x10000

section .text.start exec
_start:
	rdtsc
	mov [root_start_tsc], eax
	mov [root_start_tsc + 4], edx
	lea rsp, [root_stack + ROOT_STACK_SIZE]
	xor ebp, ebp
	call root_start
	ud2

section .bss.root_stack nobits alloc noexec write align=16
root_stack:
	resb ROOT_STACK_SIZE

section .bss.root_start_tsc nobits alloc noexec write align=8
root_start_tsc:
	resq 1

section .note.GNU-stack noalloc noexec nowrite progbits
