; SPDX-License-Identifier: BSD-2-Clause
; The ways in and out on CPUs that need defences (cpu/defences.h): each does what this core needs
; and joins trap.asm, which is as it is without. defend.c makes LSTAR and the IDT point to the ways
; in, and turns the places in trap.asm where the ways out branch off into jumps.
;
; With DEFENCE_KPTI this text and .bss.entry are all that a program's tables show of the kernel:
; what comes before a write of CR3 on the way in, or after it on the way out, touches nothing else.

%include "offsets.inc"
%include "stubs.inc"

MSR_SPEC_CTRL equ 0x48
MSR_PRED_CMD equ 0x49
MSR_FLUSH_CMD equ 0x10b
PREDICTORS_FORGET equ 1
FLUSH_L1D equ 1
RSB_ENTRIES equ 32

bits 64
default rel

extern trap_syscall_entry.entered, trap_syscall_entry_plain.entered
extern trap_common, trap_common.entered, trap_broken
extern guest_exit.entered, guest_enter.entering, defended_kernel_cr3
global defended_stubs, defended_syscall_entry, defended_syscall_entry_plain
global defended_sysret, defended_iret, defended_guest_exit, defended_guest_enter

; Goes to the label unless this core has the defence. Destroys the flags.
%macro unless_on 2
	test dword [gs:CPU_DEFENCES], %1
	jz %2
%endmacro

; MSR and a value, without a register to spare.
%macro msr_write 2
	mov [gs:CPU_ENTRY_SAVE], rax
	mov [gs:CPU_ENTRY_SAVE + 8], rcx
	mov [gs:CPU_ENTRY_SAVE + 16], rdx
	mov ecx, %1
	mov eax, %2
	xor edx, edx
	wrmsr
	mov rax, [gs:CPU_ENTRY_SAVE]
	mov rcx, [gs:CPU_ENTRY_SAVE + 8]
	mov rdx, [gs:CPU_ENTRY_SAVE + 16]
%endmacro

; The kernel's SPEC_CTRL or a program's: where this is done, IBRS is the difference.
%macro spec_ctrl_write 1
	unless_on DEFENCE_IBRS_ENTRY, %%off
	msr_write MSR_SPEC_CTRL, [gs:%1]
%%off:
%endmacro

%macro program_tables 0
	mov rax, [gs:CPU_CURRENT]
	mov rax, [rax + THREAD_PROGRAM_ROOT]
	mov cr3, rax
%endmacro

; Where the space is not that of who ran last. RAX is free.
%macro predictor_forget 0
	unless_on DEFENCE_IBPB_SPACES, %%off
	mov rax, [gs:CPU_CURRENT]
	mov rax, [rax + THREAD_PROGRAM_ROOT]
	cmp rax, [gs:CPU_PROGRAM_ROOT]
	je %%off
	mov [gs:CPU_PROGRAM_ROOT], rax
	msr_write MSR_PRED_CMD, PREDICTORS_FORGET
%%off:
%endmacro

; The form with a memory operand is the one that overwrites the buffers.
%macro buffers_overwrite 0
	unless_on DEFENCE_VERW, %%off
	verw [kernel_data]
%%off:
%endmacro

section .text.entry progbits alloc exec nowrite align=16

	align STUB_SIZE
defended_stubs:
	vector_stubs defended_common, defended_broken

kernel_data:
	dw SELECTOR_KERNEL_DATA

%macro syscall_enter 1
	swapgs
	mov [gs:CPU_SCRATCH], rsp
	unless_on DEFENCE_KPTI, %%mapped
	mov rsp, [gs:CPU_KERNEL_CR3]
	mov cr3, rsp
%%mapped:
	spec_ctrl_write CPU_SPEC_CTRL
	jmp %1
%endmacro

	align 16
defended_syscall_entry:
	syscall_enter trap_syscall_entry.entered

	align 16
defended_syscall_entry_plain:
	syscall_enter trap_syscall_entry_plain.entered

; Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
	align 16
defended_common:
	cld
	test byte [rsp + 24], 3
	jz .in_kernel
	swapgs
	unless_on DEFENCE_KPTI, .mapped
	mov [gs:CPU_SCRATCH], rax
	mov rax, [gs:CPU_KERNEL_CR3]
	mov cr3, rax
	mov rax, [gs:CPU_SCRATCH]
.mapped:
	spec_ctrl_write CPU_SPEC_CTRL
	jmp trap_common.entered

; The idle loop has the kernel's tables. All else is the end: who knows which are loaded.
.in_kernel:
	cmp qword [rsp], VECTOR_EXCEPTIONS
	jae trap_common
defended_broken:
	push rax
	mov rax, [defended_kernel_cr3]
	test rax, rax
	jz .mapped
	mov cr3, rax
.mapped:
	pop rax
	jmp trap_broken

; RSP is the program's. SYSRET takes the flags from R11.
	align 16
defended_sysret:
	spec_ctrl_write CPU_PROGRAM_SPEC_CTRL
	mov [gs:CPU_SCRATCH], rax
	predictor_forget
	unless_on DEFENCE_KPTI, .mapped
	program_tables
.mapped:
	buffers_overwrite
	mov rax, [gs:CPU_SCRATCH]
	swapgs
	o64 sysret

; The stack holds what IRETQ takes. A program's tables show another stack.
	align 16
defended_iret:
	spec_ctrl_write CPU_PROGRAM_SPEC_CTRL
	mov [gs:CPU_SCRATCH], rax
	predictor_forget
	unless_on DEFENCE_KPTI, .mapped
	mov rax, rsp
	mov rsp, [gs:CPU_ENTRY_STACK]
	push qword [rax + 32]
	push qword [rax + 24]
	push qword [rax + 16]
	push qword [rax + 8]
	push qword [rax]
	program_tables
.mapped:
	buffers_overwrite
	mov rax, [gs:CPU_SCRATCH]
	swapgs
	iretq

; All general registers but RSP are the guest's.
	align 16
defended_guest_exit:
	spec_ctrl_write CPU_SPEC_CTRL
	; Each call leaves an entry, and none of them returns.
	unless_on DEFENCE_RSB, .filled
%assign entry 0
%rep RSB_ENTRIES
	call .next %+ entry
	int3
.next %+ entry:
%assign entry entry + 1
%endrep
	add rsp, RSB_ENTRIES * 8
	lfence
.filled:
	push rax
	mov rax, [gs:CPU_GUEST]
	jmp guest_exit.entered

; No register holds anything.
	align 16
defended_guest_enter:
	spec_ctrl_write CPU_PROGRAM_SPEC_CTRL
	unless_on DEFENCE_L1D_FLUSH, .flushed
	msr_write MSR_FLUSH_CMD, FLUSH_L1D
.flushed:
	buffers_overwrite
	mov rax, [gs:CPU_GUEST]
	jmp guest_enter.entering
