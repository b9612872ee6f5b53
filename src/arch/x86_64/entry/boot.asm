; SPDX-License-Identifier: BSD-2-Clause
; From the boot loader to C: multiboot headers, 32-bit start, long mode, upper half.
;
; First tables: 0 to 4 GiB appears at 0, at the physical window and (1 GiB of it) at the image.
; kernel_map.c replaces them. The other cores start on them as well, before that memory is given
; away.

%include "offsets.inc"

MULTIBOOT1_MAGIC equ 0x1badb002
MULTIBOOT1_FLAGS equ 0x3		; modules page aligned, memory information
MULTIBOOT2_MAGIC equ 0xe85250d6
MULTIBOOT2_TAG_FRAMEBUFFER equ 5
MULTIBOOT2_TAG_MODULE_ALIGN equ 6
MULTIBOOT2_OPTIONAL equ 1 << 16

ENTRY_TABLE equ ENTRY_PRESENT | ENTRY_WRITABLE

extern boot_cpu, boot_main, core_main, exit_path
global boot_start, core_trampoline

; Long mode and paging come at once (SDM 3A 10.8.5), on the first tables.
%macro long_mode_enter 0
	mov eax, CR4_PAE
	mov cr4, eax
	mov eax, boot_root
	mov cr3, eax
	mov ecx, MSR_EFER
	mov eax, EFER_SCE | EFER_LME | EFER_NXE
	xor edx, edx
	wrmsr
	mov eax, CR0_PG | CR0_WP | CR0_NE | CR0_PE
	mov cr0, eax
%endmacro

section .boot.header progbits alloc noexec nowrite align=8
	align 8
multiboot1:
	dd MULTIBOOT1_MAGIC, MULTIBOOT1_FLAGS, -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)

	align 8
multiboot2:
	dd MULTIBOOT2_MAGIC, 0		; i386 protected mode
	dd multiboot2_end - multiboot2
	dd -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2))
	dd MULTIBOOT2_TAG_FRAMEBUFFER | MULTIBOOT2_OPTIONAL, 20
	dd 0, 0, 0, 0			; of any width, height and depth
	dd MULTIBOOT2_TAG_MODULE_ALIGN, 8
	dd 0, 8				; end of the tags
multiboot2_end:

section .boot.text progbits alloc exec nowrite align=16
bits 32

; EAX: the loader's magic, EBX: its information. Both stay in EDI and ESI until C takes them.
boot_start:
	cli
	cld
	mov edi, eax
	mov esi, ebx
	mov esp, boot_stack_top

	mov eax, 0x80000000
	cpuid
	cmp eax, 0x80000001
	jb .no_long_mode
	mov eax, 0x80000001
	cpuid
	and edx, 1 << 29 | 1 << 20	; long mode, NX
	cmp edx, 1 << 29 | 1 << 20
	jne .no_long_mode

	long_mode_enter
	lgdt [boot_gdt_register]
	jmp SELECTOR_KERNEL_CODE:boot_long_mode

.no_long_mode:
	mov esi, .uart
	mov edx, CONSOLE_DEFAULT_PORT
.uart_next:
	lodsw				; AL: value, AH: register
	mov dl, ah
	out dx, al
	cmp esi, .message
	jne .uart_next
.print:
	mov ecx, CONSOLE_TRIES
	mov edx, CONSOLE_DEFAULT_PORT + UART_LINE_STATUS
.wait:
	in al, dx
	test al, LSR_HOLDING_EMPTY
	loopz .wait
	mov edx, CONSOLE_DEFAULT_PORT
	lodsb
	test al, al
	jz .stop
	out dx, al
	jmp .print
.stop:
	hlt
	jmp .stop
.uart:				; as console.c does
	db 0, 0xf9, 0x80, 0xfb, 1, 0xf8, 0, 0xf9, 3, 0xfb, 7, 0xfa, 3, 0xfc
.message:
	db "Nacre needs a 64-bit x86 CPU with NX", 13, 10, 0

bits 64
; EBX: the page of the trampoline. The claim is gone if another core has taken it.
core_long_mode:
	mov ebx, ebx
	xor edi, edi
	xchg rdi, [rbx + core_claim - core_trampoline]
	test rdi, rdi
	jz boot_start.stop
	mov rax, core_upper_half
	jmp upper_half

boot_long_mode:
	mov rax, boot_upper_half
upper_half:
	mov ecx, SELECTOR_KERNEL_DATA
	mov ss, ecx
	xor ecx, ecx
	mov ds, ecx
	mov es, ecx
	mov fs, ecx
	mov gs, ecx
	xor ebp, ebp
	jmp rax

; Where another core starts, in real mode: copied to a page below 640 KiB, CS times 16.
bits 16
core_trampoline:
	cli
	mov bx, cs
	movzx ebx, bx
	shl ebx, 4
	o32 lgdt [cs:boot_gdt_register - core_trampoline]
	long_mode_enter
	jmp dword SELECTOR_KERNEL_CODE:core_long_mode
boot_gdt_register:
	dw boot_gdt_end - boot_gdt - 1
	dd boot_gdt
	times CORE_TRAMPOLINE_SIZE - 8 - ($ - core_trampoline) db 0
core_claim:
	dq 0

	align 8
boot_gdt:
	dq 0
	dq DESCRIPTOR_CODE		; SELECTOR_KERNEL_CODE
	dq DESCRIPTOR_DATA		; SELECTOR_KERNEL_DATA
boot_gdt_end:

section .boot.tables progbits alloc noexec write align=4096
boot_root:
	dq boot_window + ENTRY_TABLE
	times 255 dq 0
	dq boot_window + ENTRY_TABLE
	times 254 dq 0
	dq boot_window + ENTRY_TABLE
boot_window:
	dq boot_directories + ENTRY_TABLE, boot_directories + 4096 + ENTRY_TABLE
	dq boot_directories + 2 * 4096 + ENTRY_TABLE, boot_directories + 3 * 4096 + ENTRY_TABLE
	times 506 dq 0
	dq boot_directories + ENTRY_TABLE, 0
boot_directories:
%assign page 0
%rep 4 * 512
	dq page + ENTRY_TABLE + ENTRY_LARGE
%assign page page + 0x200000
%endrep
	times 8 dq 0
boot_stack_top:

section .text
bits 64
default rel

boot_upper_half:
	mov rsp, boot_cpu + CPU_STACK + KERNEL_STACK_SIZE
	call boot_main
	jmp exit_path

; RDI: struct cpu.
core_upper_half:
	lea rsp, [rdi + CPU_STACK + KERNEL_STACK_SIZE]
	call core_main
	jmp exit_path
