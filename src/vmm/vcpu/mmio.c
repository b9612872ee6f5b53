// SPDX-License-Identifier: BSD-2-Clause
// Memory-mapped devices. The instruction's length field is undefined for EPT violations, so even
// that comes from decoding.
#include <vmm/vcpu/mmio.h>

#include <vmm/vcpu/string.h>

static uint64_t register_read(struct vcpu *vcpu, const struct instruction *instruction) {
	uint64_t value = vcpu_register(vcpu, instruction->register_number);

	return instruction->high_byte ? value >> 8 : value;
}

// Results of 32 bits clear the upper half; shorter ones leave the rest alone.
static void register_merge(struct vcpu *vcpu, unsigned number, uint8_t width, uint64_t value) {
	uint64_t mask = width_mask(width);
	uint64_t kept = width < 4 ? vcpu_register(vcpu, number) & ~mask : 0;

	vcpu_set_register(vcpu, number, kept | (value & mask));
}

static void register_write(
	struct vcpu *vcpu, const struct instruction *instruction, uint64_t value) {
	uint64_t old = vcpu_register(vcpu, instruction->register_number);

	if (instruction->high_byte)
		vcpu_set_register(vcpu, instruction->register_number,
			(old & ~0xff00ull) | (value & 0xff) << 8);
	else
		register_merge(
			vcpu, instruction->register_number, instruction->register_width, value);
}

// What the target's old value goes to besides.
static void give_old(struct vcpu *vcpu, const struct instruction *instruction, uint64_t old) {
	uint64_t accumulator = vcpu->page->registers[X86_RAX];
	bool equal = ((accumulator ^ old) & width_mask(instruction->width)) == 0;

	if (instruction->operation == OPERATION_EXCHANGE ||
		instruction->operation == OPERATION_EXCHANGE_ADD)
		register_write(vcpu, instruction, old);
	else if (instruction->operation == OPERATION_COMPARE_EXCHANGE && !equal)
		register_merge(vcpu, X86_RAX, instruction->width, old);
}

static uint64_t compute(struct vcpu *vcpu, const struct instruction *instruction, uint64_t memory) {
	bool load = instruction->kind == KIND_TO_REGISTER;
	uint64_t other = instruction->has_immediate ? instruction->immediate
						    : register_read(vcpu, instruction);
	struct operands operands = {
		.target = load ? other : memory,
		.source = load ? memory : other,
		.accumulator = vcpu->page->registers[X86_RAX],
		.width = load ? instruction->register_width : instruction->width,
	};
	uint64_t flags = vcpu->page->rflags;
	uint64_t result = operation_compute(instruction->operation, &operands, &flags);

	vcpu_set_rflags(vcpu, flags);
	return result;
}

static void perform_plain(struct operand_space *space, const struct instruction *instruction) {
	struct vcpu *vcpu = space->vcpu;
	bool load = instruction->kind == KIND_TO_REGISTER;
	bool stores = operation_stores(instruction->operation);
	bool writes = stores && !load;
	struct operand operand;
	uint64_t result;
	bool reads;
	uint64_t memory;
	struct place place = operand_place(space, instruction);

	if (!operand_locate(space, &place, writes ? WALK_WRITE : WALK_READ, &operand)) return;
	reads = load ||
		(instruction->operation != OPERATION_MOVE &&
			instruction->operation != OPERATION_FLUSH);
	memory = reads ? operand_read(space, &operand) : 0;
	if (instruction->sign_extend) memory = sign_extend(memory, instruction->width);
	result = compute(vcpu, instruction, memory);
	if (writes) {
		operand_write(space, &operand, result);
		give_old(vcpu, instruction, memory);
	} else if (stores) {
		register_write(vcpu, instruction, result);
	}
	vcpu_advance(vcpu, instruction->length);
	if (space->debug_hits != 0) vcpu_add_pending_debug(vcpu, space->debug_hits);
}

static bool string_locate(struct string *string, enum vcpu_segment_number segment, unsigned number,
	enum walk_access access, struct operand *operand) {
	const struct instruction *instruction = string->context;
	struct place place = string_place(string, segment, number, instruction->width);

	return operand_locate(string->space, &place, access, operand);
}

// The source is read before the destination is looked at, as the CPU orders faults.
static enum string_result string_element(struct string *string) {
	const struct instruction *instruction = string->context;
	struct vcpu *vcpu = string->space->vcpu;
	enum instruction_kind kind = instruction->kind;
	bool has_source = kind != KIND_STRING_STORE && kind != KIND_STRING_SCAN;
	bool has_target = kind != KIND_STRING_LOAD;
	bool compares = instruction->operation == OPERATION_CMP;
	uint64_t value = vcpu->page->registers[X86_RAX];
	bool equal;
	struct operands operands;
	struct operand source, target;

	if (has_source &&
		!string_locate(string, instruction->address.segment, X86_RSI, WALK_READ, &source))
		return STRING_FAULT;
	if (has_target &&
		!string_locate(
			string, VCPU_ES, X86_RDI, compares ? WALK_READ : WALK_WRITE, &target))
		return STRING_FAULT;
	if (has_source) value = operand_read(string->space, &source);
	operands = (struct operands){.target = value, .width = instruction->width};
	if (compares) {
		uint64_t flags;

		operands.source = operand_read(string->space, &target);
		flags = vcpu->page->rflags;
		(void)operation_compute(OPERATION_CMP, &operands, &flags);
		vcpu_set_rflags(vcpu, flags);
	} else if (has_target) {
		operand_write(string->space, &target, value);
	} else {
		register_merge(vcpu, X86_RAX, instruction->width, value);
	}
	if (has_source) string_step(string, X86_RSI);
	if (has_target) string_step(string, X86_RDI);
	equal = vcpu->page->rflags & FLAGS_ZF;
	return compares && equal != (instruction->repeat == REPEAT_WHILE_EQUAL) ? STRING_LAST
										: STRING_NEXT;
}

static void perform_string(struct operand_space *space, const struct instruction *instruction) {
	uint64_t width = instruction->width;

	string_perform(&(struct string){
		.space = space,
		.repeated = instruction->repeat != REPEAT_NONE,
		.address_mask = width_mask(instruction->address.size),
		.step = space->vcpu->page->rflags & FLAGS_DF ? -width : width,
		.length = instruction->length,
		.element = string_element,
		.context = instruction,
	});
}

bool mmio_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus) {
	uint8_t bytes[INSTRUCTION_MAX];
	struct instruction instruction;
	struct operand_space space;
	struct walk walk;
	bool faulted;
	uint8_t count;

	operand_space_load(&space, vcpu, memory, bus);
	count = operand_instruction(&space, bytes, &walk, &faulted);
	if (!instruction_decode(bytes, count, space.code_size, &instruction)) {
		if (!instruction.truncated || !faulted) return false;
		vcpu_raise_page_fault(vcpu, walk.linear, walk.error_code);
		return true;
	}
	if (instruction.operation == OPERATION_STATUS_WORD) return false;
	if (instruction.kind == KIND_TO_MEMORY || instruction.kind == KIND_TO_REGISTER)
		perform_plain(&space, &instruction);
	else
		perform_string(&space, &instruction);
	return true;
}
