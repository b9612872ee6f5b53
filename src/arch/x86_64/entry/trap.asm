; SPDX-License-Identifier: BSD-2-Clause
; The ways into the kernel from programs, guests and the idle loop, and the one way out.
;
; Inside the kernel interrupts are off, GS holds struct cpu, and the stack starts at its top: the
; state of whoever was interrupted lies in its struct context or struct vcpu, so nothing on the
; stack outlives an entry. C functions return what to do next (enum way_out).

%include "offsets.inc"
%include "stubs.inc"

VMCS_HOST_RIP equ 0x6c16

bits 64
default rel

extern fastpath_call, fastpath_reply_recv, fastpath_send, fastpath_exception
extern trap_syscall, trap_call, trap_exception, trap_interrupt, trap_guest_exit, trap_in_kernel
global trap_stubs, trap_syscall_entry, trap_syscall_entry_plain
global syscall_slow, call_slow, exception_slow, way_out
; Where defended.asm joins in, and what defend.c turns into jumps there.
global trap_common, trap_broken, guest_exit, guest_enter
global way_out_user.sysret, interrupt_return.iret, trap_common.exception
global trap_syscall_entry.entered, trap_syscall_entry_plain.entered, trap_common.entered
global guest_exit.entered, guest_enter.entering

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

; The general registers of struct context, from its end down and from its start up.
%macro push_all 1-*
%rep %0
	push %1
%rotate 1
%endrep
%endmacro

%macro pop_all 1-*
%rep %0
%rotate -1
	pop %1
%endrep
%endmacro

%define CONTEXT_REGISTERS rax, rdx, rbx, rbp, rsi, rdi, r15, r9, r8, r10, r12, r13, r14

%define BROKEN_REGISTERS rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15

section .text

	align STUB_SIZE
trap_stubs:
	vector_stubs trap_common, trap_broken

; SYSCALL: RCX is the next instruction, R11 the flags; FMASK has cleared IF, TF, DF, AC and NT. The
; frame serves as stack for as long as registers are pushed; NMI and machine check have stacks of
; their own.
%macro syscall_enter 0
	swapgs
	mov [gs:CPU_SCRATCH], rsp
.entered:
	mov rsp, [gs:CPU_CURRENT]
	add rsp, THREAD_CONTEXT + CONTEXT_FRAME
	push qword [gs:CPU_SCRATCH]
	push r11
	push rcx
	push_all CONTEXT_REGISTERS
	mov rsp, [gs:CPU_KERNEL_STACK]
%endmacro

	align 64
trap_syscall_entry:
	syscall_enter
	cmp rdx, SYSCALL_CALL
	jne .not_call
	call fastpath_call

; The current thread's frame. Its RIP is canonical where SYSRET may be used: behind a SYSCALL in
; the user's half, whose last page cannot be mapped (SDM 2B, SYSRET).
way_out_user:
	mov rsp, [gs:CPU_CURRENT]
	cmp dword [rsp + THREAD_CONTEXT + CONTEXT_RFLAGS + 4], 0
	jne interrupt_return
	add rsp, THREAD_CONTEXT
	pop_all CONTEXT_REGISTERS
	pop rcx
	pop r11
	pop rsp
.sysret:
	swapgs
	o64 sysret

trap_syscall_entry.not_call:
	cmp rdx, SYSCALL_REPLY_RECV
	jne .not_reply_recv
	call fastpath_reply_recv
	jmp way_out_user
.not_reply_recv:
	cmp rdx, SYSCALL_SEND
	jne .not_send
	call fastpath_send
	jmp way_out_user
.not_send:
	cmp rdx, SYSCALL_NULL
	jne syscall_slow
	jmp way_out_user

; The same without fast paths.
	align 16
trap_syscall_entry_plain:
	syscall_enter

; A fast path that has done nothing jumps here instead of returning.
syscall_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_syscall
	jmp way_out

call_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_call

; EAX: enum way_out. The stack is at its top.
way_out:
	cmp eax, WAY_OUT_USER
	je way_out_user
	cmp eax, WAY_OUT_GUEST
	je guest_enter
; STI takes effect after HLT began, so an interrupt that is pending already ends the HLT.
.idle:
	sti
	hlt
	jmp .idle

; RSP: the thread. Every register is loaded.
	align 16
interrupt_return:
	mov rdx, rsp
	mov rsp, [gs:CPU_KERNEL_STACK]
	mov rcx, [rdx + THREAD_CONTEXT + CONTEXT_RIP]
	; IRETQ to a non-canonical address faults in ring 0 on some CPUs (SDM 2A, IRET).
	mov rax, rcx
	shl rax, 16
	sar rax, 16
	cmp rax, rcx
	jne .bad_address
	mov eax, [rdx + THREAD_CONTEXT + CONTEXT_RFLAGS]
	push SELECTOR_USER_DATA
	push qword [rdx + THREAD_CONTEXT + CONTEXT_RSP]
	push rax
	push SELECTOR_USER_CODE
	push rcx
	mov rcx, [rdx + TRAP_RCX]
	mov r11, [rdx + TRAP_R11]
	registers load, rdx + THREAD_CONTEXT, r14, r13, r12, r10, r8, r9, r15, rdi, rsi, rbp, rbx
	mov rax, [rdx + THREAD_CONTEXT + CONTEXT_RAX]
	mov rdx, [rdx + THREAD_CONTEXT + CONTEXT_RDX]
.iret:
	swapgs
	iretq

.bad_address:
	mov [rdx + TRAP_FAULT_IP], rcx
	mov edi, VECTOR_PROTECTION
	xor esi, esi
	call trap_exception
	jmp way_out

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
	align 16
trap_common:
	cld
	test byte [rsp + 24], 3
	jz trap_in_idle
	swapgs
.entered:
	push rcx
	mov rcx, rsp
	mov rsp, [gs:CPU_CURRENT]
	add rsp, THREAD_CONTEXT + CONTEXT_FRAME
	push qword [rcx + 48]
	push qword [rcx + 40]
	push qword [rcx + 24]
	push_all CONTEXT_REGISTERS
	bts qword [rsp + CONTEXT_RFLAGS], CONTEXT_WHOLE_BIT
	mov rax, [rcx]
	mov [rsp - THREAD_CONTEXT + TRAP_RCX], rax
	mov [rsp - THREAD_CONTEXT + TRAP_R11], r11
	mov rax, [rcx + 24]
	mov [rsp - THREAD_CONTEXT + TRAP_FAULT_IP], rax
	mov rdi, [rcx + 8]
	mov rsi, [rcx + 16]
	mov rsp, [gs:CPU_KERNEL_STACK]
	cmp edi, VECTOR_EXCEPTIONS
	jb .exception
.interrupt:
	call trap_interrupt
	jmp way_out
.exception:
	call fastpath_exception
	jmp way_out_user
exception_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_exception
	jmp way_out

; Only the idle loop runs with interrupts on here; it has nothing to keep.
trap_in_idle:
	cmp qword [rsp], VECTOR_EXCEPTIONS
	jb trap_broken
	mov rdi, [rsp]
	mov rsp, [gs:CPU_KERNEL_STACK]
	jmp trap_common.interrupt

; An exception in the kernel, a double fault or a machine check: the whole frame for the panic. C
; returns where an instruction may fault.
trap_broken:
	push_all BROKEN_REGISTERS
	mov rdi, rsp
	mov rbx, rsp
	and rsp, -16
	call trap_in_kernel
	mov rsp, rbx
	pop_all BROKEN_REGISTERS
	add rsp, 16
	iretq

; VM exit: the CPU comes here with host state loaded and the guest's general registers.
	align 16
guest_exit:
	push rax
	mov rax, [gs:CPU_GUEST]
.entered:
	pop qword [rax + VCPU_REGISTERS]
	registers store, rax + VCPU_REGISTERS + 8, rbx, rcx, rdx, rsi, rdi, rbp, \
		r8, r9, r10, r11, r12, r13, r14, r15
.call:
	call trap_guest_exit
	jmp way_out

; VM entry of this_cpu()->guest. C has loaded all but the general registers, and HOST_RSP points to
; the top of the stack.
guest_enter:
	mov rax, [gs:CPU_GUEST]
.entering:
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
