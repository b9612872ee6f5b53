; SPDX-License-Identifier: BSD-2-Clause
; Entry of a protection domain. A restarted domain arrives with the stack pointer of its fault, so
; the alignment the C calling convention wants is made here.
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
