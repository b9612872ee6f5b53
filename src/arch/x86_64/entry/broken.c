// SPDX-License-Identifier: BSD-2-Clause
// Exceptions in the kernel: after an access that may fault it continues, all others are a panic.
#include <entry/trap.h>

#include <cpu/apic.h>
#include <cpu/console.h>
#include <ipc/irq.h>

// Words of the frame.
enum { FRAME_VECTOR = 15, FRAME_CODE = 16, FRAME_RIP = 17 };

// msr.h puts a row here for each instruction that may fault (kernel.ld).
extern const struct recovery { uint64_t rip, resume; } recoveries[], recoveries_end[];

static bool recover(uint64_t *frame) {
	if (frame[FRAME_VECTOR] != VECTOR_PROTECTION) return false;
	for (const struct recovery *row = recoveries; row < recoveries_end; row++) {
		if (row->rip != frame[FRAME_RIP]) continue;
		frame[FRAME_RIP] = row->resume;
		return true;
	}
	return false;
}

// A device sent the vector of machine checks, or that of INITs.
static bool is_message(unsigned vector) {
	if (vector < VECTOR_MESSAGES || !apic_is_in_service(vector)) return false;
	irq_count(vector, IRQ_UNEXPECTED);
	apic_end_of_interrupt();
	return true;
}

void trap_in_kernel(uint64_t *frame) {
	static const char *const names[] = {"r15", "r14", "r13", "r12", "r11", "r10", "r9 ", "r8 ",
		"rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax", "vector", "error code", "rip",
		"cs", "rflags", "rsp", "ss"};

	if (recover(frame) || is_message((unsigned)frame[FRAME_VECTOR])) return;
	if (frame[FRAME_VECTOR] == VECTOR_MACHINE_CHECK) machine_check_panic();
	console_take();
	print("\nregisters of the kernel:\n");
	for (unsigned i = 0; i < array_count(names); i++)
		print("  %s %016lx%s", names[i], frame[i], i % 4 == 3 ? "\n" : "");
	panic("exception %lu, code %lx, in the kernel", frame[FRAME_VECTOR], frame[FRAME_CODE]);
}
