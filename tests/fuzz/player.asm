; SPDX-License-Identifier: BSD-2-Clause
; What a fuzzing thread executes: it plays steps one after the other. Each step fills the IPC
; buffer, loads the registers and jumps to an action. The code is copied into the playground, where
; every fuzzing thread sees it at one address, and so refers to nothing outside.
bits 64
default rel

%include "player.inc"

section .rodata

global player_begin
global player_end

align 16
player_begin:
; rdi: first step, rsi: seat
	mov	r14, rdi
	mov	rbp, rsi

player_next:
	inc	qword [rbp + SEAT_PLAYED]
%assign word 0
%rep STEP_WORD_COUNT
	mov	rax, [r14 + STEP_WORDS + 8 * word]
	mov	[rbp + SEAT_BUFFER + BUFFER_MESSAGE + 8 * (REGISTER_WORDS + word)], rax
%assign word word + 1
%endrep
%assign word 0
%rep 3
	mov	rax, [r14 + STEP_CAPS + 8 * word]
	mov	[rbp + SEAT_BUFFER + BUFFER_CAPS + 8 * word], rax
	mov	rax, [r14 + STEP_RECEIVE + 8 * word]
	mov	[rbp + SEAT_BUFFER + BUFFER_RECEIVE + 8 * word], rax
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

player_done:
	add	r14, STEP_SIZE
	jmp	player_next

; One action each; all but the last go on with the next step, unless they fault.
play_syscall:
	syscall
	jmp	player_done
play_read:
	mov	rax, [rdi]
	jmp	player_done
play_write:
	mov	[rdi], rsi
	jmp	player_done
play_jump:
	jmp	rdi
play_undefined:
	ud2
play_breakpoint:
	int3
	jmp	player_done
play_int_call:
	mov	eax, edi
	int	0xc8
	jmp	player_done
play_int_device:
	int	0x40
	jmp	player_done
play_int_spurious:
	int	0xff
	jmp	player_done
play_divide:
	xor	edx, edx
	div	rdi
	jmp	player_done
play_halt:
	hlt
	jmp	player_done
play_port:
	in	al, 0x80
	jmp	player_done
play_fpu:
	movq	xmm0, rdi
	fninit
	movq	xmm1, xmm0
	jmp	player_done
play_fpu_error:
	mov	[rbp + 512], rdi
	fldcw	[rbp + 512]
	fldz
	fldz
	fdivp
	fwait
	jmp	player_done
play_mxcsr:
	mov	[rbp + 512], rdi
	ldmxcsr	[rbp + 512]
	jmp	player_done
play_bases:
	wrfsbase rdi
	wrgsbase rsi
	jmp	player_done
play_selectors:
	mov	ds, edi
	mov	es, esi
	jmp	player_done
play_base_selectors:
	mov	fs, edi
	mov	gs, esi
	jmp	player_done
play_flags:
	lea	rsp, [rbp + 768]
	push	rdi
	popfq
	jmp	player_done
play_sysenter:
	sysenter
play_spin:
	mov	ecx, 3000
.again:
	pause
	dec	ecx
	jnz	.again
	jmp	player_done
play_far_return:
	lea	rsp, [rbp + 768]
	push	rsi
	push	rdi
	retfq
play_end:
	ud2
	jmp	play_end
player_end:

; Offsets of the actions, in the order of enum action (seat.h).
global player_actions
align 4
player_actions:
	dd	play_syscall - player_begin
	dd	play_end - player_begin
	dd	play_read - player_begin
	dd	play_write - player_begin
	dd	play_jump - player_begin
	dd	play_undefined - player_begin
	dd	play_breakpoint - player_begin
	dd	play_int_call - player_begin
	dd	play_int_device - player_begin
	dd	play_int_spurious - player_begin
	dd	play_divide - player_begin
	dd	play_halt - player_begin
	dd	play_port - player_begin
	dd	play_fpu - player_begin
	dd	play_fpu_error - player_begin
	dd	play_mxcsr - player_begin
	dd	play_bases - player_begin
	dd	play_selectors - player_begin
	dd	play_base_selectors - player_begin
	dd	play_flags - player_begin
	dd	play_sysenter - player_begin
	dd	play_spin - player_begin
	dd	play_far_return - player_begin
