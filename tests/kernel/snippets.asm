; SPDX-License-Identifier: BSD-2-Clause
; Instructions at known addresses, for tests that compare fault addresses and registers exactly.
; Each starts with rdi as its argument and ends in a loop that does not return.
bits 64
default rel

section .text

%macro snippet 1
global %1
align 16
%1:
%endmacro

; Reads, writes or executes the word rdi points to, then raises exception 6.
snippet code_read
	mov	rax, [rdi]
	ud2

snippet code_write
	mov	qword [rdi], 1
	ud2

snippet code_jump
	jmp	rdi

; Counts in the word rdi points to, for ever.
snippet code_spin
	inc	qword [rdi]
	jmp	code_spin

; The same, and lets other cores run in an emulator.
snippet code_count
	inc	qword [rdi]
	pause
	jmp	code_count
global code_count_end
code_count_end:

snippet code_divide
	xor	eax, eax
	xor	edx, edx
	xor	ecx, ecx
global code_divide_at
code_divide_at:
	div	rcx
	jmp	code_park

snippet code_undefined
	ud2
	jmp	code_park

snippet code_breakpoint
	int3
global code_breakpoint_after
code_breakpoint_after:
	jmp	code_park

snippet code_halt
	hlt
	jmp	code_park

snippet code_port
	in	al, 0x80
	jmp	code_park

snippet code_int_allowed
	mov	eax, 0x11223344
global code_int_allowed_at
code_int_allowed_at:
	int	0xc8
	jmp	code_park

snippet code_int_unaligned
	pushfq
	or	qword [rsp], 1 << 18	; AC
	popfq
	int	0xc8
	jmp	code_park

snippet code_int_refused
	int	0x40
	jmp	code_park

snippet code_int_spurious
	int	0xff
	mov	qword [rdi], 1
	jmp	code_park

snippet code_fpu
	movq	xmm0, rdi
global code_fpu_after
code_fpu_after:
	ud2

; A system call with a number in rdi, and a known value in every other register.
snippet code_syscall
	mov	rdx, rdi
	mov	eax, 0xa0
	mov	ebx, 0xb0
	mov	esi, 0x51
	mov	edi, 0xd1
	mov	ebp, 0xb9
	mov	r8d, 0x08
	mov	r9d, 0x09
	mov	r10d, 0x10
	mov	r12d, 0x12
	mov	r13d, 0x13
	mov	r14d, 0x14
	mov	r15d, 0x15
global code_syscall_at
code_syscall_at:
	syscall
global code_syscall_after
code_syscall_after:
	mov	[rel code_registers + 0], rax
	mov	[rel code_registers + 8], rbx
	mov	[rel code_registers + 16], rdi
	mov	[rel code_registers + 24], rsi
	mov	[rel code_registers + 32], r15
	mov	qword [rel code_registers + 40], 1
	jmp	code_park

; Waits without using anything but itself.
snippet code_park
	pause
	jmp	code_park

; Stores the FS base and GS base forever: [rdi], [rdi + 8]; the test reads them.
snippet code_bases
	rdfsbase rax
	mov	[rdi], rax
	rdgsbase rax
	mov	[rdi + 8], rax
	inc	qword [rdi + 16]
	jmp	code_bases

; Keeps rdi in all SSE registers and x87, and counts mismatches in [rsi]: rounds in [rsi + 8].
; void code_sse_hold(uint64_t value, uint64_t *counters, uint64_t rounds)
snippet code_sse_hold
	movq	xmm0, rdi
	movq	xmm7, rdi
	movq	xmm15, rdi
	push	rdi
	fild	qword [rsp]
.again:
	movq	rax, xmm0
	movq	rcx, xmm7
	movq	r8, xmm15
	xor	r9d, r9d
	cmp	rax, rdi
	setne	r9b
	add	[rsi], r9
	cmp	rcx, rdi
	setne	r9b
	add	[rsi], r9
	cmp	r8, rdi
	setne	r9b
	add	[rsi], r9
	inc	qword [rsi + 8]
	dec	rdx
	jnz	.again
	fistp	qword [rsp]
	pop	rax
	xor	r9d, r9d
	cmp	rax, rdi
	setne	r9b
	add	[rsi], r9
	ret

; void code_registers_hold(struct { tag, mismatches, rounds })
; Keeps a pattern in the general registers through interrupts.
snippet code_registers_hold
	mov	rax, [rdi]
	mov	rbx, rax
	mov	rcx, rax
	mov	rdx, rax
	mov	rsi, rax
	mov	rbp, rax
	mov	r8, rax
	mov	r9, rax
	mov	r10, rax
	mov	r11, rax
	mov	r12, rax
	mov	r13, rax
	mov	r14, rax
	mov	r15, rax
.again:
%assign spin 0
%rep 32
	pause
%endrep
	cmp	rax, rbx
	jne	.bad
	cmp	rax, rcx
	jne	.bad
	cmp	rax, rdx
	jne	.bad
	cmp	rax, rsi
	jne	.bad
	cmp	rax, rbp
	jne	.bad
	cmp	rax, r8
	jne	.bad
	cmp	rax, r9
	jne	.bad
	cmp	rax, r10
	jne	.bad
	cmp	rax, r11
	jne	.bad
	cmp	rax, r12
	jne	.bad
	cmp	rax, r13
	jne	.bad
	cmp	rax, r14
	jne	.bad
	cmp	rax, r15
	jne	.bad
	cmp	rax, [rdi]
	jne	.bad
	inc	qword [rdi + 16]
	jmp	.again
.bad:
	inc	qword [rdi + 8]
	jmp	.again

section .data
align 8
global code_registers
code_registers:
	times 6 dq 0
