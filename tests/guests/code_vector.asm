; SPDX-License-Identifier: BSD-2-Clause
; Guests that keep patterns in all vector registers, each other round.
%include "code.inc"

section .rodata

; Register i holds rbx + i in each quadword. After each VMCALL all are compared: what differed is
; gathered in rcx, rounds are counted in rdx.
code code_vector_avx
	xor ecx, ecx
	xor edx, edx
	mov r8, rbx
%assign i 0
%rep 14
	vmovq xmm14, r8
	vmovddup xmm14, xmm14
	vinsertf128 ymm %+ i, ymm14, xmm14, 1
	inc r8
%assign i i + 1
%endrep
.again:
	vmcall
	mov r8, rbx
%assign i 0
%rep 14
	vmovq xmm14, r8
	vmovddup xmm14, xmm14
	vinsertf128 ymm14, ymm14, xmm14, 1
	vxorps ymm15, ymm14, ymm %+ i
	xor eax, eax
	vptest ymm15, ymm15
	setnz al
	or rcx, rax
	inc r8
%assign i i + 1
%endrep
	inc rdx
	jmp .again
end_code

; The same with 31 registers of 512 bits and two masks.
code code_vector_avx512
	xor ecx, ecx
	xor edx, edx
	kmovw k1, ebx
	kmovw k7, ebx
	mov r8, rbx
%assign i 0
%rep 31
	vpbroadcastq zmm %+ i, r8
	inc r8
%assign i i + 1
%endrep
.again:
	vmcall
	mov r8, rbx
%assign i 0
%rep 31
	vpbroadcastq zmm31, r8
	vpcmpneqq k2, zmm31, zmm %+ i
	kmovw eax, k2
	or rcx, rax
	inc r8
%assign i i + 1
%endrep
%assign i 1
%rep 2
	kmovw eax, k %+ i
	xor eax, ebx
	movzx eax, ax
	or rcx, rax
%assign i 7
%endrep
	inc rdx
	jmp .again
end_code
