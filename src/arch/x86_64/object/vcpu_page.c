// SPDX-License-Identifier: BSD-2-Clause
// The state page of a VCPU (abi/vcpu_state.h): groups of words between it and the VCPU. Programs
// write to it at any moment: each word is read once, and checked where it goes to.
#include <object/vcpu.h>

#include <base/memory.h>
#include <cap/invocation.h>

#define READ_ONCE(word) (*(const volatile typeof(word) *)&(word))
// Groups that a run loads: all but those about an exit.
#define LOADED \
	((BIT(VCPU_GROUPS) - 1) & \
		~(uint64_t)(VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION))
#define WINDOWS ((uint32_t)(VCPU_WINDOW_INTERRUPT | VCPU_WINDOW_NMI))
#define NUMBER(group) __builtin_ctz(VCPU_GROUP_##group)

enum { ATTRIBUTES = 0xf0ff, UNUSABLE_SHIFT = 8, FIELD_STEP = 2, ROWS_OF_GROUP = 4 };
_Static_assert(VCPU_SEGMENT_UNUSABLE << UNUSABLE_SHIFT == ACCESS_UNUSABLE);

// Words of the page in a row that are VMCS fields, or fields of WriteState, in a row. size: of one.
struct page_row {
	uint16_t offset, target;
	uint8_t count, size, is_state;
};

#define ROW(member, target, count, is_state) \
	{ \
		offsetof(struct vcpu_state_page, member), target, count, \
			sizeof(((struct vcpu_state_page *)0)->member), is_state \
	}
#define FIELDS(member, field, count) ROW(member, VMCS_##field, count, false)
#define STATE(member, field, count) ROW(member, VCPU_STATE_##field, count, true)

// By the number of a group: its rows, and segments. What else a group has is code below.
static const struct page_group {
	struct page_row rows[ROWS_OF_GROUP];
	uint8_t segments;
} groups[VCPU_GROUPS] = {
	// clang-format off
	[NUMBER(RIP)] = {{FIELDS(rip, GUEST_RIP, 1)}, 0},
	[NUMBER(RFLAGS)] = {{FIELDS(rflags, GUEST_RFLAGS, 1),
		FIELDS(interruptibility, GUEST_INTERRUPTIBILITY, 1)}, 0},
	[NUMBER(RSP)] = {{FIELDS(registers[4], GUEST_RSP, 1)}, 0},
	[NUMBER(ADDRESS)] = {{FIELDS(physical, GUEST_PHYSICAL_ADDRESS, 1),
		FIELDS(linear, GUEST_LINEAR_ADDRESS, 1)}, 0},
	[NUMBER(INSTRUCTION)] = {
		{FIELDS(instruction_information, EXIT_INSTRUCTION_INFORMATION, 1)}, 0},
	[NUMBER(PAGING)] = {{FIELDS(cr0, GUEST_CR0, 3), FIELDS(efer, GUEST_EFER, 1)}, 0},
	[NUMBER(DEBUG_CONTROL)] = {{FIELDS(dr7, GUEST_DR7, 1), FIELDS(debugctl, GUEST_DEBUGCTL, 1),
		FIELDS(pending_debug, GUEST_PENDING_DEBUG, 1)}, 0},
	[NUMBER(CR2)] = {{STATE(cr2, CR2, 1)}, 0},
	[NUMBER(CODE)] = {{}, 1 << VCPU_CS | 1 << VCPU_SS},
	[NUMBER(DATA)] = {{}, 1 << VCPU_ES | 1 << VCPU_DS | 1 << VCPU_FS | 1 << VCPU_GS},
	[NUMBER(SYSTEM)] = {{FIELDS(gdtr.base, GUEST_GDTR_BASE, 1),
		FIELDS(gdtr.limit, GUEST_GDTR_LIMIT, 1), FIELDS(idtr.base, GUEST_IDTR_BASE, 1),
		FIELDS(idtr.limit, GUEST_IDTR_LIMIT, 1)},
		1 << VCPU_LDTR | 1 << VCPU_TR},
	[NUMBER(MASKS)] = {{FIELDS(cr0_mask, CR0_MASK, 1), FIELDS(cr0_shadow, CR0_SHADOW, 1),
		FIELDS(cr4_mask, CR4_MASK, 1), FIELDS(cr4_shadow, CR4_SHADOW, 1)}, 0},
	[NUMBER(PDPTES)] = {{FIELDS(pdpte[0], GUEST_PDPTE0, 4)}, 0},
	[NUMBER(BREAKPOINTS)] = {{STATE(dr[0], DR0, 5)}, 0}, // and DR6
	[NUMBER(MSRS)] = {{STATE(star, STAR, 6), FIELDS(sysenter_cs, GUEST_SYSENTER_CS, 1),
		FIELDS(sysenter_esp, GUEST_SYSENTER_ESP, 2), FIELDS(pat, GUEST_PAT, 1)}, 0},
	[NUMBER(TSC)] = {{STATE(tsc_offset, TSC_OFFSET, 1)}, 0},
	[NUMBER(XCR0)] = {{STATE(xcr0, XCR0, 1)}, 0},
	[NUMBER(ACTIVITY)] = {{FIELDS(activity, GUEST_ACTIVITY, 1)}, 0},
	// clang-format on
};

_Static_assert(offsetof(struct vcpu_state_page, dr6) == offsetof(struct vcpu_state_page, dr[4]));

static enum vmcs_field segment_field(enum vmcs_field of_es, unsigned segment) {
	return of_es + FIELD_STEP * segment;
}

static void segment_save(struct vcpu_segment *word, unsigned number) {
	uint64_t access = vmcs_read(segment_field(VMCS_GUEST_ES_ACCESS, number));

	word->selector = (uint16_t)vmcs_read(segment_field(VMCS_GUEST_ES_SELECTOR, number));
	word->attributes = (uint16_t)((access & ATTRIBUTES) |
		(access & ACCESS_UNUSABLE) >> UNUSABLE_SHIFT);
	word->limit = (uint32_t)vmcs_read(segment_field(VMCS_GUEST_ES_LIMIT, number));
	word->base = vmcs_read(segment_field(VMCS_GUEST_ES_BASE, number));
}

static void segment_load(const struct vcpu_segment *word, unsigned number) {
	uint64_t attributes = READ_ONCE(word->attributes);

	vmcs_write(segment_field(VMCS_GUEST_ES_SELECTOR, number), READ_ONCE(word->selector));
	vmcs_write(segment_field(VMCS_GUEST_ES_ACCESS, number),
		(attributes & ATTRIBUTES) | (attributes & VCPU_SEGMENT_UNUSABLE) << UNUSABLE_SHIFT);
	vmcs_write(segment_field(VMCS_GUEST_ES_LIMIT, number), READ_ONCE(word->limit));
	vmcs_write(segment_field(VMCS_GUEST_ES_BASE, number), READ_ONCE(word->base));
}

static void event_save(struct vcpu_event *event, enum vmcs_field field) {
	_Static_assert(VMCS_EXIT_ERROR_CODE - VMCS_EXIT_INTERRUPTION == 2 &&
		VMCS_IDT_VECTORING_ERROR_CODE - VMCS_IDT_VECTORING == 2 &&
		VMCS_ENTRY_ERROR_CODE - VMCS_ENTRY_INTERRUPTION == 2);
	event->information = (uint32_t)vmcs_read(field);
	event->error_code = (uint32_t)vmcs_read(field + 2);
}

static void controls_load(struct vcpu *vcpu, const struct vcpu_state_page *page) {
	uint64_t controls = READ_ONCE(page->controls);

	vcpu_set_primary(vcpu, (vcpu->primary & WINDOWS) | ((uint32_t)controls & ~WINDOWS));
	(void)vcpu_field_write(
		vcpu, VMCS_SECONDARY_CONTROLS, controls >> 32 | SECONDARY_UNRESTRICTED);
	(void)vcpu_field_write(vcpu, VMCS_EXCEPTION_BITMAP, READ_ONCE(page->exceptions));
}

static void timer_load(struct vcpu *vcpu, const struct vcpu_state_page *page) {
	uint64_t ticks = READ_ONCE(page->timer);
	uint64_t steps = ticks >> vmx_timer_rate();

	if (steps > UINT32_MAX) steps = UINT32_MAX;
	(void)vcpu_field_write(vcpu, VMCS_PIN_CONTROLS,
		ticks ? vcpu->pin | PIN_TIMER : vcpu->pin & ~(uint32_t)PIN_TIMER);
	(void)vcpu_field_write(vcpu, VMCS_PREEMPTION_TIMER, steps ? steps : 1);
}

// Whether the guest is in 64-bit mode says EFER alone.
static void mode_load(struct vcpu *vcpu) {
	uint64_t entry = vmcs_read(VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_GUEST_64;

	if (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) entry |= ENTRY_GUEST_64;
	(void)vcpu_field_write(vcpu, VMCS_ENTRY_CONTROLS, entry);
}

// One word, to the page or from it.
static void word_save(struct vcpu *vcpu, const struct page_row *row, unsigned i) {
	void *word = (char *)vcpu->page + row->offset + row->size * i;
	uint64_t value = 0;

	if (row->is_state)
		value = vcpu_state_read(vcpu, (enum vcpu_state_field)(row->target + i));
	else
		(void)vmcs_try_read(row->target + FIELD_STEP * i, &value);
	memcpy(word, &value, row->size);
}

static bool word_load(struct vcpu *vcpu, const struct page_row *row, unsigned i) {
	const char *word = (const char *)vcpu->page + row->offset + row->size * i;
	uint64_t value = row->size == sizeof(uint32_t) ? READ_ONCE(*(const uint32_t *)word)
						       : READ_ONCE(*(const uint64_t *)word);

	if (row->is_state)
		return vcpu_state_write(vcpu, (enum vcpu_state_field)(row->target + i), value);
	(void)vcpu_field_write(vcpu, row->target + FIELD_STEP * i, value);
	return true;
}

static void rows_save(struct vcpu *vcpu, const struct page_group *group) {
	for (const struct page_row *row = group->rows; row < group->rows + ROWS_OF_GROUP; row++)
		for (unsigned i = 0; i < row->count; i++)
			word_save(vcpu, row, i);
	for (unsigned i = 0; group->segments >> i; i++)
		if (group->segments >> i & 1) segment_save(&vcpu->page->segments[i], i);
}

static bool rows_load(struct vcpu *vcpu, const struct page_group *group) {
	for (const struct page_row *row = group->rows; row < group->rows + ROWS_OF_GROUP; row++)
		for (unsigned i = 0; i < row->count; i++)
			if (!word_load(vcpu, row, i)) return false;
	for (unsigned i = 0; group->segments >> i; i++)
		if (group->segments >> i & 1) segment_load(&vcpu->page->segments[i], i);
	return true;
}

static void group_save(struct vcpu *vcpu, unsigned number) {
	struct vcpu_state_page *page = vcpu->page;

	switch (1u << number) {
	case VCPU_GROUP_WINDOWS: page->windows = vcpu->primary & WINDOWS; break;
	case VCPU_GROUP_EVENT: vcpu_page_save_event(vcpu); break;
	case VCPU_GROUP_INTERRUPTED: event_save(&page->interrupted, VMCS_IDT_VECTORING); break;
	case VCPU_GROUP_CONTROLS:
		page->controls = vcpu->primary | vmcs_read(VMCS_SECONDARY_CONTROLS) << 32;
		page->exceptions = vcpu->exceptions;
		break;
	case VCPU_GROUP_TIMER:
		page->timer = vcpu->pin & PIN_TIMER
			? (uint64_t)vcpu->timer_value << vmx_timer_rate()
			: 0;
		break;
	default: rows_save(vcpu, &groups[number]);
	}
}

void vcpu_page_save(struct vcpu *vcpu, uint64_t wanted) {
	for (uint64_t left = wanted & (BIT(VCPU_GROUPS) - 1); left; left &= left - 1)
		group_save(vcpu, (unsigned)__builtin_ctzl(left));
}

void vcpu_page_save_event(struct vcpu *vcpu) {
	event_save(&vcpu->page->event, VMCS_ENTRY_INTERRUPTION);
	vcpu->page->event_length = (uint32_t)vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH);
}

void vcpu_page_save_exception(struct vcpu_state_page *page) {
	event_save(&page->exception, VMCS_EXIT_INTERRUPTION);
}

static bool group_load(struct vcpu *vcpu, unsigned number) {
	const struct vcpu_state_page *page = vcpu->page;

	switch (1u << number) {
	case VCPU_GROUP_WINDOWS:
		vcpu_set_primary(
			vcpu, (vcpu->primary & ~WINDOWS) | (READ_ONCE(page->windows) & WINDOWS));
		return true;
	case VCPU_GROUP_EVENT:
		vmcs_write(VMCS_ENTRY_INTERRUPTION, READ_ONCE(page->event.information));
		vmcs_write(VMCS_ENTRY_ERROR_CODE, READ_ONCE(page->event.error_code));
		return vcpu_state_write(
			vcpu, VCPU_STATE_ENTRY_INSTRUCTION_LENGTH, READ_ONCE(page->event_length));
	case VCPU_GROUP_CONTROLS: controls_load(vcpu, page); return true;
	case VCPU_GROUP_TIMER: timer_load(vcpu, page); return true;
	default: break;
	}
	if (!rows_load(vcpu, &groups[number])) return false;
	if (1u << number == VCPU_GROUP_PAGING) mode_load(vcpu);
	return true;
}

int vcpu_page_load(struct vcpu *vcpu, uint64_t dirty) {
	for (uint64_t left = dirty & LOADED; left; left &= left - 1) {
		unsigned number = (unsigned)__builtin_ctzl(left);

		if (group_load(vcpu, number)) continue;
		vcpu->page->dirty = left;
		return (int)number;
	}
	return -1;
}

// Giving and taking

static void take(struct vcpu *vcpu) {
	if (!vcpu->page) return;
	memcpy(vcpu->own_registers, vcpu->page->registers, sizeof(vcpu->own_registers));
	vcpu->registers = vcpu->own_registers;
	vcpu->page = NULL;
	vcpu_stop(vcpu);
}

void vcpu_frame_destroy(struct slot *slot, bool last) {
	if (!slot->cap.map.mapped || slot->cap.map.format != SPACE_NONE)
		return frame_destroy(slot, last);
	take((struct vcpu *)((char *)slot - offsetof(struct vcpu, page_slot)));
}

void vcpu_page_take(struct vcpu *vcpu) {
	take(vcpu);
	if (!slot_is_empty(&vcpu->page_slot)) derive_remove(&vcpu->page_slot);
}

static void offer(struct vcpu_state_page *page) {
	page->controls_offered = (uint32_t)vmx_offered(VMX_PRIMARY) |
		vmx_offered(VMX_SECONDARY) << 32;
	if (vmx_offered(VMX_ENTRY) & ENTRY_LOAD_PAT) page->controls_offered |= VCPU_OFFERS_PAT;
	if (vmx_has_timer()) page->controls_offered |= VCPU_OFFERS_TIMER;
}

static void give(struct vcpu *vcpu, struct slot *source) {
	const uint64_t switched = ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER;
	struct cap cap = source->cap;

	cap.word = 0;
	cap.map.mapped = true; // to no space: vcpu_frame_destroy() knows it by that
	derive_insert_copy(&vcpu->page_slot, cap, source);
	vcpu->page = cap_object(&cap);
	memcpy(vcpu->page->registers, vcpu->own_registers, sizeof(vcpu->own_registers));
	vcpu->registers = vcpu->page->registers;
	offer(vcpu->page);
	vcpu->page->xcr0_offered = vcpu_state_read(vcpu, VCPU_STATE_XCR0_ALLOWED);
	vcpu_load(vcpu);
	(void)vcpu_field_write(
		vcpu, VMCS_ENTRY_CONTROLS, vmcs_read(VMCS_ENTRY_CONTROLS) | switched);
}

static bool can_be_page(const struct cap *cap) {
	const unsigned rights = RIGHT_READ | RIGHT_WRITE;

	return cap->type == CAP_FRAME && cap->size_bits == PAGE_BITS && !cap->device &&
		(cap->rights & rights) == rights;
}

enum error vcpu_set_state_page(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);

	if (invocation->cap_count && !can_be_page(&invocation->caps[0]->cap))
		return error_capability(invocation, 1);
	vcpu_page_take(vcpu);
	if (invocation->cap_count) give(vcpu, invocation->caps[0]);
	return ERROR_NONE;
}

enum error vcpu_save_state(struct invocation *invocation) {
	struct vcpu *vcpu = cap_object(&invocation->slot->cap);
	uint64_t wanted = invocation_word(invocation, 0);

	if (!vcpu->page) return ERROR_ILLEGAL_OPERATION;
	vcpu_load(vcpu);
	vcpu_page_save(vcpu, wanted);
	vcpu->page->saved |= wanted;
	return ERROR_NONE;
}
