; SPDX-License-Identifier: BSD-2-Clause
; Guests that raise #DB and #AC. One blob with an entry for each cause of #DB; at `..._stop` the
; exception is reported.
%include "code.inc"

section .rodata

%macro single_step_on 0
	pushfq
	or qword [rsp], 0x100
	popfq
%endmacro

%macro label 1
global %1
%1:
%endmacro

code code_debug
label debug_step
	single_step_on
	nop
label debug_step_stop
	nop

; The trap after STI comes while STI blocks interrupts.
label debug_step_sti
	single_step_on
	sti
label debug_step_sti_stop
	nop

label debug_write
	mov eax, GUEST_DATA
	mov dr0, rax
	mov eax, 0x10401
	mov dr7, rax
	mov [abs GUEST_DATA], al
label debug_write_stop
	nop

label debug_execute
	lea rax, [debug_execute_stop]
	mov dr0, rax
	mov eax, 0x401
	mov dr7, rax
label debug_execute_stop
	nop

; Debug registers may not be touched any more.
label debug_registers
	mov eax, 0x2400
	mov dr7, rax
label debug_registers_stop
	mov rbx, dr3

label debug_int1
	int1
label debug_int1_stop
	nop

label debug_handler
	mov r8, dr6
	mov r9, dr7
	vmcall
end_code

; Each #DB pushes where a breakpoint waits, and so raises the next.
code code_debug_loop
	mov [abs GUEST_DATA + 0xff8], rax
.again:
	jmp .again
end_code

code code_unaligned
	mov eax, [abs GUEST_DATA + 1]
	vmcall
end_code

bits 32
; With an odd stack pointer and a handler in the same ring each #AC raises the next.
code code_unaligned_loop
	push eax
.again:
	jmp .again
end_code
bits 64
