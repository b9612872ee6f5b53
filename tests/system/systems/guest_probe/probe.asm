; SPDX-License-Identifier: BSD-2-Clause
; A guest kernel that checks its machine against what a CPU must do, and prints a line for each
; question: `nasm -f bin` makes the bzImage. It starts at its 64-bit entry under an identity map of
; 4 GiB.
bits 64

LOAD equ 0x100000
SETUP equ 1024
STACK equ 0x300000
USER_PAGE equ 0x600000
TABLES equ 0x700000 ; of the page at the end of the lower half
PML4 equ 0x9000
PORT equ 0x3f8
PORT_BEFORE_LAST equ 0xed
TPR equ 0xfee00080
VERSION equ 0xfee00030
END_OF_INTERRUPT equ 0xfee000b0
SPURIOUS equ 0xfee000f0
COMMAND equ 0xfee00300
INTERRUPT equ 31 ; the last that the table has
FLAGS equ 0x8c5 ; but AF, which logic leaves undefined
CARRY equ 1 ; all that bit tests define
TRAP equ 0x100
INTERRUPTS_ON equ 0x200

org LOAD - SETUP

	times 0x1f1 db 0
	db SETUP / 512 - 1
	times 0x1f4 - ($ - $$) db 0
	dd (image_end - image + 15) / 16
	times 0x1fe - ($ - $$) db 0
	dw 0xaa55
	db 0xeb, 0x66
	db "HdrS"
	dw 0x20f
	times 0x22c - ($ - $$) db 0
	dd 0x7fffffff
	times 0x236 - ($ - $$) db 0
	dw 1
	dd 2047
	times 0x258 - ($ - $$) db 0
	dq LOAD
	dd 0x10000
	times SETUP - ($ - $$) db 0

image:
	times 0x200 db 0

; question NAME: what was seen so far is forgotten.
%macro question 1
	mov qword [count], 0
	mov qword [resume], 0
	lea rsi, [%%name]
	mov [name], rsi
	jmp %%on
%%name db %1, 0
%%on:
%endmacro

; answer LEFT, RIGHT: the question's line is ok if both are equal, 64 bits.
%macro answer 2
	mov rax, %1
	mov rcx, %2
	call same
%endmacro

; on_both FLAGS, OPERATION...: on the device at rbx and on memory; values and flags must agree.
%macro on_both 2+
	mov rbx, TPR
	push rdx
	push rax
	xor r8d, r8d
	%2
	pushfq
	pop r14
	mov r8, rax
	mov r9, rdx
	pop rax
	pop rdx
	lea rbx, [word_in_memory]
	xor r10d, r10d
	%2
	pushfq
	pop r15
	xor r14, r15
	and r14, %1
	xor r8, rax
	xor r9, rdx
	or r14, r8
	or r14, r9
	mov r11, TPR
	mov r10d, [r11]
	xor r10d, [word_in_memory]
	or r14, r10
	or [differences], r14
%endmacro

entry:
	mov rsp, STACK
	call make_idt
	mov rax, cr4
	or eax, 0x200 ; OSFXSR
	mov cr4, rax

	question "single steps in the shadow of STI"
	mov qword [steps], 3
	pushfq
	or qword [rsp], TRAP
	popfq
	cli
	sti
	nop
	cli
	answer [count], 3
	call tell

	question "single steps over an emulated instruction after MOV SS"
	mov qword [steps], 1
	mov r12d, ss
	pushfq
	or qword [rsp], TRAP
	popfq
	mov ss, r12d
	cpuid
.step:
	answer [last_rip], .step
	answer [count], 1
	call tell

	question "the trap of an instruction comes before the interrupt that it makes"
	mov eax, SPURIOUS
	mov dword [rax], 0x1ff
	mov eax, COMMAND
	mov qword [steps], 1
	pushfq
	or qword [rsp], TRAP | INTERRUPTS_ON
	popfq
	mov dword [rax], 0x40000 | INTERRUPT
.interrupt:
	cli
	answer [last_rip], .interrupt
	answer [last_vector], INTERRUPT
	answer [count], 2
	mov eax, END_OF_INTERRUPT
	mov dword [rax], 0
	call tell

	question "faults set RF"
	lea rax, [.rf]
	mov [resume], rax
	mov ecx, 0xda0 ; XSS, which no guest has
	rdmsr
.rf:
	answer [last_vector], 13
	mov rdx, [last_flags]
	and edx, 0x10000
	answer rdx, 0x10000
	call tell

	question "CPUID reports whether the APIC is on"
	mov ecx, 0x1b
	rdmsr
	mov r12d, eax
	and eax, ~0x800
	wrmsr
	call apic_bit
	answer rdx, 0
	mov ecx, 0x1b
	xor edx, edx
	mov eax, r12d
	wrmsr
	call apic_bit
	answer rdx, 0x200
	call tell

	question "MSRs 0 and 1 exist"
	xor ecx, ecx
	rdmsr
	inc ecx
	rdmsr
	answer [count], 0
	call tell

	question "CR0 refuses NW without CD, and takes CD"
	lea rax, [.cr0]
	mov [resume], rax
	mov r12, cr0
	mov rax, r12
	or eax, 1 << 29
	mov cr0, rax
.cr0:
	answer [last_vector], 13
	mov rdx, cr0
	answer rdx, r12
	mov r13, r12
	or r13d, 1 << 30
	mov cr0, r13
	mov rdx, cr0
	answer rdx, r13
	mov cr0, r12
	answer [count], 1
	call tell

	; With AMD-V each of these exits while CD is set.
	question "the machine status word is CR0's, also while the cache is off"
	mov r12, cr0
	mov r13, r12
	bts r13, 30 ; CD
	mov cr0, r13
	smsw r14
	mov r15, -1
	smsw r15w
	mov qword [word_in_memory], -1
	smsw [word_in_memory]
	answer r14, r13
	movzx r14, r13w
	or r14, ~0xffff
	answer r15, r14
	answer [word_in_memory], r14
	mov eax, 0xc ; EM, TS; PE stays
	lmsw ax
	mov r14, cr0
	mov r15, r13
	and r15, ~0xe
	or r15, 0xc
	answer r14, r15
	mov word [word_in_memory], 0xa ; MP, TS
	lmsw [word_in_memory]
	mov r14, cr0
	and r15, ~0xe
	or r15, 0xa
	answer r14, r15
	clts
	mov r14, cr0
	and r15, ~8
	answer r14, r15
	mov cr0, r12
	call tell

	question "a device's register is read, changed and written as memory is"
	mov qword [differences], 0
	mov eax, 5
	mov edx, 0x41
	on_both FLAGS, mov dword [rbx], 0x10
	on_both FLAGS, inc dword [rbx]
	on_both FLAGS, lock dec dword [rbx]
	on_both FLAGS, add [rbx], eax
	on_both FLAGS, lock xadd [rbx], edx
	on_both FLAGS, xchg [rbx], edx
	on_both FLAGS, cmpxchg [rbx], edx
	on_both FLAGS, mov eax, [rbx]
	on_both FLAGS, lock cmpxchg [rbx], edx
	on_both CARRY, bts dword [rbx], 6
	on_both CARRY, btr dword [rbx], 6
	on_both CARRY, lock btc dword [rbx], 3
	on_both CARRY, bt dword [rbx], 3
	on_both FLAGS, or dword [rbx], 0x80
	on_both FLAGS, cmp [rbx], eax
	on_both FLAGS, sbb edx, [rbx]
	on_both FLAGS, xor dword [rbx], 0x33
	answer [differences], 0
	answer [count], 0
	call tell

	question "strings move into and out of a device"
	mov edi, TPR
	mov ecx, 4
	mov eax, 0x20
	cld
	rep stosd
	answer rcx, 0
	answer rdi, TPR + 16
	mov esi, VERSION
	lea rdi, [word_in_memory]
	mov ecx, 1
	rep movsd
	mov edx, [word_in_memory]
	answer rdx, 0x50014
	mov eax, VERSION
	clflush [rax]
	answer [count], 0
	call tell

	question "vector instructions on a device are refused"
	lea rax, [.vector]
	mov [resume], rax
	mov eax, VERSION
	movaps xmm0, [rax]
.vector:
	answer [last_vector], 6
	call tell

	question "a data breakpoint on a device is met"
	mov eax, TPR
	mov dr0, rax
	mov eax, 0xd0401
	mov dr7, rax
	mov eax, TPR
	mov dword [rax], 0
.breakpoint:
	answer [last_vector], 1
	answer [last_rip], .breakpoint
	mov rdx, [last_status]
	and edx, 0xf
	answer rdx, 1
	answer [count], 1
	mov eax, 0x400
	mov dr7, rax
	call tell

	question "OUTS from no canonical address faults"
	lea rax, [.outs]
	mov [resume], rax
	mov rsi, 1 << 62
	mov dx, 0x80
	outsb
.outs:
	answer [last_vector], 13
	call tell

	question "OUTS from a user's page obeys SMAP"
	call make_user_page
	lea rax, [.smap]
	mov [resume], rax
	mov rsi, USER_PAGE
	mov dx, 0x80
	outsb
.smap:
	answer [last_vector], 14
	answer [last_error], 1
	stac
	mov rsi, USER_PAGE
	outsb
	clac
	answer [count], 1
	mov rax, cr4
	and eax, ~(1 << 21)
	mov cr4, rax
	call tell

	question "nothing lies above the lower half of addresses"
	call make_last_page
	lea rax, [.behind]
	mov [resume], rax
	mov rax, 0x00007ffffffffffe
	jmp rax
.behind:
	answer [last_vector], 13
	answer [last_rip], 1 << 47
	call tell

	; QEMU 7.2 does not get past what follows. The port tells who reads a trace of the accesses.
	mov al, 0
	out PORT_BEFORE_LAST, al
%ifndef WITHOUT_LAST
	question "int1 happens once, after itself"
	db 0xf1
.int1:
	answer [count], 1
	answer [last_vector], 1
	answer [last_rip], .int1
	call tell
%endif

	lea rsi, [done]
	call print
	cli
	hlt

%include "helpers.inc"
