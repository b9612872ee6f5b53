// SPDX-License-Identifier: BSD-2-Clause
// The state page of a VCPU (abi/vcpu_state.h): groups of words between it and the engine's fields.
// Programs write to it at any moment: each word is read once, and checked where it goes to.
#include <guest/engine.h>

#include <base/memory.h>
#include <x86/cr.h>
#include <x86/vmx.h>

// Groups that a run loads: all but those about an exit.
#define LOADED \
	((BIT(VCPU_GROUPS) - 1) & \
		~(uint64_t)(VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION))
#define WINDOWS ((uint64_t)(VCPU_WINDOW_INTERRUPT | VCPU_WINDOW_NMI))
#define NUMBER(group) __builtin_ctz(VCPU_GROUP_##group)

enum { ATTRIBUTES = 0xf0ff, UNUSABLE_SHIFT = 8, FIELD_STEP = 2, ROWS_OF_GROUP = 9 };
_Static_assert(VCPU_SEGMENT_UNUSABLE << UNUSABLE_SHIFT == ACCESS_UNUSABLE);

typedef uint64_t word_anywhere [[gnu::aligned(1), gnu::may_alias]];

// Words of the page, stride apart, that are fields in a row. size: of one.
struct page_row {
	uint16_t offset;
	uint8_t size, stride, count;
	uint32_t field;
};

#define ROW(member, field, count) \
	{ \
		offsetof(struct vcpu_state_page, member), \
			sizeof(((struct vcpu_state_page *)0)->member), \
			sizeof(((struct vcpu_state_page *)0)->member), count, field \
	}
#define PART(first, member, field, count) \
	{ \
		offsetof(struct vcpu_state_page, segments[VCPU_##first].member), \
			sizeof(((struct vcpu_segment *)0)->member), sizeof(struct vcpu_segment), \
			count, (field) + FIELD_STEP *VCPU_##first \
	}
#define SEGMENTS(first, count) \
	PART(first, selector, VMCS_GUEST_ES_SELECTOR, count), \
		PART(first, attributes, VMCS_GUEST_ES_ACCESS, count), \
		PART(first, limit, VMCS_GUEST_ES_LIMIT, count), \
		PART(first, base, VMCS_GUEST_ES_BASE, count)

// By the number of a group. What else a group has is code below.
static const struct page_row groups[VCPU_GROUPS][ROWS_OF_GROUP] = {
	[NUMBER(RIP)] = {ROW(rip, VMCS_GUEST_RIP, 1)},
	[NUMBER(RFLAGS)] = {ROW(rflags, VMCS_GUEST_RFLAGS, 1),
		ROW(interruptibility, VMCS_GUEST_INTERRUPTIBILITY, 1)},
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
	[NUMBER(CONTROLS)] = {ROW(exceptions, VMCS_EXCEPTION_BITMAP, 1)},
	[NUMBER(TIMER)] = {ROW(timer, VCPU_FIELD_TIMER, 1)},
	[NUMBER(ACTIVITY)] = {ROW(activity, VMCS_GUEST_ACTIVITY, 1)},
};

_Static_assert(offsetof(struct vcpu_state_page, dr6) == offsetof(struct vcpu_state_page, dr[4]));

static uint64_t field_get(struct guest *guest, uint64_t field) {
	return guest_engine()->field_get(guest, field);
}

static bool field_set(struct guest *guest, uint64_t field, uint64_t value) {
	return guest_engine()->field_write(guest, field, &value);
}

// Access rights, of which the two formats differ in a bit.
static bool is_rights(uint64_t field) {
	return field >= VMCS_GUEST_ES_ACCESS && field <= VMCS_GUEST_TR_ACCESS;
}

static bool word_save(struct guest *guest, uint32_t field, char *word, unsigned size) {
	uint64_t value = field_get(guest, field);

	switch (size) {
	case sizeof(uint16_t):
		if (is_rights(field))
			value = (value & ATTRIBUTES) | (value & ACCESS_UNUSABLE) >> UNUSABLE_SHIFT;
		*(uint16_t *)word = (uint16_t)value;
		break;
	case sizeof(uint32_t): *(uint32_t *)word = (uint32_t)value; break;
	default: *(uint64_t *)word = value;
	}
	return true;
}

static bool word_load(struct guest *guest, uint32_t field, char *word, unsigned size) {
	// Once and whole; what is behind a shorter word is within the page.
	uint64_t value = READ_ONCE(*(const word_anywhere *)word) & UINT64_MAX >> (64 - 8 * size);

	if (is_rights(field))
		value = (value & ATTRIBUTES) | (value & VCPU_SEGMENT_UNUSABLE) << UNUSABLE_SHIFT;
	return field_set(guest, field, value);
}

// False if the function returned false for a word.
[[gnu::always_inline]] static inline bool each_word(struct guest *guest, unsigned number,
	bool (*move)(struct guest *guest, uint32_t field, char *word, unsigned size)) {
	for (const struct page_row *row = groups[number]; row->count; row++) {
		char *word = (char *)guest->page + row->offset;

		for (unsigned i = 0; i < row->count; i++, word += row->stride)
			if (!move(guest, row->field + FIELD_STEP * i, word, row->size))
				return false;
	}
	return true;
}

static void group_save(struct guest *guest, unsigned number) {
	struct vcpu_state_page *page = guest->page;

	(void)each_word(guest, number, word_save);
	if (number == NUMBER(INSTRUCTION) && guest->fetched) {
		page->instruction_count = guest->fetched[0] & VCPU_INSTRUCTION_BYTES;
		memcpy(page->instruction_bytes, guest->fetched + 1, VCPU_INSTRUCTION_BYTES);
	}
	if (number == NUMBER(WINDOWS))
		page->windows = (uint32_t)(field_get(guest, VMCS_PRIMARY_CONTROLS) & WINDOWS);
	if (number == NUMBER(CONTROLS))
		page->controls = field_get(guest, VMCS_PRIMARY_CONTROLS) |
			field_get(guest, VMCS_SECONDARY_CONTROLS) << 32;
}

[[gnu::noinline]] void guest_page_save(struct guest *guest, uint64_t wanted) {
	for (uint64_t left = wanted & (BIT(VCPU_GROUPS) - 1); left; left &= left - 1)
		group_save(guest, (unsigned)__builtin_ctzl(left));
}

// Takes of the primary controls those in mask from value.
static void primary_set(struct guest *guest, uint64_t mask, uint64_t value) {
	uint64_t primary = field_get(guest, VMCS_PRIMARY_CONTROLS);

	(void)field_set(guest, VMCS_PRIMARY_CONTROLS, (primary & ~mask) | (value & mask));
}

static void controls_load(struct guest *guest) {
	uint64_t controls = READ_ONCE(guest->page->controls);

	primary_set(guest, ~WINDOWS, controls);
	(void)field_set(guest, VMCS_SECONDARY_CONTROLS, controls >> 32 | SECONDARY_UNRESTRICTED);
}

// Whether the guest is in 64-bit mode says EFER alone.
static void mode_load(struct guest *guest) {
	uint64_t entry = field_get(guest, VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_GUEST_64;

	if (field_get(guest, VMCS_GUEST_EFER) & EFER_LMA) entry |= ENTRY_GUEST_64;
	(void)field_set(guest, VMCS_ENTRY_CONTROLS, entry);
}

static bool group_load(struct guest *guest, unsigned number) {
	if (!each_word(guest, number, word_load)) return false;
	if (number == NUMBER(WINDOWS)) primary_set(guest, WINDOWS, READ_ONCE(guest->page->windows));
	if (number == NUMBER(CONTROLS)) controls_load(guest);
	if (number == NUMBER(PAGING)) mode_load(guest);
	return true;
}

int guest_page_load(struct guest *guest) {
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
	page->controls_offered = guest_engine()->offered();
	if (guest_has_spec_ctrl()) page->controls_offered |= VCPU_OFFERS_SPEC_CTRL;
	page->xcr0_offered = guest->xcr0_offered;
	page->instruction_count = 0;
	(void)field_set(
		guest, VMCS_ENTRY_CONTROLS, field_get(guest, VMCS_ENTRY_CONTROLS) | switched);
}
