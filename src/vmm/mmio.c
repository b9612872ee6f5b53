// SPDX-License-Identifier: BSD-2-Clause
// Memory-mapped devices. The instruction's length field is undefined for EPT violations, so even
// that comes from decoding.
#include <vmm/mmio.h>

#include <vmm/decode.h>

#include <base/memory.h>

enum { CODE_LONG = 1 << 13, CODE_DEFAULT_32 = 1 << 14, PAGE_SIZE = 0x1000 };

struct code {
	struct paging paging;
	uint64_t linear;
	enum code_size size;
};

static struct code locate_code(const struct vcpu *vcpu) {
	uint64_t access = host_vmcs_read(VMCS_GUEST_CS_ACCESS);
	struct code code = {.linear = vcpu->rip, .size = CODE_64};
	if (access & CODE_LONG) {
		// 64-bit mode tells all a fetch depends on, which saves reading the registers.
		code.paging = (struct paging){.cr0 = CR0_PG, .cr3 = vcpu->cr3, .efer = EFER_LMA};
		return code;
	}
	code.linear = (vcpu->rip + host_vmcs_read(VMCS_GUEST_CS_BASE)) & UINT32_MAX;
	code.paging = vcpu_paging(vcpu);
	code.size = access & CODE_DEFAULT_32 ? CODE_32 : CODE_16;
	return code;
}

// Reads what can be read of the instruction; it may cross into another page.
static uint8_t fetch(const struct guest_memory *memory, const struct code *code,
	uint8_t bytes[INSTRUCTION_MAX]) {
	uint8_t count = 0;
	while (count < INSTRUCTION_MAX) {
		struct walk walk = {.linear = code->linear + count};
		uint64_t left = PAGE_SIZE - walk.linear % PAGE_SIZE;
		uint8_t want = INSTRUCTION_MAX - count;
		uint8_t part = left < want ? (uint8_t)left : want;
		if (!walk_translate(memory, &code->paging, &walk) ||
			!memory_read(memory, walk.physical, bytes + count, part))
			break;
		count += part;
	}
	return count;
}

static uint64_t register_read(struct vcpu *vcpu, const struct instruction *instruction) {
	uint64_t value = vcpu_register(vcpu, instruction->register_number);
	return instruction->high_byte ? value >> 8 : value;
}

// Results of 32 bits clear the upper half; shorter ones leave the rest alone.
static void register_write(
	struct vcpu *vcpu, const struct instruction *instruction, uint64_t value) {
	uint64_t mask = bus_truncate(UINT64_MAX, (enum bus_width)instruction->register_width);
	uint64_t old = vcpu_register(vcpu, instruction->register_number);
	if (instruction->high_byte)
		value = (old & ~0xff00ull) | (value & 0xff) << 8;
	else if (instruction->register_width < 4)
		value = (old & ~mask) | (value & mask);
	else
		value &= mask;
	vcpu_set_register(vcpu, instruction->register_number, value);
}

static void perform(struct vcpu *vcpu, struct bus *bus, const struct instruction *instruction) {
	enum bus_width width = (enum bus_width)instruction->width;
	bool load = instruction->target == TARGET_REGISTER;
	bool move = instruction->operation == OPERATION_MOVE;
	uint64_t memory = move && !load ? 0 : bus_read(bus, vcpu->physical, width);
	if (instruction->sign_extend) memory = sign_extend(memory, instruction->width);
	uint64_t other = instruction->has_immediate ? instruction->immediate
						    : register_read(vcpu, instruction);
	struct operands operands = {
		.target = load ? other : memory,
		.source = load ? memory : other,
		.width = load ? instruction->register_width : instruction->width,
	};
	uint64_t flags = vcpu->rflags;
	uint64_t result = operation_compute(instruction->operation, &operands, &flags);
	vcpu_set_rflags(vcpu, flags);
	if (!operation_stores(instruction->operation)) return;
	if (load) {
		register_write(vcpu, instruction, result);
		return;
	}
	bus_write(bus, vcpu->physical, width, result);
	if (instruction->operation == OPERATION_EXCHANGE) register_write(vcpu, instruction, memory);
}

bool mmio_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus) {
	uint8_t bytes[INSTRUCTION_MAX];
	struct instruction instruction;
	struct code code = locate_code(vcpu);
	uint8_t count = fetch(memory, &code, bytes);
	if (!instruction_decode(bytes, count, code.size, &instruction)) return false;
	perform(vcpu, bus, &instruction);
	vcpu_advance(vcpu, instruction.length);
	return true;
}
