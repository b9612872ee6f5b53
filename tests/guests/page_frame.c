// SPDX-License-Identifier: BSD-2-Clause
// Giving, taking and running by a state page.
#include "page.h"

#include <base/memory.h>
#include <user/untyped.h>

#include "helper.h"
#include "test.h"

enum { PAGE_ADDRESS = 0x21000000 };

struct vcpu_state_page *const page = (struct vcpu_state_page *)PAGE_ADDRESS;
seL4_CPtr page_frame;

static bool make_frame(void) {
	struct space space = space_own();
	const struct mapping mapping = {
		0, PAGE_ADDRESS, seL4_AllRights, seL4_X86_Default_VMAttributes, seL4_PageBits};
	struct mapping placed = mapping;

	if (page_frame) return true;
	placed.frame = object_make(OBJECT_PAGE, 0);
	if (!CHECK_EQUAL(space_map(&space, &placed), 0)) return false;
	page_frame = placed.frame;
	return true;
}

void page_give(struct guest *machine, const struct code *code) {
	guest_reset(machine, code);
	if (!make_frame()) return;
	memset(page, 0, sizeof(*page));
	CHECK_EQUAL(nacre_VCPU_SetStatePage(machine->vcpu, page_frame), 0);
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++)
		page->save[i] = PAGE_ALWAYS;
	page->rip = GUEST_CODE;
	page->dirty = VCPU_GROUP_RIP | VCPU_GROUP_WINDOWS | VCPU_GROUP_EVENT | VCPU_GROUP_CONTROLS |
		VCPU_GROUP_TIMER;
}

void page_take(const struct guest *machine) {
	CHECK_EQUAL(nacre_VCPU_SetStatePage(machine->vcpu, 0), 0);
}

uint64_t page_run(void) {
	uint64_t reason = nacre_VCPU_Run(NULL);

	CHECK_EQUAL(page->reason, reason);
	CHECK_EQUAL(page->saved, page->save[reason]);
	return reason;
}

// A signal that is pending ends the run behind the loading of groups.
uint64_t page_load(uint64_t groups) {
	page->dirty = groups;
	CHECK_EQUAL(seL4_TCB_BindNotification(seL4_CapInitThreadTCB, helper_notification), 0);
	seL4_Signal(helper_badged);
	page->reason = VCPU_EXIT_OTHER;
	(void)nacre_VCPU_Run(NULL);
	(void)seL4_Poll(helper_notification, NULL);
	helper_unbind();
	return page->reason;
}
