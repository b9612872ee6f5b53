// SPDX-License-Identifier: BSD-2-Clause
// What the tables of fields have in common.
#include <guest/field.h>

bool field_set(struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value) {
	if (row->flags & FIELD_DEBUG) guest_debug_take(guest);
	if (!guest_engine()->field_write(guest, row, field, value)) return false;
	if (row->flags & FIELD_STALE) {
		guest->is_stale = true;
		this_cpu()->guest_prepared = NULL;
	}
	return true;
}

// The row of a field; null if there is none with the flag.
static const struct guest_field *find(uint64_t field, enum field_flags flag) {
	const struct guest_field *row = &guest_engine()->fields[FIELD_NUMBER(field)];

	if (field < row->first || field > row->last || field & 1) return NULL;
	return row->flags & flag ? row : NULL;
}

bool guest_field_read(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find(field, FIELD_READ);

	return row && field_get(guest, row, field, value);
}

bool guest_field_write(struct guest *guest, uint64_t field, uint64_t *value) {
	const struct guest_field *row = find(field, FIELD_WRITE);

	return row && field_set(guest, row, field, *value) && field_get(guest, row, field, value);
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
	return *value <= VCPU_INSTRUCTION_BYTES;
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
	return *value <= UINT32_MAX && cpu->platform->found.offered & VCPU_OFFERS_SPEC_CTRL &&
		msr_try_write(MSR_SPEC_CTRL, *value | cpu->spec_ctrl) &&
		msr_try_write(MSR_SPEC_CTRL, cpu->spec_ctrl);
}
