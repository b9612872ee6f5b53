// SPDX-License-Identifier: BSD-2-Clause
// Prefixes and opcodes of the instructions that exit (APM 3, chapter 1; VCPU-38).
#include <vmm/vcpu/complete.h>

#include <vmm/host/log.h>
#include <vmm/vcpu/operand.h>
#include <vmm/vcpu/port.h>

#include <base/compiler.h>
#include <base/memory.h>

enum { OPCODE_MAX = 3, REX_B = 1 };

// What follows the prefixes. A control register access has its operands behind the opcode.
static const struct opcode {
	enum vcpu_exit_reason reason;
	uint8_t count;
	uint8_t bytes[OPCODE_MAX];
} opcodes[] = {
	{VCPU_EXIT_CPUID, 2, {0x0f, 0xa2}},
	{VCPU_EXIT_HLT, 1, {0xf4}},
	{VCPU_EXIT_INVD, 2, {0x0f, 0x08}},
	{VCPU_EXIT_CONTROL_REGISTER, 2, {0x0f, 0x20}},
	{VCPU_EXIT_CONTROL_REGISTER, 2, {0x0f, 0x22}},
	{VCPU_EXIT_RDMSR, 2, {0x0f, 0x32}},
	{VCPU_EXIT_WRMSR, 2, {0x0f, 0x30}},
	{VCPU_EXIT_PAUSE, 1, {0x90}},
	{VCPU_EXIT_WBINVD, 2, {0x0f, 0x09}},
	{VCPU_EXIT_XSETBV, 3, {0x0f, 0x01, 0xd1}},
};

struct prefixes {
	uint8_t count;
	uint8_t rex; // counts only directly before the opcode
	bool address_size;
	enum vcpu_segment_number segment;
};

static bool is_legacy_prefix(uint8_t byte) {
	return (byte & 0xe7) == 0x26 || (byte >= 0x64 && byte <= 0x67) || byte == 0xf0 ||
		byte == 0xf2 || byte == 0xf3;
}

static struct prefixes prefixes_of(const uint8_t *bytes, uint8_t count, enum code_size size) {
	struct prefixes prefixes = {.segment = VCPU_DS};

	for (; prefixes.count < count; prefixes.count++) {
		uint8_t byte = bytes[prefixes.count];
		bool is_rex = size == CODE_64 && (byte & 0xf0) == 0x40;

		if (!is_rex && !is_legacy_prefix(byte)) break;
		prefixes.rex = is_rex ? byte : 0;
		if (byte == 0x67) prefixes.address_size = true;
		if (byte == 0x64) prefixes.segment = VCPU_FS;
		if (byte == 0x65) prefixes.segment = VCPU_GS;
		if ((byte & 0xe7) == 0x26)
			prefixes.segment = (enum vcpu_segment_number)(byte >> 3 & 3);
	}
	return prefixes;
}

static const struct opcode *find_opcode(uint32_t reason, const uint8_t *bytes, unsigned left) {
	for (unsigned i = 0; i < array_count(opcodes); i++) {
		const struct opcode *opcode = &opcodes[i];

		if (opcode->reason == reason && opcode->count <= left &&
			memcmp(opcode->bytes, bytes, opcode->count) == 0)
			return opcode;
	}
	return NULL;
}

static bool complete_length(struct vcpu_state_page *page, const uint8_t *bytes, uint8_t count,
	const struct prefixes *prefixes) {
	unsigned at = prefixes->count;
	const struct opcode *opcode = find_opcode(page->reason, bytes + at, count - at);

	if (!opcode) return false;
	at += opcode->count;
	if (page->reason == VCPU_EXIT_CONTROL_REGISTER) {
		uint64_t general = prefixes->rex & REX_B ? 8 : 0;

		if (at >= count) return false;
		general |= bytes[at++] & 7;
		page->qualification &= ~(0xfull << VCPU_CR_GENERAL_SHIFT);
		page->qualification |= general << VCPU_CR_GENERAL_SHIFT;
	}
	page->instruction_length = at;
	return true;
}

static void complete_string(
	struct vcpu_state_page *page, enum code_size size, const struct prefixes *prefixes) {
	unsigned address = size;

	if (prefixes->address_size) address = size == CODE_32 ? CODE_16 : CODE_32;
	page->instruction_information = address << INFORMATION_ADDRESS_SHIFT |
		(unsigned)prefixes->segment << INFORMATION_SEGMENT_SHIFT;
}

static bool has_opcode(uint32_t reason) {
	for (unsigned i = 0; i < array_count(opcodes); i++)
		if (opcodes[i].reason == reason) return true;
	return false;
}

bool complete_exit(struct vcpu *vcpu, const struct guest_memory *memory) {
	struct vcpu_state_page *page = vcpu->page;
	bool string = page->reason == VCPU_EXIT_IO && (page->qualification & VCPU_IO_STRING);
	bool length = page->instruction_length == 0 && has_opcode(page->reason);
	uint8_t bytes[INSTRUCTION_MAX];
	struct operand_space space;
	struct prefixes prefixes;
	struct walk walk;
	bool faulted;
	uint8_t count;

	if (!vcpu_by_amd_v(vcpu) || !(string || length)) return true;
	operand_space_load(&space, vcpu, memory, NULL);
	count = operand_instruction(&space, bytes, &walk, &faulted);
	prefixes = prefixes_of(bytes, count, space.code_size);
	if (string) complete_string(page, space.code_size, &prefixes);
	if (!length || complete_length(page, bytes, count, &prefixes)) return true;
	if (faulted) {
		vcpu_raise_page_fault(vcpu, walk.linear, walk.error_code);
		return false;
	}
	log_guest("instruction at %lx is not what exited: #UD", page->rip);
	vcpu_raise(vcpu, VECTOR_INVALID_OPCODE);
	return false;
}
