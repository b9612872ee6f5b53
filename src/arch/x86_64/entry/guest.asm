; SPDX-License-Identifier: BSD-2-Clause
; VM entry and VM exit of this_cpu()->guest. C has loaded all else before and puts it back after.
%include "offsets.inc"

default rel
section .text

extern trap_from_guest
global guest_enter

%define VMCS_HOST_RIP 0x6c16
%define REGISTER(i) VCPU_GENERAL + 8 * (i)

; From the way out, with the stack at its top, where HOST_RSP points too. Does not return.
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
	mov rbx, [rax + REGISTER(1)]
	mov rcx, [rax + REGISTER(2)]
	mov rdx, [rax + REGISTER(3)]
	mov rsi, [rax + REGISTER(4)]
	mov rdi, [rax + REGISTER(5)]
	mov rbp, [rax + REGISTER(6)]
	mov r8, [rax + REGISTER(7)]
	mov r9, [rax + REGISTER(8)]
	mov r10, [rax + REGISTER(9)]
	mov r11, [rax + REGISTER(10)]
	mov r12, [rax + REGISTER(11)]
	mov r13, [rax + REGISTER(12)]
	mov r14, [rax + REGISTER(13)]
	mov r15, [rax + REGISTER(14)]
	mov rax, [rax + REGISTER(0)]
	jne .resume
	vmlaunch
	jmp .failed
.resume:
	vmresume
.failed:
	; The instruction fell through: the controls are inconsistent, nothing ran.
	mov rax, [gs:CPU_GUEST]
	mov qword [rax + VCPU_ENTRY_FAILED], 1
	jmp trap_from_guest

; The CPU comes here with host state loaded and the guest's general registers.
guest_exit:
	push rax
	mov rax, [gs:CPU_GUEST]
	pop qword [rax + REGISTER(0)]
	mov [rax + REGISTER(1)], rbx
	mov [rax + REGISTER(2)], rcx
	mov [rax + REGISTER(3)], rdx
	mov [rax + REGISTER(4)], rsi
	mov [rax + REGISTER(5)], rdi
	mov [rax + REGISTER(6)], rbp
	mov [rax + REGISTER(7)], r8
	mov [rax + REGISTER(8)], r9
	mov [rax + REGISTER(9)], r10
	mov [rax + REGISTER(10)], r11
	mov [rax + REGISTER(11)], r12
	mov [rax + REGISTER(12)], r13
	mov [rax + REGISTER(13)], r14
	mov [rax + REGISTER(14)], r15
	jmp trap_from_guest
