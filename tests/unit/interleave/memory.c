// SPDX-License-Identifier: BSD-2-Clause
// Pages that one core uses and another one takes away.
#include "scenario.h"

#include <base/compiler.h>
#include <cap/delete.h>
#include <cpu/registers.h>
#include <stdlib.h>

enum { FRAME = SLOT_OTHERS, COPY, TABLES, RIGHTS_OF_PAGE = RIGHT_READ | RIGHT_WRITE };

#define TOUCH \
	{ .kind = STEP_TOUCH }
#define MAP(frame) INVOKE_WITH((frame), LABEL_FRAME_MAP, 3, SLOT_SPACE, RIG_PAGE, RIGHTS_OF_PAGE)

static void table_map(enum object_type type, unsigned label) {
	rig_invoke(rig_object(type, 0), label,
		&(struct invocation_words){
			.words = {RIG_PAGE}, .length = 2, .caps = {SLOT_SPACE}, .cap_count = 1});
}

static void page_map(void) {
	rig_invoke(FRAME, LABEL_FRAME_MAP,
		&(struct invocation_words){.words = {RIG_PAGE, RIGHTS_OF_PAGE},
			.length = 3,
			.caps = {SLOT_SPACE},
			.cap_count = 1});
}

// A frame, a copy of its capability, and all tables for RIG_PAGE.
static void frame_make(void) {
	rig_object(OBJECT_PAGE, 0);
	rig_copy(FRAME, RIGHTS_ALL, 0);
	table_map(OBJECT_PDPT, LABEL_PDPT_MAP);
	table_map(OBJECT_PAGE_DIRECTORY, LABEL_PAGE_DIRECTORY_MAP);
	table_map(OBJECT_PAGE_TABLE, LABEL_PAGE_TABLE_MAP);
}

static void unmapping(void) {
	struct step program[RIG_STEPS] = {START, INVOKE(FRAME, LABEL_FRAME_UNMAP, 0)};

	program[1].unmaps = true;
	frame_make();
	page_map();
	rig_thread(0, PROGRAM(TOUCH, START, TOUCH, YIELD, TOUCH));
	rig_thread(1, program);
}

static void revocation(void) {
	struct step program[RIG_STEPS] = {START, REVOKE(FRAME)};

	program[1].unmaps = true;
	frame_make();
	rig_thread(0, PROGRAM(START, MAP(COPY), TOUCH));
	rig_thread(1, program);
}

// The space goes away below a running thread.
static void space_deletion(void) {
	struct step program[RIG_STEPS] = {START, REVOKE(SLOT_SPACE), DELETE(SLOT_SPACE)};

	program[1].unmaps = program[2].unmaps = true;
	frame_make();
	page_map();
	rig_thread(0, PROGRAM(TOUCH, START, YIELD));
	rig_thread(1, program);
}

static void table_unmapping(void) {
	struct step program[RIG_STEPS] = {START, INVOKE(TABLES + 2, LABEL_PAGE_TABLE_UNMAP, 0)};

	program[1].unmaps = true;
	frame_make();
	page_map();
	rig_thread(0, PROGRAM(TOUCH, START, TOUCH, YIELD, TOUCH));
	rig_thread(1, program);
}

// Two frames for one place.
static void two_mappings(void) {
	unsigned other;

	frame_make();
	other = rig_object(OBJECT_PAGE, 0);
	rig_thread(0, PROGRAM(START, MAP(FRAME), TOUCH));
	rig_thread(1, PROGRAM(START, MAP(other), TOUCH));
}

// A thread that has come from another core uses a page that is taken away there.
static void unmapping_behind(void) {
	struct step program[RIG_STEPS] = {
		CONFIGURE(1, 0), START, INVOKE(FRAME, LABEL_FRAME_UNMAP, 0)};

	program[2].unmaps = true;
	frame_make();
	page_map();
	rig_thread(0, PROGRAM(YIELD, START, TOUCH, YIELD, TOUCH));
	rig_thread(0, program);
}

// The page goes while its core runs a thread of another space, which then wakes one of the page's
// by a fast path. PCIDs keep what each space has.
static void unmapping_not_loaded(void) {
	struct step program[RIG_STEPS] = {START, INVOKE(FRAME, LABEL_FRAME_UNMAP, 0)};
	struct thread *thread;

	program[1].unmaps = true;
	for (unsigned i = 0; i < host.core_count; i++)
		host.cores[i].cpu->kernel_cr3 |= CR3_KEEP;
	frame_make();
	page_map();
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(TOUCH, RECV(TABLES + 3, SLOT_REPLY), TOUCH));
	rig_thread(0, PROGRAM(START, SEND(TABLES + 3, 0)));
	thread = rig.threads[1].thread;
	thread->priority = RIG_PRIORITY - 1;
	if (slot_delete(&thread->slots[THREAD_SPACE])) abort();
	rig_thread(1, program);
}

static void retyping(void) {
	enum { NEW = SLOT_OTHERS + 40 };

	rig_thread(0,
		PROGRAM(START,
			INVOKE_WITH(SLOT_UNTYPED, LABEL_UNTYPED_RETYPE, 6, SLOT_CNODE,
				OBJECT_ENDPOINT, 0, 0, 0, NEW, 1)));
	rig_thread(1,
		PROGRAM(START,
			INVOKE_WITH(SLOT_UNTYPED, LABEL_UNTYPED_RETYPE, 6, SLOT_CNODE,
				OBJECT_NOTIFICATION, 0, 0, 0, NEW, 1),
			REVOKE(SLOT_UNTYPED)));
}

static const struct scenario rows[] = {
	{"MEM001", "a page is unmapped that another core uses", unmapping},
	{"MEM002", "revocation of a frame against the mapping of a copy", revocation},
	{"MEM003", "deletion of the space that another core runs in", space_deletion},
	{"MEM004", "a table is unmapped that another core uses", table_unmapping},
	{"MEM005", "two cores map a page at one place", two_mappings},
	{"MEM007", "a page is unmapped that a thread uses on the core it has come to",
		unmapping_behind},
	{"MEM008", "a page is unmapped whose core has another space loaded", unmapping_not_loaded},
	{"MEM006", "two cores make an object in one slot", retyping},
};

SCENARIOS(memory_scenarios);
