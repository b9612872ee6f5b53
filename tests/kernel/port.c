// SPDX-License-Identifier: BSD-2-Clause
// Tests: I/O ports (PORT-1 to PORT-4).
#include "world.h"

#include <pci/pci.h>

enum { CMOS = 0x70 };

static struct message issue(uint64_t first, uint64_t last, uint64_t slot) {
	return invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(first, last, slot, DEPTH));
}

static uint64_t ports_make(uint64_t first, uint64_t last) {
	uint64_t slot = slot_take();

	CHECK_OK(issue(first, last, slot));
	CHECK_EQUAL(cap_kind(slot), KIND_PORT_RANGE);
	return slot;
}

static void issue_errors(void) {
	uint64_t slot = slot_take();

	CHECK_ERROR(
		invoke(ROOT_SLOT_PORT_CONTROL, 0, CAPS(ROOT_SLOT_CNODE), WORDS(1, 1, slot, DEPTH)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, 1, slot)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(),
			    WORDS(1, 1, slot, DEPTH)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(issue(0x71, 0x70, slot), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(issue(0x71, 0x10070, slot), ERROR_INVALID_ARGUMENT, 1);
	CHECK_ERROR(issue(0x70, 0x71, ROOT_SLOT_TCB), ERROR_DELETE_FIRST);
	CHECK_ERROR(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_TCB),
			    WORDS(1, 1, slot, DEPTH)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, 1, slot, 65)),
		ERROR_RANGE, 1, 64);
	CHECK_ERROR(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, 1, slot, 12)),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_GUARD_MISMATCH, 12, 0, ROOT_GUARD);
}

static void overlap(void) {
	uint64_t range = ports_make(0x2000, 0x20ff);
	uint64_t slot = slot_take();

	CHECK_ERROR(issue(0x1ff0, 0x2000, slot), ERROR_REVOKE_FIRST);
	CHECK_ERROR(issue(0x20ff, 0x2100, slot), ERROR_REVOKE_FIRST);
	CHECK_ERROR(issue(0x2010, 0x2010, slot), ERROR_REVOKE_FIRST);
	CHECK_ERROR(issue(0, 0xffff, slot), ERROR_REVOKE_FIRST);
	CHECK_OK(issue(0x2100, 0x2100, slot));
	CHECK_OK(cap_delete(range));
	(void)ports_make(0x2000, 0x20ff);
}

static void copies_hold(void) {
	uint64_t range = ports_make(0x2000, 0x20ff);
	uint64_t copy = cap_copy(range);
	uint64_t slot = slot_take();

	CHECK_OK(cap_delete(range));
	CHECK_ERROR(issue(0x2000, 0x2000, slot), ERROR_REVOKE_FIRST);
	CHECK_OK(cap_delete(copy));
	CHECK_OK(issue(0x2000, 0x2000, slot));
}

static void revoke_control(void) {
	uint64_t range = ports_make(0x2000, 0x20ff);
	uint64_t copy = cap_copy(range);

	CHECK_OK(cap_revoke(range));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_EQUAL(cap_kind(range), KIND_PORT_RANGE);
	CHECK_OK(cap_revoke(ROOT_SLOT_PORT_CONTROL));
	CHECK_EQUAL(cap_kind(range), KIND_NULL);
	(void)ports_make(0x2000, 0x20ff);
}

static void access_errors(void) {
	static const struct {
		uint64_t label;
		unsigned words;
		uint64_t last; // highest port of 0x2000..0x20ff that works
	} rows[] = {
		{LABEL_PORT_RANGE_IN8, 1, 0x20ff},
		{LABEL_PORT_RANGE_IN16, 1, 0x20fe},
		{LABEL_PORT_RANGE_IN32, 1, 0x20fc},
		{LABEL_PORT_RANGE_OUT8, 2, 0x20ff},
		{LABEL_PORT_RANGE_OUT16, 2, 0x20fe},
		{LABEL_PORT_RANGE_OUT32, 2, 0x20fc},
	};
	uint64_t range = ports_make(0x2000, 0x20ff);

	CHECK_ERROR(invoke(range, 0, CAPS(), WORDS(0x2000)), ERROR_ILLEGAL_OPERATION);
	for (unsigned row = 0; row < array_count(rows); row++) {
		uint64_t words[2] = {0x2000, 0};

		CHECK_ERROR(invoke(range, rows[row].label, CAPS(),
				    (struct words){rows[row].words - 1, words}),
			ERROR_TRUNCATED_MESSAGE);
		words[0] = 0x1fff;
		CHECK_ERROR(invoke(range, rows[row].label, CAPS(), (struct words){2, words}),
			ERROR_ILLEGAL_OPERATION);
		words[0] = rows[row].last + 1;
		CHECK_ERROR(invoke(range, rows[row].label, CAPS(), (struct words){2, words}),
			ERROR_ILLEGAL_OPERATION);
		words[0] = rows[row].last;
		CHECK_OK(invoke(range, rows[row].label, CAPS(), (struct words){2, words}));
		words[0] = 0x12000 + 0x10;
		CHECK_OK(invoke(range, rows[row].label, CAPS(), (struct words){2, words}));
	}
}

static void pci_widths(void) {
	uint64_t range = ports_make(PCI_PORT_ADDRESS, PCI_PORT_DATA + 3);
	struct message whole;
	struct message part;

	CHECK_OK(invoke(range, LABEL_PORT_RANGE_OUT32, CAPS(),
		WORDS(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE)));
	whole = invoke(range, LABEL_PORT_RANGE_IN32, CAPS(), WORDS(PCI_PORT_ADDRESS));
	check_ok(HERE, &whole);
	CHECK_EQUAL(whole.length, 1);
	CHECK_EQUAL(whole.words[0], PCI_ADDRESS_ENABLE);
	whole = invoke(range, LABEL_PORT_RANGE_IN32, CAPS(), WORDS(PCI_PORT_DATA));
	CHECK(whole.words[0] != 0 && whole.words[0] < 1ul << 32);
	part = invoke(range, LABEL_PORT_RANGE_IN16, CAPS(), WORDS(PCI_PORT_DATA));
	CHECK_EQUAL(part.words[0], whole.words[0] & 0xffff);
	part = invoke(range, LABEL_PORT_RANGE_IN8, CAPS(), WORDS(PCI_PORT_DATA + 1));
	CHECK_EQUAL(part.words[0], whole.words[0] >> 8 & 0xff);
}

static void cmos_bytes(void) {
	uint64_t range = ports_make(CMOS, CMOS + 1);

	// Register 0x7f is battery-backed memory.
	CHECK_OK(invoke(range, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(CMOS, 0x7f)));
	CHECK_OK(invoke(range, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(CMOS + 1, 0xffffff5a)));
	CHECK_OK(invoke(range, LABEL_PORT_RANGE_OUT8, CAPS(), WORDS(CMOS, 0x7f)));
	CHECK_EQUAL(invoke(range, LABEL_PORT_RANGE_IN8, CAPS(), WORDS(CMOS + 1)).words[0], 0x5a);
}

static void whole_range(void) {
	uint64_t slot = slot_take();
	struct message answer = issue(0, 0xffff, slot);

	check_ok(HERE, &answer);
	CHECK_OK(invoke(slot, LABEL_PORT_RANGE_OUT16, CAPS(), WORDS(0x80, 0x1234)));
	CHECK_ERROR(invoke(slot, LABEL_PORT_RANGE_IN16, CAPS(), WORDS(0xffff)),
		ERROR_ILLEGAL_OPERATION);
}

static const struct test tests[] = {
	{"port-issue-errors", "Issue wants an ordered range and an empty slot", issue_errors,
		"X86IOPortControlIssue/1 X86IOPortControlIssue/2 X86IOPortControlIssue/3 "
		"X86IOPortControlIssue/5 X86IOPortControlIssue/6 X86IOPortControlIssue/7 "
		"X86IOPortControlIssue/8"},
	{"port-overlap", "ranges do not overlap, and a deleted one is free again", overlap,
		"X86IOPortControlIssue/4 X86IOPortControlIssue/0"},
	{"port-copies", "a range is in use while any capability to it exists", copies_hold, NULL},
	{"port-revoke", "ranges descend from the control capability, copies from the range",
		revoke_control, NULL},
	{"port-access", "each access lies wholly in the range", access_errors,
		"X86IOPortIn8/1 X86IOPortIn8/2 X86IOPortIn8/3 X86IOPortIn16/1 X86IOPortIn16/2 "
		"X86IOPortIn16/3 X86IOPortIn32/1 X86IOPortIn32/2 X86IOPortIn32/3 X86IOPortOut8/1 "
		"X86IOPortOut8/2 X86IOPortOut8/3 X86IOPortOut16/1 X86IOPortOut16/2 "
		"X86IOPortOut16/3 X86IOPortOut32/1 X86IOPortOut32/2 X86IOPortOut32/3"},
	{"port-widths", "8, 16 and 32 bit reads are zero-extended parts of one value", pci_widths,
		"X86IOPortIn8/0 X86IOPortIn16/0 X86IOPortIn32/0 X86IOPortOut32/0"},
	{"port-bytes", "a written byte is read back", cmos_bytes, "X86IOPortOut8/0"},
	{"port-whole", "one range may cover all 65536 ports", whole_range, "X86IOPortOut16/0"},
};

TEST_FILE(port);
