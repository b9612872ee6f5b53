; SPDX-License-Identifier: BSD-2-Clause
; Guests that set state of their own and look at it after the VMM ran; and what fills the VMM's.
%include "code.inc"

section .rodata

; Each register plus its own number.
code code_add_registers
	add rax, 1
	add rbx, 2
	add rcx, 3
	add rdx, 4
	add rsi, 5
	add rdi, 6
	add rbp, 7
	add r8, 8
	add r9, 9
	add r10, 10
	add r11, 11
	add r12, 12
	add r13, 13
	add r14, 14
	add r15, 15
	vmcall
end_code

; Writes rbx to CR2, waits for the VMM, reads it back to rcx.
code code_cr2
	mov cr2, rbx
	vmcall
	mov rcx, cr2
	vmcall
end_code

; DR0..DR3 and DR6 from rbx, rbx + 1, ...; after the VMM's pause XORs of what is there.
code code_debug_registers
	mov dr0, rbx
	lea rax, [rbx + 1]
	mov dr1, rax
	lea rax, [rbx + 2]
	mov dr2, rax
	lea rax, [rbx + 3]
	mov dr3, rax
	mov eax, 0xffff0ff1
	mov dr6, rax
	vmcall
	mov r8, dr0
	mov r9, dr1
	mov r10, dr2
	mov r11, dr3
	mov r12, dr6
	vmcall
end_code

; XMM0 and XMM15 from rbx; after the VMM's pause back to rcx and rdx.
code code_sse
	movq xmm0, rbx
	movq xmm15, rbx
	vmcall
	movq rcx, xmm0
	movq rdx, xmm15
	vmcall
end_code

; The same with the upper half of YMM3, XCR0 to rsi.
code code_avx
	movq xmm3, rbx
	vinsertf128 ymm3, ymm3, xmm3, 1
	vmcall
	vextractf128 xmm4, ymm3, 1
	movq rcx, xmm4
	xor ecx, ecx
	xgetbv
	mov rsi, rax
	movq rcx, xmm4
	vmcall
end_code

; KERNEL_GS_BASE by SWAPGS from rbx, GS base from rdi; after the pause both back.
code code_swapgs
	mov eax, ebx
	mov rdx, rbx
	shr rdx, 32
	mov ecx, 0xc0000101
	wrmsr
	swapgs
	vmcall
	swapgs
	mov ecx, 0xc0000101
	rdmsr
	shl rdx, 32
	or rax, rdx
	mov rdi, rax
	vmcall
end_code

; The MSR in ecx from rbx, without exit; after the pause back to rdi.
code code_own_msr
	mov eax, ebx
	mov rdx, rbx
	shr rdx, 32
	wrmsr
	vmcall
	rdmsr
	shl rdx, 32
	or rax, rdx
	mov rdi, rax
	vmcall
end_code

code code_guest_tsc
	rdtsc
	shl rdx, 32
	or rax, rdx
	vmcall
end_code

; Helpers of the test program itself.
section .text

; Fills XMM0..XMM15 with its argument.
global native_fill
native_fill:
	movq xmm0, rdi
%assign i 1
%rep 15
	movdqa xmm %+ i, xmm0
%assign i i + 1
%endrep
	ret

; How many of XMM0..XMM15 differ from the argument.
global native_differing
native_differing:
	xor eax, eax
%assign i 0
%rep 16
	movq rdx, xmm %+ i
	cmp rdx, rdi
	je .equal %+ i
	inc eax
.equal %+ i:
%assign i i + 1
%endrep
	ret
