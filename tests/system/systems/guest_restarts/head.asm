; SPDX-License-Identifier: BSD-2-Clause
; Header of a bzImage (Linux' boot protocol 2.15) and its 64-bit entry, which clears what the loader
; of a restarted guest leaves, and calls `run` with the boot parameters.
bits 64

SETUP equ 1024
STACK equ 0x300000
extern run, bss_start, bss_end

section .head
head:
	times 0x1f1 - ($ - head) db 0
	db SETUP / 512 - 1
	times 0x1f4 - ($ - head) db 0
	dd 0x800 ; of 16 bytes
	times 0x1fe - ($ - head) db 0
	dw 0xaa55
	db 0xeb, 0x66
	db "HdrS"
	dw 0x20f
	times 0x22c - ($ - head) db 0
	dd 0x7fffffff
	times 0x236 - ($ - head) db 0
	dw 1
	dd 2047
	times 0x258 - ($ - head) db 0
	dq 0x100000
	dd 0x200000
	times SETUP - ($ - head) db 0
	times 0x200 db 0
	mov rsp, STACK
	mov rdi, bss_start
	mov rcx, bss_end
	sub rcx, rdi
	xor eax, eax
	rep stosb
	mov rdi, rsi
	call run
