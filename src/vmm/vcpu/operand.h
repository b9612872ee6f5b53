// SPDX-License-Identifier: BSD-2-Clause
// Memory operands of instructions that the VMM carries out: their segment, the guest's page tables,
// and then memory or a device.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/vcpu/decode.h>
#include <vmm/vcpu/vcpu.h>

// How the guest reaches memory, as of one exit.
struct operand_space {
	struct vcpu *vcpu;
	const struct guest_memory *memory;
	struct bus *bus;
	struct paging paging;
	enum code_size code_size;
	unsigned access; // WALK_USER and WALK_FLAG_AC
	uint64_t debug_hits; // pending debug exceptions so far
};

struct place {
	enum vcpu_segment_number segment;
	uint64_t offset;
	uint8_t width;
};

// An operand that may be accessed. It has a second part if it crosses into another page.
struct operand {
	uint64_t linear;
	struct guest_physical part[2];
	uint8_t width;
	uint8_t first; // bytes in the first part
};

void operand_space_load(struct operand_space *space, struct vcpu *vcpu,
	const struct guest_memory *memory, struct bus *bus);
// The memory operand of the instruction that exited.
[[nodiscard]] struct place operand_place(
	const struct operand_space *space, const struct instruction *instruction);
// False when the access faults; the fault is raised then.
[[nodiscard]] bool operand_locate(struct operand_space *space, const struct place *place,
	enum walk_access access, struct operand *operand);
[[nodiscard]] uint64_t operand_read(struct operand_space *space, const struct operand *operand);
void operand_write(struct operand_space *space, const struct operand *operand, uint64_t value);
// Reads what can be read of the instruction and returns how many bytes that are; those that the CPU
// gave come first. It may cross into another page, which may fault: the page fault is in *walk
// then.
[[nodiscard]] uint8_t operand_instruction(const struct operand_space *space,
	uint8_t bytes[INSTRUCTION_MAX], struct walk *walk, bool *faulted);
