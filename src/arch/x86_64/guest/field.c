// SPDX-License-Identifier: BSD-2-Clause
// What the tables of fields have in common.
#include <guest/field.h>

#include <cpu/msr.h>
#include <x86/msr.h>

enum { MAX_INSTRUCTION_LENGTH = 15 };

const struct guest_field *guest_field_find(
	const struct guest_field *rows, size_t count, uint64_t field, enum field_flags flag) {
	const struct guest_field *row = rows;

	for (size_t half; count > 1; count -= half) {
		half = count / 2;
		if (field >= row[half].first) row += half;
	}
	if (field < row->first || field > row->last || field & 1) return NULL;
	return row->flags & flag ? row : NULL;
}

void *guest_field_word(
	struct guest *guest, void *base, const struct guest_field *row, uint64_t field) {
	if (row->flags & FIELD_DEBUG) guest_debug_take(guest);
	return (char *)base + row->offset + row->step * ((field - row->first) / 2);
}

// Not every CPU checks reserved bits; those of branch trace stores would write to memory.
bool guest_write_debugctl(struct guest *, uint64_t *value) {
	*value &= DEBUGCTL_LBR | DEBUGCTL_BTF;
	return true;
}

bool guest_write_rip(struct guest *, uint64_t *value) {
	*value = guest_clean_rip(*value);
	return true;
}

bool guest_check_length(struct guest *, uint64_t *value) {
	return *value <= MAX_INSTRUCTION_LENGTH;
}

bool guest_check_32_bits(struct guest *, uint64_t *value) { return *value <= UINT32_MAX; }

bool guest_check_address(struct guest *, uint64_t *value) {
	return context_clean_address(*value) == *value;
}

// Tried with the kernel's bits, of which none is ever off in here.
bool guest_check_spec_ctrl(struct guest *, uint64_t *value) {
	struct cpu *cpu = this_cpu();

	cpu->guest_prepared = NULL;
	if (!*value) return true;
	return *value <= UINT32_MAX && guest_has_spec_ctrl() &&
		msr_try_write(MSR_SPEC_CTRL, *value | cpu->spec_ctrl) &&
		msr_try_write(MSR_SPEC_CTRL, cpu->spec_ctrl);
}
