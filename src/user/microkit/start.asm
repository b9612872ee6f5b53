; SPDX-License-Identifier: BSD-2-Clause
; Entry of a protection domain. A restarted domain starts with the stack pointer it had at its
; fault, so the alignment of the C calling convention is established here.
default rel

extern main
global _start

section .text.start exec
_start:
	and rsp, -16
	xor ebp, ebp
	call main
	ud2

section .note.GNU-stack noalloc noexec nowrite progbits
