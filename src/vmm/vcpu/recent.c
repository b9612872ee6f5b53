// SPDX-License-Identifier: BSD-2-Clause
#include <vmm/vcpu/recent.h>

#include <vmm/vcpu/operand.h>

#include <base/memory.h>

uint64_t recent_groups(const struct vcpu_state_page *page) {
	bool privileged = page->reason == VCPU_EXIT_HLT || page->reason == VCPU_EXIT_RDMSR ||
		page->reason == VCPU_EXIT_WRMSR;

	return privileged && page->rip >> 32 != 0 ? VCPU_GROUP_PAGING
						  : VCPU_GROUP_PAGING | VCPU_GROUP_CODE;
}

static bool is_of(
	const struct recent *recent, const struct vcpu_state_page *page, uint64_t groups) {
	if (recent->length == 0 || recent->rip != page->rip || recent->reason != page->reason ||
		recent->cr3 != page->cr3 || recent->cr0 != page->cr0 || recent->cr4 != page->cr4 ||
		recent->efer != page->efer)
		return false;
	return !(groups & VCPU_GROUP_CODE) ||
		(recent->code == page->segments[VCPU_CS].attributes &&
			recent->stack == page->segments[VCPU_SS].attributes);
}

uint8_t recent_length(const struct vcpu *vcpu) {
	uint64_t groups = recent_groups(vcpu->page);
	const struct vcpu_state_page *page = vcpu_view(vcpu, groups);
	const struct recent *recent = &vcpu->recent[page->rip % RECENTS];

	if (!is_of(recent, page, groups) || !walk_trail_holds(&recent->trail) ||
		memcmp(recent->place, recent->bytes, recent->length) != 0)
		return 0;
	return recent->length;
}

void recent_keep(const struct operand_space *space, uint8_t length) {
	const struct vcpu_state_page *page = space->vcpu->page;
	struct recent *recent = &space->vcpu->recent[page->rip % RECENTS];
	struct walk walk = {
		.linear = page->rip,
		.access = (space->access & WALK_USER) | WALK_FETCH,
		.trail = &recent->trail,
	};

	*recent = (struct recent){.rip = page->rip,
		.cr0 = page->cr0,
		.cr3 = page->cr3,
		.cr4 = page->cr4,
		.efer = page->efer,
		.reason = page->reason,
		.code = page->segments[VCPU_CS].attributes,
		.stack = page->segments[VCPU_SS].attributes};
	// One translation is for one page.
	if (space->code_size != CODE_64 || page->rip % PAGE_SIZE + length > PAGE_SIZE) return;
	if (!walk_translate(space->memory, &space->paging, &walk)) return;
	recent->place = memory_at(space->memory, walk.physical, length);
	if (!recent->place) return;
	memcpy(recent->bytes, recent->place, length);
	recent->length = length;
}
