// SPDX-License-Identifier: BSD-2-Clause
// Joins the parts of each gate that this CPU needs.
#include <entry/mitigate.h>

#include <base/panic.h>
#include <entry/fastpath.h>

enum { BREAKPOINT = 0xcc, GATE_MAX = 512 };

// A row of trap.asm's table. The last of a gate has no mitigations; an entering gate's start moves.
struct gate_part {
	char *start;
	uint64_t mitigations; // any of them
	const char **entry; // of the end of an entering gate
};

extern const struct gate_part trap_gates[], trap_gates_end[];
extern const char *trap_syscall_entry, *trap_syscall_entry_cores, *trap_syscall_entry_plain,
	*trap_program_entry;
extern char trap_to_program[], trap_to_exception[];

// The branch that ends here leads to the target.
static void branch_set(char *end, const char *target) {
	int32_t distance = (int32_t)(target - end);

	memcpy(end - sizeof(distance), &distance, sizeof(distance));
}

static void gate_install(
	const struct gate_part *first, const struct gate_part *end, uint32_t mitigations) {
	char code[GATE_MAX];
	size_t size = 0;
	char *to;

	if (end->start - first->start > GATE_MAX) panic("gates: one is too long");
	for (const struct gate_part *part = first; part < end; part++) {
		if (!(part->mitigations & mitigations)) continue;
		memcpy(code + size, part->start, (size_t)(part[1].start - part->start));
		size += (size_t)(part[1].start - part->start);
	}
	memset(first->start, BREAKPOINT, (size_t)(end->start - first->start));
	to = end->entry ? end->start - size : first->start;
	memcpy(to, code, size);
	if (end->entry) *end->entry = to;
}

void gates_install(uint32_t mitigations, bool has_fast_paths, const char **entries) {
	const struct gate_part *first = trap_gates;

	for (const struct gate_part *part = first; part < trap_gates_end; part++) {
		if (part->mitigations) continue;
		gate_install(first, part, mitigations);
		first = part + 1;
	}
	branch_set(trap_to_program, trap_program_entry);
	if (!has_fast_paths) branch_set(trap_to_exception, (const char *)exception_slow);
	entries[SYSCALL_ENTRY_FAST] = has_fast_paths ? trap_syscall_entry
						     : trap_syscall_entry_plain;
	entries[SYSCALL_ENTRY_CORES] = has_fast_paths ? trap_syscall_entry_cores
						      : trap_syscall_entry_plain;
	entries[SYSCALL_ENTRY_PLAIN] = trap_syscall_entry_plain;
}
