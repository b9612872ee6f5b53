; SPDX-License-Identifier: BSD-2-Clause
; Guests that wait, count, take events or write junk.
%include "code.inc"

section .rodata

; Interrupts on, then for ever.
code code_spin
	sti
.again:
	inc qword [abs GUEST_DATA]
	jmp .again
end_code

code code_spin_masked
	cli
.again:
	inc qword [abs GUEST_DATA]
	jmp .again
end_code

; rcx rounds, interrupts on, then the VMM.
code code_count
	sti
.again:
	inc qword [abs GUEST_DATA]
	dec rcx
	jnz .again
	vmcall
end_code

; Counts how often it began, and how often its handler ran.
code code_once_then_spin
	inc qword [abs GUEST_DATA + 8]
.again:
	inc qword [abs GUEST_DATA]
	jmp .again
global code_spin_handler
code_spin_handler:
	inc qword [abs GUEST_DATA + 16]
	iretq
end_code

; The interrupt window opens after the instruction after STI.
code code_window
	cli
	nop
	sti
	nop
	nop
	nop
	vmcall
end_code

; For ever, because Bochs lets a guest continue after HLT after an interrupt of the host.
code code_halt_interruptible
	sti
.again:
	hlt
	jmp .again
end_code

; Junk to each port, from 0 up; the VMM skips.
code code_port_junk
	xor edx, edx
.again:
	mov eax, edx
	imul eax, eax, 0x9e3779b1
	out dx, eax
	inc dx
	jnz .again
	vmcall
end_code

; Junk to the MSRs ebx up, edi of them; faults go to the handler, which skips WRMSR.
code code_msr_junk
.again:
	mov ecx, ebx
	mov eax, ebx
	imul eax, eax, 0x9e3779b1
	mov edx, eax
	wrmsr
	inc ebx
	dec edi
	jnz .again
	vmcall
end_code

code code_touch
	mov rax, GUEST_EXTRA
	mov rbx, [rax]
	vmcall
	mov rcx, [rax]
	vmcall
end_code
