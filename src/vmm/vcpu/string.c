// SPDX-License-Identifier: BSD-2-Clause
// String instructions.
#include <vmm/vcpu/string.h>

// A long string continues after the next entry, so that interrupts get through.
enum { STRING_BATCH = 1024 };

// Writes back the part of a register that the address size covers.
static void register_update(const struct string *string, unsigned number, uint64_t value) {
	struct vcpu *vcpu = string->space->vcpu;
	uint64_t mask = string->address_mask;
	uint64_t kept = mask == UINT32_MAX ? 0 : vcpu->page->registers[number] & ~mask;

	vcpu_set_register(vcpu, number, kept | (value & mask));
}

struct place string_place(const struct string *string, enum vcpu_segment_number segment,
	unsigned number, uint8_t width) {
	uint64_t offset = string->space->vcpu->page->registers[number] & string->address_mask;

	return (struct place){.segment = segment, .offset = offset, .width = width};
}

void string_step(const struct string *string, unsigned number) {
	register_update(
		string, number, string->space->vcpu->page->registers[number] + string->step);
}

void string_perform(struct string *string) {
	struct vcpu *vcpu = string->space->vcpu;
	uint64_t left = string->repeated ? vcpu->page->registers[X86_RCX] & string->address_mask
					 : 1;
	unsigned batch = vcpu_single_steps(vcpu) ? 1 : STRING_BATCH;

	while (left > 0 && batch > 0 && string->space->debug_hits == 0) {
		enum string_result result = string->element(string);

		if (result == STRING_FAULT) return;
		batch--;
		left--;
		if (string->repeated) register_update(string, X86_RCX, left);
		if (result == STRING_LAST) left = 0;
	}
	if (left == 0)
		vcpu_advance(vcpu, string->length);
	else
		vcpu_iterate(vcpu);
	if (string->space->debug_hits != 0) vcpu_add_pending_debug(vcpu, string->space->debug_hits);
}
