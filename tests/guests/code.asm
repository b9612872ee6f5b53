; SPDX-License-Identifier: BSD-2-Clause
; Guests that exit: each ends with VMCALL unless the exit under test comes first.
%include "code.inc"

section .rodata

code code_cpuid
	mov eax, 0x12345678
	mov ecx, 7
	cpuid
	vmcall
end_code

code code_hlt
	hlt
	vmcall
end_code

code code_pause
	pause
	vmcall
end_code

code code_in
	mov dx, 0x3f9
	in al, dx
	vmcall
end_code

code code_out
	mov dx, 0x80
	mov eax, 0xcafe0123
	out dx, eax
	vmcall
end_code

code code_out_immediate
	out 0x80, al
	vmcall
end_code

code code_outs
	mov dx, 0x3f8
	mov ecx, 5
	mov rsi, GUEST_DATA
	cld
	rep outsb
	vmcall
end_code

code code_rdmsr
	mov ecx, 0xc0000081
	rdmsr
	vmcall
end_code

code code_wrmsr
	mov ecx, 0x10
	xor eax, eax
	xor edx, edx
	wrmsr
	vmcall
end_code

code code_msr_read
	rdmsr
	vmcall
end_code

code code_msr_write
	wrmsr
	vmcall
end_code

code code_read
	mov rax, GUEST_HOLE + 0x123
	mov bl, [rax]
	vmcall
end_code

code code_write
	mov rax, GUEST_HOLE + 0x456
	mov [rax], bl
	vmcall
end_code

code code_execute
	mov rax, GUEST_HOLE
	jmp rax
end_code

code code_cr0
	mov rax, cr0
	bts rax, 30
	mov cr0, rax
	vmcall
end_code

code code_lmsw
	mov eax, 4 ; EM
	lmsw ax
	vmcall
end_code

code code_smsw
	smsw eax
	vmcall
end_code

code code_clts
	clts
	vmcall
end_code

code code_cr3
	mov rax, cr3
	mov cr3, rax
	vmcall
end_code

code code_cr4_keys
	mov rax, cr4
	bts rax, 22
	mov cr4, rax
	vmcall
end_code

code code_cr8
	mov eax, 15
	mov cr8, rax
	vmcall
end_code

code code_xsetbv
	xor ecx, ecx
	xor edx, edx
	mov eax, 3
	xsetbv
	vmcall
end_code

code code_vmcall
	vmcall
end_code

code code_vmxon
	mov rax, GUEST_DATA
	vmxon [rax]
	vmcall
end_code

code code_vmptrld
	mov rax, GUEST_DATA
	vmptrld [rax]
	vmcall
end_code

code code_rdtsc
	rdtsc
	vmcall
end_code

code code_rdpmc
	xor ecx, ecx
	rdpmc
	vmcall
end_code

code code_invlpg
	mov rax, 0x1234000
	invlpg [rax]
	vmcall
end_code

code code_debug_register
	mov rax, dr3
	vmcall
end_code

code code_undefined
	ud2
	vmcall
end_code

code code_wbinvd
	wbinvd
	vmcall
end_code

code code_rsm
	rsm
	vmcall
end_code

code code_invd
	invd
	vmcall
end_code

code code_sgdt
	mov rax, GUEST_DATA
	sgdt [rax]
	vmcall
end_code

; The IDT is taken away, then an exception: #UD, #GP or #PF, double fault, shutdown.
code code_triple_fault
	sub rsp, 16
	mov word [rsp], 0
	mov qword [rsp + 2], 0
	lidt [rsp]
	ud2
end_code

bits 16
code code_real_mode
	mov ax, 0x1234
	mov bx, cs
	mov ecx, 0xfeedbeef
	vmcall
end_code
bits 64
