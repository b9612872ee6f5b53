; SPDX-License-Identifier: BSD-2-Clause
; The ways into the kernel from programs, guests and the idle loop, and the one way out.
;
; Inside the kernel interrupts are off, GS holds struct cpu, and the stack starts at its top: the
; state of whoever was interrupted lies in its struct context, so nothing on the stack outlives an
; entry. C functions return what to do next (enum way_out).

%include "offsets.inc"

bits 64
default rel

extern trap_syscall
extern trap_exception
extern trap_interrupt
extern trap_guest_exit
extern trap_in_kernel
extern guest_enter
global trap_stubs
global trap_syscall_entry
global trap_from_guest
global trap_nmi_count
global way_out

%macro save_common 1			; all registers but those the callers treat themselves
	mov [%1 + CONTEXT_R15], r15
	mov [%1 + CONTEXT_R14], r14
	mov [%1 + CONTEXT_R13], r13
	mov [%1 + CONTEXT_R12], r12
	mov [%1 + CONTEXT_R11], r11
	mov [%1 + CONTEXT_R10], r10
	mov [%1 + CONTEXT_R9], r9
	mov [%1 + CONTEXT_R8], r8
	mov [%1 + CONTEXT_RDI], rdi
	mov [%1 + CONTEXT_RSI], rsi
	mov [%1 + CONTEXT_RBP], rbp
	mov [%1 + CONTEXT_RBX], rbx
	mov [%1 + CONTEXT_RDX], rdx
	mov [%1 + CONTEXT_RCX], rcx
%endmacro

%macro load_common 1
	mov r15, [%1 + CONTEXT_R15]
	mov r14, [%1 + CONTEXT_R14]
	mov r13, [%1 + CONTEXT_R13]
	mov r12, [%1 + CONTEXT_R12]
	mov r10, [%1 + CONTEXT_R10]
	mov r9, [%1 + CONTEXT_R9]
	mov r8, [%1 + CONTEXT_R8]
	mov rdi, [%1 + CONTEXT_RDI]
	mov rsi, [%1 + CONTEXT_RSI]
	mov rbp, [%1 + CONTEXT_RBP]
	mov rbx, [%1 + CONTEXT_RBX]
	mov rax, [%1 + CONTEXT_RAX]
%endmacro

section .text

; One stub a vector, STUB_SIZE apart: pushes an error code where the CPU pushes none, and the
; vector.
	align STUB_SIZE
trap_stubs:
%assign vector 0
%rep 256
	align STUB_SIZE
%if vector == VECTOR_NMI
	jmp trap_nmi
%else
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 \
	|| vector == 29 || vector == 30)
	push 0
%endif
	push vector
%if vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK
	jmp trap_broken
%else
	jmp trap_common
%endif
%endif
%assign vector vector + 1
%endrep

; SYSCALL: RCX is the next instruction, R11 the flags; FMASK has cleared IF, TF, DF, AC and NT. The
; context serves as stack pointer for as long as no register is free; NMI and machine check have
; stacks of their own.
	align 16
trap_syscall_entry:
	swapgs
	mov [gs:CPU_SCRATCH], rsp
	mov rsp, [gs:CPU_CURRENT_CONTEXT]
	save_common rsp
	mov [rsp + CONTEXT_RAX], rax
	mov [rsp + CONTEXT_RIP], rcx
	sub rcx, 2			; SYSCALL itself
	mov [rsp + CONTEXT_FAULT_IP], rcx
	mov [rsp + CONTEXT_RFLAGS], r11
	mov rax, [gs:CPU_SCRATCH]
	mov [rsp + CONTEXT_RSP], rax
	mov qword [rsp + CONTEXT_HOW], CONTEXT_SYSRET
	mov rsp, [gs:CPU_KERNEL_STACK]
	mov rdi, rdx
	call trap_syscall
	jmp way_out

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
	align 16
trap_common:
	cld
	test byte [rsp + 24], 3
	jz .in_kernel
	swapgs
	mov [gs:CPU_SCRATCH], rax
	mov rax, [gs:CPU_CURRENT_CONTEXT]
	save_common rax
	mov rcx, [gs:CPU_SCRATCH]
	mov [rax + CONTEXT_RAX], rcx
	pop rdi
	mov [rax + CONTEXT_VECTOR], rdi
	pop qword [rax + CONTEXT_ERROR_CODE]
	pop rcx
	mov [rax + CONTEXT_RIP], rcx
	mov [rax + CONTEXT_FAULT_IP], rcx
	add rsp, 8
	pop qword [rax + CONTEXT_RFLAGS]
	pop qword [rax + CONTEXT_RSP]
	mov qword [rax + CONTEXT_HOW], CONTEXT_IRET
	mov rsp, [gs:CPU_KERNEL_STACK]
	cmp edi, VECTOR_PAGE_FAULT
	jne .no_address
	mov rdx, cr2
	mov [rax + CONTEXT_FAULT_ADDRESS], rdx
.no_address:
	cmp edi, VECTOR_EXCEPTIONS
	jb .exception
	call trap_interrupt
	jmp way_out
.exception:
	call trap_exception
	jmp way_out

; Only the idle loop runs with interrupts on here; it has nothing to keep.
.in_kernel:
	cmp qword [rsp], VECTOR_EXCEPTIONS
	jb trap_broken
	mov rdi, [rsp]
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_interrupt
	jmp way_out

; An exception in the kernel, a double fault or a machine check: the whole frame for the panic.
trap_broken:
	push rax
	push rcx
	push rdx
	push rbx
	push rbp
	push rsi
	push rdi
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
	mov rdi, rsp
	and rsp, -16
	call trap_in_kernel
	ud2

; May come at any moment, GS unknown: only counts.
trap_nmi:
	lock inc qword [trap_nmi_count]
	iretq

; guest.asm comes here after a VM exit, GS and the stack as everywhere in the kernel.
	align 16
trap_from_guest:
	call trap_guest_exit

; EAX: enum way_out. The stack is at its top.
	align 16
way_out:
	cmp eax, WAY_OUT_USER
	jne .not_user
	mov rdx, [gs:CPU_CURRENT_CONTEXT]
	mov rcx, [rdx + CONTEXT_RIP]
	; SYSRET and IRETQ to a non-canonical address fault in ring 0, SYSRET even with the
	; program's stack pointer loaded (SDM 2B, SYSRET).
	mov rax, rcx
	shl rax, 16
	sar rax, 16
	cmp rax, rcx
	jne .bad_address
	load_common rdx
	cmp qword [rdx + CONTEXT_HOW], CONTEXT_SYSRET
	jne .interrupt_return
	mov r11, [rdx + CONTEXT_RFLAGS]
	mov rsp, [rdx + CONTEXT_RSP]
	mov rdx, [rdx + CONTEXT_RDX]
	swapgs
	o64 sysret

.interrupt_return:
	push SELECTOR_USER_DATA
	push qword [rdx + CONTEXT_RSP]
	push qword [rdx + CONTEXT_RFLAGS]
	push SELECTOR_USER_CODE
	push rcx
	mov r11, [rdx + CONTEXT_R11]
	mov rcx, [rdx + CONTEXT_RCX]
	mov rdx, [rdx + CONTEXT_RDX]
	swapgs
	iretq

.bad_address:
	mov qword [rdx + CONTEXT_VECTOR], VECTOR_PROTECTION
	mov qword [rdx + CONTEXT_ERROR_CODE], 0
	mov [rdx + CONTEXT_FAULT_IP], rcx
	call trap_exception
	jmp way_out

.not_user:
	cmp eax, WAY_OUT_GUEST
	je guest_enter
; STI takes effect after HLT began, so an interrupt that is pending already ends the HLT.
.idle:
	sti
	hlt
	jmp .idle

section .bss nobits alloc noexec write align=8
trap_nmi_count:
	resq 1
