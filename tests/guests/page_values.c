// SPDX-License-Identifier: BSD-2-Clause
// Each group of the state page both ways, and what becomes of values that must not be.
#include <base/memory.h>

#include <x86/cr.h>

#include "helper.h"
#include "page.h"
#include "test.h"

CODE_DECLARE(code_vmcall);

enum { RSP = 4 };

static struct guest *const guest = &guest_one;

// Groups both ways

// A word of a group that keeps what is written.
static const struct word_row {
	uint32_t group;
	uint16_t offset;
	uint8_t size;
	uint64_t value;
} words[] = {
	{VCPU_GROUP_RIP, PAGE_BYTES(rip), 8, 0x7654321},
	{VCPU_GROUP_RFLAGS, PAGE_BYTES(rflags), 8, 0x246},
	{VCPU_GROUP_RFLAGS, PAGE_BYTES(interruptibility), 4, VCPU_BLOCKED_BY_NMI},
	{VCPU_GROUP_RSP, PAGE_BYTES(registers[RSP]), 8, 0x123456789},
	{VCPU_GROUP_WINDOWS, PAGE_BYTES(windows), 4, VCPU_WINDOW_INTERRUPT},
	{VCPU_GROUP_EVENT, PAGE_BYTES(event), 8, VCPU_EVENT_VALID | VCPU_EVENT_SOFTWARE | 0x44},
	{VCPU_GROUP_EVENT, PAGE_BYTES(event_length), 4, 3},
	{VCPU_GROUP_PAGING, PAGE_BYTES(cr0), 8,
		CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE | CR0_AM},
	{VCPU_GROUP_PAGING, PAGE_BYTES(cr3), 8, 0x5000},
	{VCPU_GROUP_PAGING, PAGE_BYTES(cr4), 8, CR4_VMXE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_DE},
	{VCPU_GROUP_PAGING, PAGE_BYTES(efer), 8, EFER_LMA | EFER_LME | EFER_NXE},
	{VCPU_GROUP_DEBUG_CONTROL, PAGE_BYTES(dr7), 8, 0x455},
	{VCPU_GROUP_DEBUG_CONTROL, PAGE_BYTES(debugctl), 8, 2},
	{VCPU_GROUP_DEBUG_CONTROL, PAGE_BYTES(pending_debug), 8, 0x4000},
	{VCPU_GROUP_CR2, PAGE_BYTES(cr2), 8, 0xfedcba9876543210},
	{VCPU_GROUP_CODE, PAGE_BYTES(segments[VCPU_CS].selector), 2, 0x1230},
	{VCPU_GROUP_CODE, PAGE_BYTES(segments[VCPU_SS].attributes), 2, 0xc0f3},
	{VCPU_GROUP_DATA, PAGE_BYTES(segments[VCPU_ES].limit), 4, 0x12345fff},
	{VCPU_GROUP_DATA, PAGE_BYTES(segments[VCPU_GS].base), 8, 0x123456789000},
	{VCPU_GROUP_DATA, PAGE_BYTES(segments[VCPU_FS].attributes), 2, VCPU_SEGMENT_UNUSABLE},
	{VCPU_GROUP_SYSTEM, PAGE_BYTES(segments[VCPU_TR].base), 8, 0x4321000},
	{VCPU_GROUP_SYSTEM, PAGE_BYTES(segments[VCPU_LDTR].selector), 2, 0x18},
	{VCPU_GROUP_SYSTEM, PAGE_BYTES(gdtr.base), 8, 0x1111000},
	{VCPU_GROUP_SYSTEM, PAGE_BYTES(idtr.limit), 8, 0xabc},
	{VCPU_GROUP_MASKS, PAGE_BYTES(cr0_mask), 8, ~0ul},
	{VCPU_GROUP_MASKS, PAGE_BYTES(cr0_shadow), 8, 0x60000011},
	{VCPU_GROUP_MASKS, PAGE_BYTES(cr4_mask), 8, ~0ul},
	{VCPU_GROUP_MASKS, PAGE_BYTES(cr4_shadow), 8, 0x20},
	{VCPU_GROUP_PDPTES, PAGE_BYTES(pdpte[0]), 8, 0x7001},
	{VCPU_GROUP_PDPTES, PAGE_BYTES(pdpte[3]), 8, 0x9001},
	{VCPU_GROUP_BREAKPOINTS, PAGE_BYTES(dr[0]), 8, 0x1000},
	{VCPU_GROUP_BREAKPOINTS, PAGE_BYTES(dr[3]), 8, 0x4000},
	{VCPU_GROUP_BREAKPOINTS, PAGE_BYTES(dr6), 8, 0xffff4ff0},
	{VCPU_GROUP_MSRS, PAGE_BYTES(star), 8, 0x23001000000000},
	{VCPU_GROUP_MSRS, PAGE_BYTES(lstar), 8, 0xffff800012345678},
	{VCPU_GROUP_MSRS, PAGE_BYTES(cstar), 8, 0x7fff12345678},
	{VCPU_GROUP_MSRS, PAGE_BYTES(fmask), 8, 0x47700},
	{VCPU_GROUP_MSRS, PAGE_BYTES(kernel_gs_base), 8, 0xffff900012345678},
	{VCPU_GROUP_MSRS, PAGE_BYTES(tsc_aux), 8, 0x1234},
	{VCPU_GROUP_MSRS, PAGE_BYTES(sysenter_cs), 8, 0x10},
	{VCPU_GROUP_MSRS, PAGE_BYTES(sysenter_esp), 8, 0x111000},
	{VCPU_GROUP_MSRS, PAGE_BYTES(sysenter_eip), 8, 0x222000},
	{VCPU_GROUP_MSRS, PAGE_BYTES(pat), 8, PAT_RESET},
	{VCPU_GROUP_TSC, PAGE_BYTES(tsc_offset), 8, 0x123456789abc},
	{VCPU_GROUP_XCR0, PAGE_BYTES(xcr0), 8, 3},
	{VCPU_GROUP_CONTROLS, PAGE_BYTES(exceptions), 4, 0x4040},
	{VCPU_GROUP_ACTIVITY, PAGE_BYTES(activity), 4, VCPU_HALTED_IN_GUEST},
};

static void words_write(bool right) {
	for (unsigned i = 0; i < array_count(words); i++) {
		uint64_t value = right ? words[i].value : 0;

		memcpy((char *)page + words[i].offset, &value, words[i].size);
	}
}

// CR4.VMXE, and what AMD-V has no place for.
static bool is_of_vmx(uint16_t offset) {
	return offset == PAGE_BYTES(cr4) || offset == PAGE_BYTES(pending_debug) ||
		offset == PAGE_BYTES(pdpte[0]) || offset == PAGE_BYTES(pdpte[3]) ||
		offset == PAGE_BYTES(activity);
}

static void page_groups(const struct test *) {
	uint64_t all = 0;

	page_give(guest, CODE(code_vmcall));
	for (unsigned i = 0; i < array_count(words); i++)
		all |= words[i].group;
	page->save[VCPU_EXIT_NOTIFICATION] = 0;
	words_write(true);
	CHECK_EQUAL(page_load(all), VCPU_EXIT_NOTIFICATION);
	words_write(false);
	CHECK_EQUAL(nacre_VCPU_SaveState(guest->vcpu, all), 0);
	for (unsigned i = 0; i < array_count(words); i++) {
		uint64_t value = 0;

		if (guest_is_svm && is_of_vmx(words[i].offset)) continue;
		memcpy(&value, (char *)page + words[i].offset, words[i].size);
		if (value != words[i].value) CHECK_EQUAL(words[i].offset, 0);
		CHECK_EQUAL(value, words[i].value);
	}
	page_take(guest);
}

// What counterparts change or refuse

static void page_values(const struct test *) {
	page_give(guest, CODE(code_vmcall));
	page->rip = 1ul << 48;
	page->cr0 = 0;
	page->cr4 = ~0ul;
	page->efer = EFER_LME;
	page->cr0_mask = 0;
	page->activity = 2;
	page->debugctl = ~0ul;
	page->controls = ~0ul;
	CHECK_EQUAL(page_load(VCPU_GROUP_WINDOWS | VCPU_GROUP_RIP | VCPU_GROUP_PAGING |
			    VCPU_GROUP_MASKS | VCPU_GROUP_ACTIVITY | VCPU_GROUP_DEBUG_CONTROL |
			    VCPU_GROUP_CONTROLS),
		VCPU_EXIT_NOTIFICATION);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_RIP), 0);
	CHECK(guest_is_svm || field_read(guest, VMCS_GUEST_CR0) & CR0_NE);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_CR4) & (1 << 12 | 1 << 14 | 1 << 22), 0);
	CHECK_EQUAL(field_read(guest, VMCS_ENTRY_CONTROLS) & ENTRY_GUEST_64, 0);
	CHECK_EQUAL(field_read(guest, VMCS_CR0_MASK), guest_is_svm ? 0 : CR0_CD | CR0_NW);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_ACTIVITY), 0);
	CHECK_EQUAL(field_read(guest, VMCS_GUEST_DEBUGCTL), 3);
	CHECK_EQUAL(field_read(guest, VMCS_PRIMARY_CONTROLS) &
			(PRIMARY_TPR_SHADOW | PRIMARY_TERTIARY | PRIMARY_INTERRUPT_WINDOW),
		0);
	CHECK_EQUAL(field_read(guest, VMCS_SECONDARY_CONTROLS) & ~0x111ceeul, 0);
	page_take(guest);
}

static void page_refused(const struct test *) {
	static const struct {
		uint32_t group;
		uint16_t offset;
		uint64_t value;
	} rows[] = {
		{VCPU_GROUP_BREAKPOINTS, PAGE_BYTES(dr6), 1ul << 32},
		{VCPU_GROUP_MSRS, PAGE_BYTES(lstar), 1ul << 47},
		{VCPU_GROUP_MSRS, PAGE_BYTES(cstar), 1ul << 63},
		{VCPU_GROUP_MSRS, PAGE_BYTES(fmask), 1ul << 32},
		{VCPU_GROUP_MSRS, PAGE_BYTES(kernel_gs_base), 1ul << 47},
		{VCPU_GROUP_MSRS, PAGE_BYTES(tsc_aux), 1ul << 32},
		{VCPU_GROUP_XCR0, PAGE_BYTES(xcr0), 2},
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		page_give(guest, CODE(code_vmcall));
		*(uint64_t *)((char *)page + rows[i].offset) = rows[i].value;
		page->dirty = VCPU_GROUP_RIP | rows[i].group | VCPU_GROUP_ACTIVITY;
		CHECK_EQUAL(page_run(), VCPU_EXIT_VALUE_REFUSED);
		CHECK_EQUAL(1u << page->qualification, rows[i].group);
		CHECK_EQUAL(page->dirty, rows[i].group | VCPU_GROUP_ACTIVITY);
		page_take(guest);
	}
	page_give(guest, CODE(code_vmcall));
	page->cr0 = CR0_PG | CR0_NE | CR0_ET | CR0_PE;
	page->efer = EFER_LMA | EFER_LME; // but no PAE
	page->dirty |= VCPU_GROUP_PAGING;
	CHECK_EQUAL(page_run(), VCPU_EXIT_STATE_INVALID);
	page_take(guest);
	page_give(guest, CODE(code_vmcall));
	page->event = (struct vcpu_event){VCPU_EVENT_VALID | 1 << 8, 0}; // no such type
	page->dirty |= VCPU_GROUP_EVENT;
	CHECK_EQUAL(page_run(), VCPU_EXIT_CONTROLS_INVALID);
	CHECK_EQUAL(page->qualification, 7);
	CHECK(page->event.information & VCPU_EVENT_VALID);
	page_take(guest);
}

// The page's dirty mask is any number.
static void page_not_loaded(const struct test *) {
	page_give(guest, CODE(code_vmcall));
	CHECK_EQUAL(page_load(VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION |
			    ~0ul << VCPU_GROUPS),
		VCPU_EXIT_NOTIFICATION);
	page->dirty = ~(uint64_t)(VCPU_GROUP_XCR0 - 1) | VCPU_GROUP_RIP | VCPU_GROUP_INTERRUPTED |
		VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION;
	page->xcr0 = 1;
	CHECK_EQUAL(page_run(), VCPU_EXIT_HYPERCALL);
	CHECK_EQUAL(page->dirty, 0);
	page_take(guest);
}

static const struct test tests[] = {
	{"page-groups", "each group is loaded and saved", page_groups, NULL},
	{"page-not-loaded", "what tells about an exit, and unknown groups, are not loaded",
		page_not_loaded, NULL},
	{"page-values", "loaded values are limited as WriteVMCS limits them", page_values, NULL},
	{"page-refused", "values that WriteVMCS refuses, or VM entry, end the run", page_refused,
		NULL},
};

TEST_FILE(test_page_values);
