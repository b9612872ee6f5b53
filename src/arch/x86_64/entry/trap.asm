; SPDX-License-Identifier: BSD-2-Clause
; Kernel entry from programs, guests and the idle loop, and the one exit.
;
; Inside the kernel interrupts are off, GS holds struct cpu, and the stack starts at its top: the
; state of the interrupted program or guest is in its struct context or struct vcpu, so nothing on
; the stack outlives an entry. C functions return what to do next (enum exit_path).
;
; The code of mitigations is where it is executed, in parts of a gate (gates.inc).
;
; With MITIGATION_KPTI this text and the first part of struct cpu are all of the kernel that a
; program's tables map: code before the write of CR3 at entry, or after it at the exit, touches
; nothing else.

%include "offsets.inc"

bits 64
default abs

extern fastpath_call, fastpath_reply_recv, fastpath_send, fastpath_exception
extern fastpath_cores_call, fastpath_cores_reply_recv, fastpath_cores_send
extern trap_syscall, trap_vcpu_run, trap_call, trap_exception, trap_interrupt, trap_idle
extern trap_guest_exit, trap_in_kernel
global trap_stubs, trap_gates, trap_gates_end
global trap_syscall_entry, trap_syscall_entry_cores, trap_syscall_entry_plain, trap_program_entry
global trap_to_program, trap_to_exception
global syscall_slow, call_slow, exception_slow, exit_path, exit_to_user

%include "gates.inc"

section .rodata align=8
trap_gates:

section .text.entry progbits alloc exec nowrite align=64

; One stub a vector, STUB_SIZE apart: pushes an error code where the CPU pushes none, and the
; vector. Any device can send vectors from 16 on as a message, without an error code. The CPU aligns
; the stack before it pushes a frame, so its address shows which one it is (SDM 3A 6.14.2).
trap_stubs:
%assign vector 0
%rep 256
	align STUB_SIZE
%if vector == VECTOR_NMI
	iretq				; may come at any moment, GS unknown, and is ignored
%else
%if vector == 17 || vector == 21 || vector == 29 || vector == 30
	test spl, 8
	jz .code_ %+ vector
	push 0
.code_ %+ vector:
%elif !(vector == 8 || (vector >= 10 && vector <= 14))
	push 0
%endif
	push vector
%if vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK || vector == VECTOR_SECURITY
	jmp trap_broken
%else
	jmp trap_common
%endif
%endif
%assign vector vector + 1
%endrep

	align 64
; Fills the current thread's frame, with its RSP, RFLAGS and RIP from here. The frame serves as
; stack for as long as registers are pushed; NMI and machine check have stacks of their own.
%macro frame_push 3
	mov rsp, [gs:CPU_CURRENT]
	add rsp, FRAME_SIZE
	push qword %1
	push qword %2
	push qword %3
	push_all CONTEXT_REGISTERS
%endmacro

; SYSCALL: RCX is the next instruction, R11 the flags; FMASK has cleared IF, TF, DF, AC and NT.
%macro syscall_gate 1
part MITIGATION_ALWAYS
	swapgs
	mov [gs:CPU_SCRATCH], rsp
part MITIGATION_KPTI
	mov rsp, [gs:CPU_KERNEL_CR3]
	mov cr3, rsp
part MITIGATION_ALWAYS
	frame_push [gs:CPU_SCRATCH], r11, rcx
	mov rsp, [gs:CPU_KERNEL_STACK]
part MITIGATION_IBRS_ENTRY
	mov r8, rdx
	msr_write MSR_SPEC_CTRL, [gs:CPU_SPEC_CTRL]
	mov rdx, r8
part MITIGATION_BHI_SEQUENCE
	history_clear
gate_enters %1
%endmacro

; Where several cores are up.
	syscall_gate trap_syscall_entry_cores
	syscall_paths fastpath_cores_
	jmp exit_to_user

	align 64
	syscall_gate trap_syscall_entry
	syscall_paths fastpath_

; The current thread's frame. Its RIP is canonical where SYSRET may be used: after a SYSCALL in
; the user's half, whose last page cannot be mapped (SDM 2B, SYSRET). SYSRET takes the flags from
; R11.
exit_to_user:
	mov rsp, [gs:CPU_CURRENT]
	cmp dword [rsp + CONTEXT_RFLAGS + 4], 0
	jne interrupt_return
program_parts
part MITIGATION_ALWAYS
	pop_all CONTEXT_REGISTERS
	pop rcx
	pop r11
part MITIGATION_NO_KPTI
	pop rsp
part MITIGATION_KPTI
	pop qword [gs:CPU_SCRATCH]
	mov rsp, [rsp + THREAD_PROGRAM_ROOT - FRAME_SIZE]
	mov cr3, rsp
	mov rsp, [gs:CPU_SCRATCH]
part MITIGATION_VERW
	verw [kernel_data]
part MITIGATION_ALWAYS
	swapgs
	o64 sysret
gate_leaves

syscall_rare:
	cmp rdx, SYSCALL_VCPU_RUN
	jne syscall_slow
	call trap_vcpu_run
	cmp eax, EXIT_TO_GUEST
	je guest_enter
	jmp exit_path

; The same without fast paths.
	align 64
	syscall_gate trap_syscall_entry_plain

; A fast path that has done nothing jumps here.
syscall_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_syscall

; EAX: enum exit_path. The stack is at its top.
exit_path:
	cmp eax, EXIT_TO_USER
	je exit_to_user
	cmp eax, EXIT_TO_GUEST
	je guest_enter
; STI takes effect after HLT began, so an interrupt that is pending already ends the HLT.
.idle:
	sti
	hlt
	jmp .idle

call_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_call
	jmp exit_path

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
	align 16
trap_common:
	test byte [rsp + 24], 3
	jnz near trap_stubs		; gates.c makes it lead to trap_program_entry
trap_to_program:
; Only the idle loop runs with interrupts on here; it has nothing to keep. The fence: GS is a
; program's if the branch was predicted wrongly (CVE-2019-1125).
	cmp qword [rsp], VECTOR_MESSAGES
	jb trap_broken
	lfence
	mov rdi, [rsp]
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_idle
	jmp exit_path

part MITIGATION_ALWAYS
	swapgs
part MITIGATION_SWAPGS
	lfence
part MITIGATION_SMAP
	clac
part MITIGATION_ALWAYS
	cld
	push rcx
part MITIGATION_KPTI
	mov rcx, [gs:CPU_KERNEL_CR3]
	mov cr3, rcx
part MITIGATION_ALWAYS
	mov rcx, rsp
	frame_push [rcx + 48], [rcx + 40], [rcx + 24]
	bts qword [rsp + CONTEXT_RFLAGS], WHOLE_BIT
	mov rax, [rcx]
	mov [rsp + TRAP_RCX], rax
	mov [rsp + TRAP_R11], r11
	mov rax, [rcx + 24]
	mov [rsp + TRAP_FAULT_IP], rax
	mov rdi, [rcx + 8]
	mov rsi, [rcx + 16]
	mov rsp, [gs:CPU_KERNEL_STACK]
part MITIGATION_IBRS_ENTRY
	msr_write MSR_SPEC_CTRL, [gs:CPU_SPEC_CTRL]
gate_enters trap_program_entry
	cmp edi, VECTOR_MESSAGES
	jb near fastpath_exception	; or to exception_slow
trap_to_exception:
	call trap_interrupt
	jmp exit_path

exception_slow:
	mov rsp, [gs:CPU_KERNEL_STACK]
	call trap_exception
	jmp exit_path

; RSP: the thread. Every register is loaded.
	align 16
interrupt_return:
	mov rbx, rsp
	; IRETQ to a non-canonical address faults in ring 0 on some CPUs (SDM 2A, IRET).
	mov rcx, [rbx + CONTEXT_RIP]
	mov rax, rcx
	shl rax, 16
	sar rax, 16
	cmp rax, rcx
	jne .bad_address
program_parts
part MITIGATION_ALWAYS
	mov rsp, [gs:TSS_RSP]		; a program's tables show it
	mov eax, [rbx + CONTEXT_RFLAGS]
	push SELECTOR_USER_DATA
	push qword [rbx + CONTEXT_RSP]
	push rax
	push SELECTOR_USER_CODE
	push qword [rbx + CONTEXT_RIP]
	mov rcx, [rbx + TRAP_RCX]
	mov r11, [rbx + TRAP_R11]
	registers load, rbx, r14, r13, r12, r10, r8, r9, r15, rdi, rsi, rbp
	mov rdx, [rbx + CONTEXT_RDX]
	mov rax, [rbx + CONTEXT_RAX]
part MITIGATION_NO_KPTI
	mov rbx, [rbx + CONTEXT_RBX]
part MITIGATION_KPTI
	push qword [rbx + CONTEXT_RBX]
	mov rbx, [rbx + THREAD_PROGRAM_ROOT]
	mov cr3, rbx
	pop rbx
part MITIGATION_VERW
	verw [kernel_data]
part MITIGATION_ALWAYS
	swapgs
	iretq
gate_leaves

.bad_address:
	mov [rbx + TRAP_FAULT_IP], rcx
	mov edi, VECTOR_PROTECTION
	xor esi, esi
	jmp exception_slow

; An exception in the kernel, a double fault, a machine check or an INIT: the whole frame for the
; panic. C returns where an instruction may fault. Which tables are loaded, and whose GS base, is
; unknown.
trap_broken:
	cmp dword [rsp], VECTOR_SECURITY
	jne .broken
	cmp dword [rsp + 8], SECURITY_INIT
	je .init
.broken:
	push_all BROKEN_REGISTERS
	cld
	mov rdi, rsp
	mov rbx, rsp
	and rsp, -16
	sgdt [rsp - 10]
	mov r13, [rsp - 8]
	mov r12, cr3
	mov rax, [r13 - CPU_GDT + CPU_KERNEL_CR3]
	test rax, rax			; 0 until the kernel has its own
	jz .mapped
	mov cr3, rax
.mapped:
	mov ecx, MSR_GS_BASE
	rdmsr
	mov r14d, eax
	mov r15d, edx
	lea rax, [r13 - CPU_GDT]
	mov rdx, rax
	shr rdx, 32
	wrmsr
	call trap_in_kernel
	mov ecx, MSR_GS_BASE
	mov eax, r14d
	mov edx, r15d
	wrmsr
	mov cr3, r12
	mov rsp, rbx
	pop_all BROKEN_REGISTERS
; Nothing holds back the next INIT, which would use the same stack: it is left at once.
.init:
	add rsp, 16
	iretq

; The form of VERW with a memory operand is the one that overwrites the buffers.
kernel_data:
	dw SELECTOR_KERNEL_DATA

; VM exit: the host's state is loaded, the general registers are the guest's; but with AMD-V RAX is
; in the block.
	align 16
part MITIGATION_VMX
	push rax
	mov rax, [gs:CPU_GUEST]
	mov rax, [rax + GUEST_REGISTERS]
	pop qword [rax]
part MITIGATION_SVM
	mov rax, [gs:CPU_GUEST]
	mov rax, [rax + GUEST_REGISTERS]
part MITIGATION_ALWAYS
	registers store, rax + 8, rcx, rdx, rbx
	registers store, rax + 40, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
part MITIGATION_IBRS_ENTRY
	msr_write MSR_SPEC_CTRL, [gs:CPU_SPEC_CTRL]
part MITIGATION_RSB
	returns_fill
part MITIGATION_BHI_SEQUENCE
	history_clear
part MITIGATION_ITS
	msr_write MSR_PRED_CMD, PRED_CMD_IBPB
gate_enters trap_guest_entry
	call trap_guest_exit
	test eax, eax
	jz exit_to_user
	jmp exit_path

; VM entry of this_cpu()->guest. C has loaded all but the general registers, and HOST_RSP points to
; the top of the stack.
guest_enter:
part MITIGATION_IBRS_ENTRY
	msr_write MSR_SPEC_CTRL, [gs:CPU_GUEST_SPEC_CTRL]
part MITIGATION_L1D_FLUSH
	msr_write MSR_FLUSH_CMD, FLUSH_CMD_L1D
part MITIGATION_DIV0
	divider_clear
part MITIGATION_VERW
	verw [kernel_data]
part MITIGATION_VMX
	mov rax, [gs:CPU_GUEST]
	cmp qword [rax + VMX_LAUNCHED], 0
	jne .load
	mov ecx, VMCS_HOST_RIP
	mov rdx, [trap_guest_entry]
	vmwrite rcx, rdx
	cmp qword [rax + VMX_LAUNCHED], 0
.load:
	; MOV leaves the flags alone: they still say whether to launch.
	mov rax, [rax + GUEST_REGISTERS]
	registers load, rax + 8, rcx, rdx, rbx
	registers load, rax + 40, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	mov rax, [rax]
	jne .resume
	vmlaunch
	jmp .failed
.resume:
	vmresume
.failed:
	; The instruction fell through: the controls are inconsistent, nothing ran. What follows is
	; the same as after an exit.
	push rax
	mov rax, [gs:CPU_GUEST]
	or qword [rax + VMX_LAUNCHED], LAUNCH_FAILED
	pop rax
	jmp [trap_guest_entry]
; With IF set, an interrupt of the host ends the guest's run (APM 2 15.21.1). Until the host's state
; is loaded again, its interrupt stacks are out of reach: nothing may come, not even an NMI.
part MITIGATION_SVM
	mov rax, [gs:CPU_GUEST]
	push qword [gs:CPU_HOST_BLOCK]
	push qword [rax + SVM_BLOCK]
	mov rax, [rax + GUEST_REGISTERS]
	registers load, rax + 8, rcx, rdx, rbx
	registers load, rax + 40, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pop rax
	clgi
	sti
	vmload
	vmrun
	vmsave
	pop rax
	vmload
	cli
	stgi
	jmp [trap_guest_entry]
gate_leaves

section .rodata
trap_gates_end:
