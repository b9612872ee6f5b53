; SPDX-License-Identifier: BSD-2-Clause
; The ways into the kernel from programs, guests and the idle loop, and the one way out.
;
; Inside the kernel interrupts are off, GS holds struct cpu, and the stack starts at its top: the
; state of whoever was interrupted lies in its struct context or struct vcpu, so nothing on the
; stack outlives an entry. C functions return what to do next (enum way_out).

%include "offsets.inc"

VMCS_HOST_RIP equ 0x6c16

bits 64
default rel

extern trap_syscall, trap_exception, trap_interrupt, trap_guest_exit, trap_in_kernel
global trap_stubs, trap_syscall_entry, way_out

; Stores or loads registers, the arguments from the third on, one after the other from an address
; on.
%macro registers 3-*
%xdefine way %1
%xdefine base %2
%assign at 0
%rotate 1
%rep %0 - 2
%rotate 1
%ifidn way, store
	mov [base + at], %1
%else
	mov %1, [base + at]
%endif
%assign at at + 8
%endrep
%endmacro

; All in the order of struct context, but for RAX, which the callers treat themselves.
%macro context_store 1
	registers store, %1 + CONTEXT_R15, r15, r14, r13, r12, r11, r10, r9, r8, \
		rdi, rsi, rbp, rbx, rdx, rcx
%endmacro

section .text

; One stub a vector, STUB_SIZE apart: pushes an error code where the CPU pushes none, and the
; vector. An NMI may come at any moment, GS unknown, and is of no use.
	align STUB_SIZE
trap_stubs:
%assign vector 0
%rep 256
	align STUB_SIZE
%if vector == VECTOR_NMI
	iretq
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
	context_store rsp
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
	context_store rax
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
.interrupt:
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
	jmp .interrupt

; An exception in the kernel, a double fault or a machine check: the whole frame for the panic.
trap_broken:
	sub rsp, 15 * 8
	context_store rsp
	mov [rsp + CONTEXT_RAX], rax
	mov rdi, rsp
	and rsp, -16
	call trap_in_kernel

; VM exit: the CPU comes here with host state loaded and the guest's general registers.
	align 16
guest_exit:
	push rax
	mov rax, [gs:CPU_GUEST]
	pop qword [rax + VCPU_REGISTERS]
	registers store, rax + VCPU_REGISTERS + 8, rbx, rcx, rdx, rsi, rdi, rbp, \
		r8, r9, r10, r11, r12, r13, r14, r15
.call:
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
	mov rax, [rdx + CONTEXT_RAX]
	registers load, rdx + CONTEXT_R15, r15, r14, r13, r12
	registers load, rdx + CONTEXT_R10, r10, r9, r8, rdi, rsi, rbp, rbx
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
	jmp trap_common.exception

.not_user:
	cmp eax, WAY_OUT_GUEST
	je guest_enter
; STI takes effect after HLT began, so an interrupt that is pending already ends the HLT.
.idle:
	sti
	hlt
	jmp .idle

; VM entry of this_cpu()->guest. C has loaded all but the general registers, and HOST_RSP points to
; the top of the stack.
guest_enter:
	mov rax, [gs:CPU_GUEST]
	mov ecx, VMCS_HOST_RIP
	lea rdx, [guest_exit]
	cmp qword [rax + VCPU_LAUNCHED], 0
	jne .load
	vmwrite rcx, rdx
	cmp qword [rax + VCPU_LAUNCHED], 0
.load:
	; MOV leaves the flags alone: they still say whether to launch.
	registers load, rax + VCPU_REGISTERS + 8, rbx, rcx, rdx, rsi, rdi, rbp, \
		r8, r9, r10, r11, r12, r13, r14, r15
	mov rax, [rax + VCPU_REGISTERS]
	jne .resume
	vmlaunch
	jmp .failed
.resume:
	vmresume
.failed:
	; The instruction fell through: the controls are inconsistent, nothing ran.
	mov rax, [gs:CPU_GUEST]
	mov qword [rax + VCPU_ENTRY_FAILED], 1
	jmp guest_exit.call
