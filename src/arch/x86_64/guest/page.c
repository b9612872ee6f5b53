// SPDX-License-Identifier: BSD-2-Clause
// The state page of a VCPU (abi/vcpu_state.h): groups of words between it and the engine's fields.
// Programs write to it at any moment: each word is read once, and checked where it goes to.
#include <guest/field.h>

// Groups that a run loads: all but those about an exit.
#define LOADED \
	((BIT(VCPU_GROUPS) - 1) & \
		~(uint64_t)(VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION))
#define WINDOWS ((uint32_t)(VCPU_WINDOW_INTERRUPT | VCPU_WINDOW_NMI))
#define CONTROLS_AT offsetof(struct vcpu_state_page, controls)
#define NUMBER(group) __builtin_ctz(VCPU_GROUP_##group)

enum { ATTRIBUTES = 0xf0ff, UNUSABLE_SHIFT = 8, FIELD_STEP = 2, ROWS_OF_GROUP = 9 };
_Static_assert(VCPU_SEGMENT_UNUSABLE << UNUSABLE_SHIFT == ACCESS_UNUSABLE);

// Words of the page, stride apart, that are fields in a row. size: of one. Bits that are not in the
// mask stay as they are, and are not shown.
struct page_row {
	uint16_t offset, number;
	uint32_t field;
	uint8_t size, stride, count;
	uint32_t mask; // 0: all
};

#define WORDS(offset, size, stride, field, count, mask) \
	{ offset, FIELD_NUMBER(field), field, size, stride, count, mask }
#define ROW(member, field, count) \
	WORDS(offsetof(struct vcpu_state_page, member), \
		sizeof(((struct vcpu_state_page *)0)->member), \
		sizeof(((struct vcpu_state_page *)0)->member), field, count, 0)
#define PART(first, member, field, count) \
	WORDS(offsetof(struct vcpu_state_page, segments[VCPU_##first].member), \
		sizeof(((struct vcpu_segment *)0)->member), sizeof(struct vcpu_segment), \
		(field) + FIELD_STEP * VCPU_##first, count, 0)
#define SEGMENTS(first, count) \
	PART(first, selector, VMCS_GUEST_ES_SELECTOR, count), \
		PART(first, attributes, VMCS_GUEST_ES_ACCESS, count), \
		PART(first, limit, VMCS_GUEST_ES_LIMIT, count), \
		PART(first, base, VMCS_GUEST_ES_BASE, count)

// By the number of a group. The bytes of an instruction are not here.
static const struct page_row groups[VCPU_GROUPS][ROWS_OF_GROUP] = {
	[NUMBER(RIP)] = {ROW(rip, VMCS_GUEST_RIP, 1)},
	[NUMBER(RFLAGS)] = {ROW(rflags, VMCS_GUEST_RFLAGS, 1),
		ROW(interruptibility, VMCS_GUEST_INTERRUPTIBILITY, 1)},
	[NUMBER(WINDOWS)] = {WORDS(offsetof(struct vcpu_state_page, windows), sizeof(uint32_t), 0,
		VMCS_PRIMARY_CONTROLS, 1, WINDOWS)},
	[NUMBER(RSP)] = {ROW(registers[4], VMCS_GUEST_RSP, 1)},
	[NUMBER(EVENT)] = {ROW(event.information, VMCS_ENTRY_INTERRUPTION, 2), // and error_code
		ROW(event_length, VMCS_ENTRY_INSTRUCTION_LENGTH, 1)},
	[NUMBER(INTERRUPTED)] = {ROW(interrupted.information, VMCS_IDT_VECTORING, 2)},
	[NUMBER(ADDRESS)] = {ROW(physical, VMCS_GUEST_PHYSICAL_ADDRESS, 1),
		ROW(linear, VMCS_GUEST_LINEAR_ADDRESS, 1)},
	[NUMBER(INSTRUCTION)] = {ROW(
		instruction_information, VMCS_EXIT_INSTRUCTION_INFORMATION, 1)},
	[NUMBER(PAGING)] = {ROW(cr0, VMCS_GUEST_CR0, 3), ROW(efer, VMCS_GUEST_EFER, 1)},
	[NUMBER(DEBUG_CONTROL)] = {ROW(dr7, VMCS_GUEST_DR7, 1),
		ROW(debugctl, VMCS_GUEST_DEBUGCTL, 1),
		ROW(pending_debug, VMCS_GUEST_PENDING_DEBUG, 1)},
	[NUMBER(CR2)] = {ROW(cr2, VCPU_FIELD_CR2, 1)},
	[NUMBER(CODE)] = {SEGMENTS(CS, 2)}, // and SS
	[NUMBER(DATA)] = {SEGMENTS(ES, 1), SEGMENTS(DS, 3)}, // FS, GS
	[NUMBER(SYSTEM)] = {SEGMENTS(LDTR, 2), ROW(gdtr.base, VMCS_GUEST_GDTR_BASE, 1), // TR
		ROW(gdtr.limit, VMCS_GUEST_GDTR_LIMIT, 1), ROW(idtr.base, VMCS_GUEST_IDTR_BASE, 1),
		ROW(idtr.limit, VMCS_GUEST_IDTR_LIMIT, 1)},
	[NUMBER(MASKS)] = {ROW(cr0_mask, VMCS_CR0_MASK, 1), ROW(cr0_shadow, VMCS_CR0_SHADOW, 1),
		ROW(cr4_mask, VMCS_CR4_MASK, 1), ROW(cr4_shadow, VMCS_CR4_SHADOW, 1)},
	[NUMBER(PDPTES)] = {ROW(pdpte[0], VMCS_GUEST_PDPTE0, 4)},
	[NUMBER(BREAKPOINTS)] = {ROW(dr[0], VCPU_FIELD_DR0, 5)}, // and DR6
	[NUMBER(MSRS)] = {ROW(star, VCPU_FIELD_STAR, 4), // to FMASK
		ROW(kernel_gs_base, VCPU_FIELD_KERNEL_GS_BASE, 1),
		ROW(tsc_aux, VCPU_FIELD_TSC_AUX, 1), ROW(sysenter_cs, VMCS_GUEST_SYSENTER_CS, 1),
		ROW(sysenter_esp, VMCS_GUEST_SYSENTER_ESP, 2), ROW(pat, VMCS_GUEST_PAT, 1),
		ROW(spec_ctrl, VCPU_FIELD_SPEC_CTRL, 1)},
	[NUMBER(TSC)] = {ROW(tsc_offset, VMCS_TSC_OFFSET, 1)},
	[NUMBER(XCR0)] = {ROW(xcr0, VCPU_FIELD_XCR0, 1)},
	[NUMBER(CONTROLS)] = {ROW(exceptions, VMCS_EXCEPTION_BITMAP, 1),
		WORDS(CONTROLS_AT, sizeof(uint32_t), 0, VMCS_PRIMARY_CONTROLS, 1, ~WINDOWS),
		WORDS(CONTROLS_AT + 4, sizeof(uint32_t), 0, VMCS_SECONDARY_CONTROLS, 1, 0)},
	[NUMBER(TIMER)] = {ROW(timer, VCPU_FIELD_TIMER, 1)},
	[NUMBER(ACTIVITY)] = {ROW(activity, VMCS_GUEST_ACTIVITY, 1)},
};

_Static_assert(offsetof(struct vcpu_state_page, dr6) == offsetof(struct vcpu_state_page, dr[4]));

static uint64_t value_of(struct guest *guest, uint64_t field) {
	uint64_t value = 0; // of what this CPU has not

	(void)guest_field_read(guest, field, &value);
	return value;
}

static void set(struct guest *guest, uint64_t field, uint64_t value) {
	(void)guest_field_write(guest, field, &value);
}

// Access rights, of which the two formats differ in a bit.
static bool is_rights(uint64_t field) {
	return field >= VMCS_GUEST_ES_ACCESS && field <= VMCS_GUEST_TR_ACCESS;
}

// Word number of a row, unless a load or a store does it.
[[gnu::noinline]] static uint64_t word_get(struct guest *guest, const struct page_row *row,
	const struct guest_field *rows, unsigned number) {
	uint32_t field = row->field + FIELD_STEP * number;
	uint64_t value = 0;

	(void)field_get(guest, &rows[number], field, &value);
	if (row->mask) value &= row->mask;
	if (!is_rights(field)) return value;
	return (value & ATTRIBUTES) | (value & ACCESS_UNUSABLE) >> UNUSABLE_SHIFT;
}

[[gnu::noinline]] static bool word_set(struct guest *guest, const struct page_row *row,
	const struct guest_field *rows, unsigned number, uint64_t value) {
	uint32_t field = row->field + FIELD_STEP * number;

	if (row->mask) value = (value & row->mask) | (value_of(guest, field) & ~row->mask);
	if (field == VMCS_SECONDARY_CONTROLS) value |= SECONDARY_UNRESTRICTED;
	if (is_rights(field))
		value = (value & ATTRIBUTES) | (value & VCPU_SEGMENT_UNUSABLE) << UNUSABLE_SHIFT;
	return field_set(guest, &rows[number], field, value);
}

static void row_save(
	struct guest *guest, const struct page_row *row, const struct guest_field *rows) {
	char *word = (char *)guest->page + row->offset;
	unsigned i = 0;

	do {
		const struct guest_field *field = &rows[i];

		word_store(word,
			likely(field->flags & FIELD_LOAD)
				? word_load((char *)guest->svm.vmcb + field->offset, field->size)
				: word_get(guest, row, rows, i),
			row->size);
		word += row->stride;
	} while (++i < row->count);
}

// Each word is loaded once, and whole.
static bool row_load(
	struct guest *guest, const struct page_row *row, const struct guest_field *rows) {
	const char *word = (char *)guest->page + row->offset;
	unsigned i = 0;

	do {
		uint64_t value = word_load(word, row->size);

		if (!(likely(rows[i].flags & FIELD_STORE) ? field_store(guest, &rows[i], &value)
							  : word_set(guest, row, rows, i, value)))
			return false;
		word += row->stride;
	} while (++i < row->count);
	return true;
}

[[gnu::noinline]] void guest_page_save(struct guest *guest, uint64_t wanted) {
	const struct guest_field *rows = guest_engine()->fields;
	struct vcpu_state_page *page = guest->page;

	for (uint64_t left = wanted & (BIT(VCPU_GROUPS) - 1); left; left &= left - 1)
		for (const struct page_row *row = groups[__builtin_ctzl(left)]; row->count; row++)
			row_save(guest, row, &rows[row->number]);
	if (!(wanted & VCPU_GROUP_INSTRUCTION) || !guest->fetched) return;
	page->instruction_count = guest->fetched[0] & VCPU_INSTRUCTION_BYTES;
	if (page->instruction_count)
		memcpy(page->instruction_bytes, guest->fetched + 1, VCPU_INSTRUCTION_BYTES);
}

static bool group_load(struct guest *guest, unsigned number) {
	const struct guest_field *rows = guest_engine()->fields;
	uint64_t entry;

	for (const struct page_row *row = groups[number]; row->count; row++)
		if (!row_load(guest, row, &rows[row->number])) return false;
	if (number != NUMBER(PAGING)) return true;
	// Whether the guest is in 64-bit mode says EFER alone.
	entry = value_of(guest, VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_GUEST_64;
	if (value_of(guest, VMCS_GUEST_EFER) & EFER_LMA) entry |= ENTRY_GUEST_64;
	set(guest, VMCS_ENTRY_CONTROLS, entry);
	return true;
}

[[gnu::noinline]] int guest_page_load(struct guest *guest) {
	uint64_t left = READ_ONCE(guest->page->dirty) & LOADED;

	guest->page->dirty = 0;
	for (; left; left &= left - 1) {
		unsigned number = (unsigned)__builtin_ctzl(left);

		if (group_load(guest, number)) continue;
		guest->page->dirty = left;
		return (int)number;
	}
	return -1;
}

void guest_page_take(struct guest *guest) {
	memcpy(guest->own_registers, guest->page->registers, sizeof(guest->own_registers));
	guest->registers = guest->own_registers;
	guest->page = NULL;
}

void guest_page_give(struct guest *guest, struct vcpu_state_page *page) {
	const uint64_t switched = ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER;

	memcpy(page->registers, guest->own_registers, sizeof(guest->own_registers));
	guest->page = page;
	guest->registers = page->registers;
	page->controls_offered = this_cpu()->platform->found.offered;
	page->xcr0_offered = guest->xcr0_offered;
	page->instruction_count = 0;
	set(guest, VMCS_ENTRY_CONTROLS, value_of(guest, VMCS_ENTRY_CONTROLS) | switched);
}
