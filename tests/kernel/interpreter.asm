; SPDX-License-Identifier: BSD-2-Clause
; A thread of the equivalence test: makes the system call of its record whenever it is woken, and
; stores the results there (struct part in equivalence.c). No stack, and RBP holds the record.
bits 64
default rel

PART_IN equ 0
PART_OUT equ 14 * 8
PART_COUNT equ 28 * 8
PART_FLAGS equ 29 * 8
PART_PARK equ 30 * 8
FLAG_FPU equ 1
FLAG_BASES equ 2
SYSCALL_WAIT equ -9

global interpreter_start, interpreter_next

; The content of a record, from an offset on.
%macro record_load 1
	mov	rdx, [rbp + %1]
	mov	rdi, [rbp + %1 + 8]
	mov	rsi, [rbp + %1 + 16]
	mov	r10, [rbp + %1 + 24]
	mov	r8, [rbp + %1 + 32]
	mov	r9, [rbp + %1 + 40]
	mov	r15, [rbp + %1 + 48]
	mov	r12, [rbp + %1 + 56]
	mov	r13, [rbp + %1 + 64]
	mov	rax, [rbp + %1 + 72]
	mov	rbx, [rbp + %1 + 80]
	mov	r14, [rbp + %1 + 88]
%endmacro

%macro record_store 1
	mov	[rbp + %1], rdx
	mov	[rbp + %1 + 8], rdi
	mov	[rbp + %1 + 16], rsi
	mov	[rbp + %1 + 24], r10
	mov	[rbp + %1 + 32], r8
	mov	[rbp + %1 + 40], r9
	mov	[rbp + %1 + 48], r15
	mov	[rbp + %1 + 56], r12
	mov	[rbp + %1 + 64], r13
	mov	[rbp + %1 + 72], rax
	mov	[rbp + %1 + 80], rbx
	mov	[rbp + %1 + 88], r14
%endmacro

section .text

interpreter_start:
	mov	rbp, rdi
	jmp	park

; RBP is what it was.
interpreter_next:
	test	byte [rbp + PART_FLAGS], FLAG_FPU
	jz	.fpu_is_set
	movq	xmm5, [rbp + PART_IN + 96]
.fpu_is_set:
	test	byte [rbp + PART_FLAGS], FLAG_BASES
	jz	.bases_are_set
	mov	rax, [rbp + PART_IN + 104]
	wrfsbase rax
	add	rax, 16
	wrgsbase rax
.bases_are_set:
	record_load PART_IN
	syscall
	record_store PART_OUT
	test	byte [rbp + PART_FLAGS], FLAG_FPU
	jz	.fpu_is_seen
	movq	[rbp + PART_OUT + 96], xmm5
.fpu_is_seen:
	test	byte [rbp + PART_FLAGS], FLAG_BASES
	jz	.bases_are_seen
	rdfsbase rax
	rdgsbase rcx
	add	rax, rcx
	mov	[rbp + PART_OUT + 104], rax
.bases_are_seen:
	inc	qword [rbp + PART_COUNT]
park:
	mov	rdi, [rbp + PART_PARK]
	mov	rdx, SYSCALL_WAIT
	syscall
	jmp	interpreter_next
