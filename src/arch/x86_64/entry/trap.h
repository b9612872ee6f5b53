// SPDX-License-Identifier: BSD-2-Clause
// The C side of each kernel entry. The assembler calls one of these and takes the exit path that it
// returns.
#pragma once

#include <ipc/fault.h>

// Start-up, once: magic and information are what the multiboot loader passed in EAX and EBX.
enum exit_path boot_main(uint32_t magic, uint32_t information);

// SYSCALL. The number is in the current frame.
enum exit_path trap_syscall(void);

// Call of the capability in slot. The message is in the current frame.
enum exit_path trap_call(struct slot *slot);

// Exception of a program.
enum exit_path trap_exception(uint64_t vector, uint64_t error_code);

// The fault that the current thread's handler is sent for an exception.
static inline void exception_note(struct thread *thread, uint64_t vector, uint64_t code) {
	bool is_fetch = code >> 4 & 1; // of a page fault (SDM 3A 4.7)

	if (vector != VECTOR_PAGE_FAULT)
		return fault_note(thread, FAULT_USER_EXCEPTION, 2, vector, code);
	fault_note(thread, FAULT_VM, 3, cr2_read(), is_fetch);
	thread->fault.words[2] = code & 0x1f;
}

// Device interrupt, timer, INT n of a program, or an exception whose vector a device can send.
enum exit_path trap_interrupt(uint64_t vector, uint64_t code);

// The same in the idle loop.
enum exit_path trap_idle(uint64_t vector);

// VCPURun.
enum exit_path trap_vcpu_run(void);

// VM exit of this_cpu()->guest.
enum exit_path trap_guest_exit(void);

// An exception in the kernel: frame is what trap.asm leaves on the stack, R15 first. Returns only
// from an access that may fault, with the frame's RIP where to continue.
void trap_in_kernel(uint64_t *frame);
