// SPDX-License-Identifier: BSD-2-Clause
// LMSW is reported as VT-x reports it (SDM 3C, table 28-3), and SMSW, which never exits there, as a
// MOV from CR0, or carried out where it stores 16 bits only (APM 3, SMSW).
#include <vmm/vcpu/status_word.h>

#include <vmm/vcpu/control.h>

enum { OPCODE = 3, MEMBER_SMSW = 4, MEMBER_LMSW = 6 };

bool status_word_is(const uint8_t *opcode, unsigned left) {
	unsigned member;

	if (left < OPCODE || opcode[0] != 0x0f || opcode[1] != 0x01) return false;
	member = opcode[2] >> 3 & 7;
	return member == MEMBER_SMSW || member == MEMBER_LMSW;
}

static enum completion tell(
	struct vcpu_state_page *page, enum control_access access, uint64_t operand) {
	page->qualification = (uint64_t)access << VCPU_CR_ACCESS_SHIFT | operand;
	return COMPLETION_DONE;
}

static enum completion tell_lmsw(struct vcpu_state_page *page, uint64_t source) {
	return tell(page, ACCESS_LMSW, (source & UINT16_MAX) << VCPU_CR_LMSW_SHIFT);
}

static enum completion finish(struct operand_space *space) {
	vcpu_advance(space->vcpu, space->vcpu->page->instruction_length);
	if (space->debug_hits != 0) vcpu_add_pending_debug(space->vcpu, space->debug_hits);
	return COMPLETION_FINISHED;
}

static enum completion complete_register(
	struct operand_space *space, uint8_t modrm, const struct prefixes *prefixes) {
	struct vcpu *vcpu = space->vcpu;
	unsigned number = (modrm & 7u) | (prefixes->rex & REX_B ? 8 : 0);
	bool is_short = prefixes->operand_swapped != (space->code_size == CODE_16);
	uint64_t value = vcpu_register(vcpu, number);

	vcpu->page->instruction_length = prefixes->count + OPCODE;
	if ((modrm >> 3 & 7) == MEMBER_LMSW) return tell_lmsw(vcpu->page, value);
	if (!is_short || prefixes->rex & REX_W)
		return tell(
			vcpu->page, ACCESS_MOVE_FROM, (uint64_t)number << VCPU_CR_GENERAL_SHIFT);
	value = (value & ~(uint64_t)UINT16_MAX) | (control_cr0(vcpu) & UINT16_MAX);
	vcpu_set_register(vcpu, number, value);
	return finish(space);
}

enum completion status_word_complete(struct operand_space *space, const uint8_t *bytes,
	uint8_t count, const struct prefixes *prefixes) {
	uint8_t modrm = bytes[prefixes->count + OPCODE - 1];
	bool is_lmsw = (modrm >> 3 & 7) == MEMBER_LMSW;
	struct instruction instruction;
	struct operand operand;
	struct place place;

	if (modrm >> 6 == 3) return complete_register(space, modrm, prefixes);
	if (!instruction_decode(bytes, count, space->code_size, &instruction))
		return COMPLETION_UNKNOWN;
	space->vcpu->page->instruction_length = instruction.length;
	place = operand_place(space, &instruction);
	if (!operand_locate(space, &place, is_lmsw ? WALK_READ : WALK_WRITE, &operand))
		return COMPLETION_FINISHED;
	if (is_lmsw) return tell_lmsw(space->vcpu->page, operand_read(space, &operand));
	operand_write(space, &operand, control_cr0(space->vcpu));
	return finish(space);
}
