// SPDX-License-Identifier: BSD-2-Clause
// The state page of a VCPU (abi/vcpu_state.h): groups of words between it and the VCPU. Programs
// write to it at any moment: each word is read once, and checked where it goes to.
#include <guest/vmx/internal.h>

#include <base/memory.h>

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

static void next_event_save(struct vcpu_state_page *page) {
	event_save(&page->event, VMCS_ENTRY_INTERRUPTION);
	page->event_length = (uint32_t)vmcs_read(VMCS_ENTRY_INSTRUCTION_LENGTH);
}

static void controls_load(struct guest *guest, const struct vcpu_state_page *page) {
	uint64_t controls = READ_ONCE(page->controls);

	vmx_set_primary(guest, (guest->vmx.primary & WINDOWS) | ((uint32_t)controls & ~WINDOWS));
	(void)vmx_field_write(
		guest, VMCS_SECONDARY_CONTROLS, controls >> 32 | SECONDARY_UNRESTRICTED);
	(void)vmx_field_write(guest, VMCS_EXCEPTION_BITMAP, READ_ONCE(page->exceptions));
}

static void timer_load(struct guest *guest, const struct vcpu_state_page *page) {
	uint64_t ticks = READ_ONCE(page->timer);
	uint64_t steps = ticks >> vmx_timer_rate();

	if (steps > UINT32_MAX) steps = UINT32_MAX;
	(void)vmx_field_write(guest, VMCS_PIN_CONTROLS,
		ticks ? guest->vmx.pin | PIN_TIMER : guest->vmx.pin & ~(uint32_t)PIN_TIMER);
	(void)vmx_field_write(guest, VMCS_PREEMPTION_TIMER, steps ? steps : 1);
}

// Whether the guest is in 64-bit mode says EFER alone.
static void mode_load(struct guest *guest) {
	uint64_t entry = vmcs_read(VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_GUEST_64;

	if (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) entry |= ENTRY_GUEST_64;
	(void)vmx_field_write(guest, VMCS_ENTRY_CONTROLS, entry);
}

// One word, to the page or from it.
static void word_save(struct guest *guest, const struct page_row *row, unsigned i) {
	void *word = (char *)guest->page + row->offset + row->size * i;
	uint64_t value = 0;

	if (row->is_state)
		value = guest_state_read(guest, (enum vcpu_state_field)(row->target + i));
	else
		(void)vmcs_try_read(row->target + FIELD_STEP * i, &value);
	memcpy(word, &value, row->size);
}

static bool word_load(struct guest *guest, const struct page_row *row, unsigned i) {
	const char *word = (const char *)guest->page + row->offset + row->size * i;
	uint64_t value = row->size == sizeof(uint32_t) ? READ_ONCE(*(const uint32_t *)word)
						       : READ_ONCE(*(const uint64_t *)word);

	if (row->is_state)
		return guest_state_write(guest, (enum vcpu_state_field)(row->target + i), value);
	(void)vmx_field_write(guest, row->target + FIELD_STEP * i, value);
	return true;
}

static void rows_save(struct guest *guest, const struct page_group *group) {
	for (const struct page_row *row = group->rows; row < group->rows + ROWS_OF_GROUP; row++)
		for (unsigned i = 0; i < row->count; i++)
			word_save(guest, row, i);
	for (unsigned i = 0; group->segments >> i; i++)
		if (group->segments >> i & 1) segment_save(&guest->page->segments[i], i);
}

static bool rows_load(struct guest *guest, const struct page_group *group) {
	for (const struct page_row *row = group->rows; row < group->rows + ROWS_OF_GROUP; row++)
		for (unsigned i = 0; i < row->count; i++)
			if (!word_load(guest, row, i)) return false;
	for (unsigned i = 0; group->segments >> i; i++)
		if (group->segments >> i & 1) segment_load(&guest->page->segments[i], i);
	return true;
}

static void group_save(struct guest *guest, unsigned number) {
	struct vcpu_state_page *page = guest->page;

	switch (1u << number) {
	case VCPU_GROUP_WINDOWS: page->windows = guest->vmx.primary & WINDOWS; break;
	case VCPU_GROUP_EVENT: next_event_save(page); break;
	case VCPU_GROUP_INTERRUPTED: event_save(&page->interrupted, VMCS_IDT_VECTORING); break;
	case VCPU_GROUP_CONTROLS:
		page->controls = guest->vmx.primary | vmcs_read(VMCS_SECONDARY_CONTROLS) << 32;
		page->exceptions = guest->vmx.exceptions;
		break;
	case VCPU_GROUP_TIMER:
		page->timer = guest->vmx.pin & PIN_TIMER
			? (uint64_t)guest->vmx.timer_value << vmx_timer_rate()
			: 0;
		break;
	default: rows_save(guest, &groups[number]);
	}
}

void guest_page_save(struct guest *guest, uint64_t wanted) {
	for (uint64_t left = wanted & (BIT(VCPU_GROUPS) - 1); left; left &= left - 1)
		group_save(guest, (unsigned)__builtin_ctzl(left));
}

static bool group_load(struct guest *guest, unsigned number) {
	const struct vcpu_state_page *page = guest->page;

	switch (1u << number) {
	case VCPU_GROUP_WINDOWS:
		vmx_set_primary(guest,
			(guest->vmx.primary & ~WINDOWS) | (READ_ONCE(page->windows) & WINDOWS));
		return true;
	case VCPU_GROUP_EVENT:
		vmcs_write(VMCS_ENTRY_INTERRUPTION, READ_ONCE(page->event.information));
		vmcs_write(VMCS_ENTRY_ERROR_CODE, READ_ONCE(page->event.error_code));
		return guest_state_write(
			guest, VCPU_STATE_ENTRY_INSTRUCTION_LENGTH, READ_ONCE(page->event_length));
	case VCPU_GROUP_CONTROLS: controls_load(guest, page); return true;
	case VCPU_GROUP_TIMER: timer_load(guest, page); return true;
	default: break;
	}
	if (!rows_load(guest, &groups[number])) return false;
	if (1u << number == VCPU_GROUP_PAGING) mode_load(guest);
	return true;
}

static int load(struct guest *guest, uint64_t dirty) {
	for (uint64_t left = dirty & LOADED; left; left &= left - 1) {
		unsigned number = (unsigned)__builtin_ctzl(left);

		if (group_load(guest, number)) continue;
		guest->page->dirty = left;
		return (int)number;
	}
	return -1;
}

int guest_page_load(struct guest *guest) {
	uint64_t dirty = READ_ONCE(guest->page->dirty);

	guest->page->dirty = 0;
	return load(guest, dirty);
}

bool guest_page_load_fast(struct guest *guest) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_RSP |
		VCPU_GROUP_WINDOWS | VCPU_GROUP_EVENT;
	struct vcpu_state_page *page = guest->page;
	uint64_t dirty = READ_ONCE(page->dirty);

	if (unlikely(dirty & ~often)) return false;
	if (dirty & VCPU_GROUP_RIP) vmcs_write(VMCS_GUEST_RIP, vmx_clean_rip(READ_ONCE(page->rip)));
	dirty &= ~(uint64_t)VCPU_GROUP_RIP;
	page->dirty = dirty;
	if (unlikely(dirty)) {
		if (load(guest, dirty) >= 0) return false; // and is still dirty
		page->dirty = 0;
	}
	return true;
}

// Exits

static bool is_rare(uint32_t reason) {
	const uint64_t rare = BIT(REASON_EXCEPTION) | BIT(VCPU_EXIT_NOTIFICATION) |
		BIT(REASON_GUEST_STATE);

	return reason >= 64 || rare >> reason & 1;
}

// What the exit record of the page has of rare exits.
[[gnu::noinline]] static uint32_t report_rarely(
	struct guest *guest, uint32_t reason, uint64_t *qualification) {
	struct vcpu_state_page *page = guest->page;

	if (reason == REASON_EXCEPTION) {
		event_save(&page->exception, VMCS_EXIT_INTERRUPTION);
		return reason;
	}
	next_event_save(page);
	if (reason == UINT32_MAX) {
		*qualification = vmcs_read(VMCS_INSTRUCTION_ERROR);
		return VCPU_EXIT_CONTROLS_INVALID;
	}
	if (reason < VCPU_EXIT_REASONS) return reason;
	*qualification = reason;
	return VCPU_EXIT_OTHER;
}

uint32_t guest_report(struct guest *guest, struct guest_exit exit) {
	const uint64_t often = VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | VCPU_GROUP_ADDRESS;
	struct vcpu_state_page *page = guest->page;
	uint32_t reason = exit.reason;
	uint64_t wanted;

	page->event = (struct vcpu_event){};
	if (unlikely(is_rare(reason))) reason = report_rarely(guest, reason, &exit.qualification);
	wanted = READ_ONCE(page->save[reason]);
	page->reason = reason;
	page->instruction_length = (uint32_t)vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	page->qualification = exit.qualification;
	if (wanted & VCPU_GROUP_RIP) page->rip = vmcs_read(VMCS_GUEST_RIP);
	if (wanted & VCPU_GROUP_RFLAGS) {
		page->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
		page->interruptibility = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	}
	if (wanted & VCPU_GROUP_ADDRESS) {
		page->physical = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
		page->linear = vmcs_read(VMCS_GUEST_LINEAR_ADDRESS);
	}
	if (unlikely(wanted & ~often)) guest_page_save(guest, wanted & ~often);
	page->saved = wanted;
	return reason;
}

// Giving and taking

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
	page->controls_offered = (uint32_t)vmx_offered(VMX_PRIMARY) |
		vmx_offered(VMX_SECONDARY) << 32;
	if (vmx_offered(VMX_ENTRY) & ENTRY_LOAD_PAT) page->controls_offered |= VCPU_OFFERS_PAT;
	if (vmx_has_timer()) page->controls_offered |= VCPU_OFFERS_TIMER;
	page->xcr0_offered = guest_state_read(guest, VCPU_STATE_XCR0_ALLOWED);
	guest_load(guest);
	(void)vmx_field_write(
		guest, VMCS_ENTRY_CONTROLS, vmcs_read(VMCS_ENTRY_CONTROLS) | switched);
}
