; SPDX-License-Identifier: BSD-2-Clause
; What a fuzzing thread executes: the steps of its script in order. Each step fills the IPC
; buffer, loads the registers and jumps to an action. The code is copied into the arena, where
; every fuzzing thread sees it at one address, and so refers to nothing outside.
bits 64
default rel

%include "interpreter.inc"

section .rodata

global interpreter_begin
global interpreter_end

align 16
interpreter_begin:
; rdi: first step, rsi: script
	mov	r14, rdi
	mov	rbp, rsi

step_next:
	inc	qword [rbp + SCRIPT_EXECUTED]
%assign word 0
%rep STEP_WORD_COUNT
	mov	rax, [r14 + STEP_WORDS + 8 * word]
	mov	[rbp + SCRIPT_BUFFER + BUFFER_MESSAGE + 8 * (REGISTER_WORDS + word)], rax
%assign word word + 1
%endrep
%assign word 0
%rep 3
	mov	rax, [r14 + STEP_CAPS + 8 * word]
	mov	[rbp + SCRIPT_BUFFER + BUFFER_CAPS + 8 * word], rax
	mov	rax, [r14 + STEP_RECEIVE + 8 * word]
	mov	[rbp + SCRIPT_BUFFER + BUFFER_RECEIVE + 8 * word], rax
%assign word word + 1
%endrep
	mov	rdx, [r14 + STEP_REGISTERS]
	mov	rdi, [r14 + STEP_REGISTERS + 8]
	mov	rsi, [r14 + STEP_REGISTERS + 16]
	mov	r10, [r14 + STEP_REGISTERS + 24]
	mov	r8, [r14 + STEP_REGISTERS + 32]
	mov	r9, [r14 + STEP_REGISTERS + 40]
	mov	r15, [r14 + STEP_REGISTERS + 48]
	mov	r12, [r14 + STEP_REGISTERS + 56]
	mov	r13, [r14 + STEP_REGISTERS + 64]
	jmp	[r14 + STEP_ACTION]

step_done:
	add	r14, STEP_SIZE
	jmp	step_next

; One action each; all but the last continue with the next step, unless they fault.
action_syscall:
	syscall
	jmp	step_done
action_read:
	mov	rax, [rdi]
	jmp	step_done
action_write:
	mov	[rdi], rsi
	jmp	step_done
action_jump:
	jmp	rdi
action_undefined:
	ud2
action_breakpoint:
	int3
	jmp	step_done
action_int_call:
	mov	eax, edi
	int	0xc8
	jmp	step_done
action_int_device:
	int	0x40
	jmp	step_done
action_int_spurious:
	int	0xff
	jmp	step_done
action_divide:
	xor	edx, edx
	div	rdi
	jmp	step_done
action_halt:
	hlt
	jmp	step_done
action_port:
	in	al, 0x80
	jmp	step_done
action_fpu:
	movq	xmm0, rdi
	fninit
	movq	xmm1, xmm0
	jmp	step_done
action_fpu_error:
	mov	[rbp + 512], rdi
	fldcw	[rbp + 512]
	fldz
	fldz
	fdivp
	fwait
	jmp	step_done
action_mxcsr:
	mov	[rbp + 512], rdi
	ldmxcsr	[rbp + 512]
	jmp	step_done
action_bases:
	wrfsbase rdi
	wrgsbase rsi
	jmp	step_done
action_selectors:
	mov	ds, edi
	mov	es, esi
	jmp	step_done
action_base_selectors:
	mov	fs, edi
	mov	gs, esi
	jmp	step_done
action_flags:
	lea	rsp, [rbp + 768]
	push	rdi
	popfq
	jmp	step_done
action_sysenter:
	sysenter
action_spin:
	mov	ecx, 3000
.again:
	pause
	dec	ecx
	jnz	.again
	jmp	step_done
action_far_return:
	lea	rsp, [rbp + 768]
	push	rsi
	push	rdi
	retfq
action_end:
	ud2
	jmp	action_end
interpreter_end:

; Offsets of the actions, in the order of enum action (script.h).
global action_offsets
align 4
action_offsets:
	dd	action_syscall - interpreter_begin
	dd	action_end - interpreter_begin
	dd	action_read - interpreter_begin
	dd	action_write - interpreter_begin
	dd	action_jump - interpreter_begin
	dd	action_undefined - interpreter_begin
	dd	action_breakpoint - interpreter_begin
	dd	action_int_call - interpreter_begin
	dd	action_int_device - interpreter_begin
	dd	action_int_spurious - interpreter_begin
	dd	action_divide - interpreter_begin
	dd	action_halt - interpreter_begin
	dd	action_port - interpreter_begin
	dd	action_fpu - interpreter_begin
	dd	action_fpu_error - interpreter_begin
	dd	action_mxcsr - interpreter_begin
	dd	action_bases - interpreter_begin
	dd	action_selectors - interpreter_begin
	dd	action_base_selectors - interpreter_begin
	dd	action_flags - interpreter_begin
	dd	action_sysenter - interpreter_begin
	dd	action_spin - interpreter_begin
	dd	action_far_return - interpreter_begin
