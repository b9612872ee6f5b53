// SPDX-License-Identifier: BSD-2-Clause
// Prefixes and opcodes of the instructions that exit (APM 3, chapter 1; VCPU-38).
#include <vmm/vcpu/complete.h>

#include <vmm/host/log.h>
#include <vmm/vcpu/control.h>
#include <vmm/vcpu/port.h>
#include <vmm/vcpu/status_word.h>

#include <base/compiler.h>
#include <base/memory.h>

enum { OPCODE_MAX = 3, OPCODE_CLTS = 0x06 };

// What follows the prefixes, frequent ones first. A control register access has its operands behind
// the opcode.
static const struct opcode {
	enum vcpu_exit_reason reason;
	uint8_t count;
	uint8_t bytes[OPCODE_MAX];
} opcodes[] = {
	{VCPU_EXIT_HLT, 1, {0xf4}},
	{VCPU_EXIT_WRMSR, 2, {0x0f, 0x30}},
	{VCPU_EXIT_RDMSR, 2, {0x0f, 0x32}},
	{VCPU_EXIT_CPUID, 2, {0x0f, 0xa2}},
	{VCPU_EXIT_INVD, 2, {0x0f, 0x08}},
	{VCPU_EXIT_CONTROL_REGISTER, 2, {0x0f, OPCODE_CLTS}},
	{VCPU_EXIT_CONTROL_REGISTER, 2, {0x0f, 0x20}},
	{VCPU_EXIT_CONTROL_REGISTER, 2, {0x0f, 0x22}},
	{VCPU_EXIT_PAUSE, 1, {0x90}},
	{VCPU_EXIT_WBINVD, 2, {0x0f, 0x09}},
	{VCPU_EXIT_XSETBV, 3, {0x0f, 0x01, 0xd1}},
};

static const struct opcode *find_opcode(uint32_t reason, const uint8_t *bytes, unsigned left) {
	for (unsigned i = 0; i < array_count(opcodes); i++) {
		const struct opcode *opcode = &opcodes[i];

		if (opcode->reason == reason && opcode->count <= left &&
			memcmp(opcode->bytes, bytes, opcode->count) == 0)
			return opcode;
	}
	return NULL;
}

// Which registers are moved. LOCK stands for REX.R on AMD's CPUs. QEMU 9.1 to 10 tells of every
// control register that is read that it is CR0.
static void complete_control_register(
	struct vcpu_state_page *page, uint8_t modrm, const struct prefixes *prefixes) {
	bool is_high = prefixes->lock || (prefixes->rex & REX_R);
	uint64_t number = (modrm >> 3 & 7) | (is_high ? 8 : 0);
	uint64_t general = (modrm & 7) | (prefixes->rex & REX_B ? 8 : 0);

	page->qualification &= ~(VCPU_CR_NUMBER | 0xfull << VCPU_CR_GENERAL_SHIFT);
	page->qualification |= number | general << VCPU_CR_GENERAL_SHIFT;
}

static enum completion complete_instruction(struct operand_space *space, const uint8_t *bytes,
	uint8_t count, const struct prefixes *prefixes) {
	struct vcpu_state_page *page = space->vcpu->page;
	unsigned at = prefixes->count;
	bool is_control = page->reason == VCPU_EXIT_CONTROL_REGISTER;
	const struct opcode *opcode = find_opcode(page->reason, bytes + at, count - at);

	if (is_control && status_word_is(bytes + at, count - at))
		return status_word_complete(space, bytes, count, prefixes);
	if (!opcode) return COMPLETION_UNKNOWN;
	at += opcode->count;
	if (is_control && opcode->bytes[1] == OPCODE_CLTS) {
		page->qualification = (uint64_t)ACCESS_CLTS << VCPU_CR_ACCESS_SHIFT;
	} else if (is_control) {
		if (at >= count) return COMPLETION_UNKNOWN;
		complete_control_register(page, bytes[at++], prefixes);
	}
	page->instruction_length = at;
	return COMPLETION_DONE;
}

static void complete_string(struct vcpu *vcpu, const struct prefixes *prefixes) {
	unsigned size = prefixes->address_size / 4u; // enum code_size

	(void)vcpu_view(vcpu, VCPU_GROUP_INSTRUCTION); // the rest of it
	vcpu->page->instruction_information = size << INFORMATION_ADDRESS_SHIFT |
		(unsigned)prefixes->named_segment << INFORMATION_SEGMENT_SHIFT;
}

static bool has_opcode(uint32_t reason) {
	for (unsigned i = 0; i < array_count(opcodes); i++)
		if (opcodes[i].reason == reason) return true;
	return false;
}

bool complete_exit(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus) {
	struct vcpu_state_page *page = vcpu->page;
	bool string = page->reason == VCPU_EXIT_IO && (page->qualification & VCPU_IO_STRING);
	bool length = page->instruction_length == 0 && has_opcode(page->reason);
	enum completion completion = COMPLETION_DONE;
	uint8_t bytes[INSTRUCTION_MAX];
	struct operand_space space;
	struct prefixes prefixes;
	struct walk walk;
	bool faulted;
	uint8_t count;

	if (!vcpu_by_amd_v(vcpu) || !(string || length)) return true;
	// This CPU says no lengths: the next time it costs no system call to see the code.
	page->save[page->reason] |= recent_groups(page);
	if (length) page->instruction_length = recent_length(vcpu);
	if (page->instruction_length != 0 && !string) return true;
	operand_space_load(&space, vcpu, memory, bus);
	count = operand_instruction(&space, bytes, &walk, &faulted);
	prefixes = prefixes_decode(bytes, count, space.code_size);
	if (string) complete_string(vcpu, &prefixes);
	if (length) completion = complete_instruction(&space, bytes, count, &prefixes);
	// The bytes tell more than a length of an access to a control register.
	if (completion == COMPLETION_DONE && length && page->reason != VCPU_EXIT_CONTROL_REGISTER)
		recent_keep(&space, (uint8_t)page->instruction_length);
	if (completion != COMPLETION_UNKNOWN) return completion == COMPLETION_DONE;
	if (faulted) {
		vcpu_raise_page_fault(vcpu, walk.linear, walk.error_code);
		return false;
	}
	log_guest("instruction at %lx is not what exited: #UD", page->rip);
	vcpu_raise(vcpu, VECTOR_INVALID_OPCODE);
	return false;
}
