// SPDX-License-Identifier: BSD-2-Clause
// The fake host.
#include "fake_host.h"

#include "../check.h"

#include <string.h>
#include <x86/msr.h>

struct fake_host fake;

// Where the words of each group stand in the page.
static const struct {
	enum vcpu_group group;
	size_t first, size;
} parts[] = {
#define PART(group, first, last) \
	{ \
		VCPU_GROUP_##group, offsetof(struct vcpu_state_page, first), \
			offsetof(struct vcpu_state_page, last) - \
			offsetof(struct vcpu_state_page, first) + sizeof(fake.page.last) \
	}
	PART(RIP, rip, rip),
	PART(RFLAGS, rflags, interruptibility),
	PART(RSP, registers[4], registers[4]),
	PART(WINDOWS, windows, windows),
	PART(EVENT, event, event),
	PART(EVENT, event_length, event_length),
	PART(INTERRUPTED, interrupted, interrupted),
	PART(ADDRESS, physical, linear),
	PART(INSTRUCTION, instruction_information, instruction_information),
	PART(INSTRUCTION, instruction_bytes, instruction_count),
	PART(PAGING, cr0, efer),
	PART(CR2, cr2, cr2),
	PART(DEBUG_CONTROL, dr7, pending_debug),
	PART(MASKS, cr0_mask, cr4_shadow),
	PART(PDPTES, pdpte, pdpte),
	PART(CODE, segments[VCPU_CS], segments[VCPU_SS]),
	PART(DATA, segments[VCPU_ES], segments[VCPU_ES]),
	PART(DATA, segments[VCPU_DS], segments[VCPU_GS]),
	PART(SYSTEM, segments[VCPU_LDTR], idtr),
	PART(BREAKPOINTS, dr, dr6),
	PART(MSRS, star, pat),
	PART(TSC, tsc_offset, tsc_offset),
	PART(XCR0, xcr0, xcr0),
	PART(CONTROLS, controls, exceptions),
	PART(TIMER, timer, timer),
	PART(ACTIVITY, activity, activity),
};

enum {
	PARTS = sizeof(parts) / sizeof(parts[0]),
	// The page has these words whatever was saved.
	KEPT = VCPU_GROUP_WINDOWS | VCPU_GROUP_CONTROLS | VCPU_GROUP_TIMER,
	ABOUT_EXITS = VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS | VCPU_GROUP_INSTRUCTION,
	POISON = 0xa5,
};

static void copy(struct vcpu_state_page *to, const struct vcpu_state_page *from, uint64_t groups) {
	for (unsigned i = 0; i < PARTS; i++)
		if (groups & parts[i].group)
			memcpy((char *)to + parts[i].first, (const char *)from + parts[i].first,
				parts[i].size);
}

void fake_take(void) {
	uint64_t rsp = fake.guest.registers[4];

	memcpy(fake.guest.registers, fake.page.registers, sizeof(fake.guest.registers));
	fake.guest.registers[4] = rsp;
	copy(&fake.guest, &fake.page, fake.page.dirty);
	fake.page.saved |= fake.page.dirty;
	fake.page.dirty = 0;
}

void fake_leave(enum vcpu_exit_reason reason) {
	struct vcpu_state_page *page = &fake.page;
	uint64_t rsp = fake.guest.registers[4];
	uint64_t saved = reason < VCPU_EXIT_REASONS ? page->save[reason] : 0;

	copy(&fake.guest, &fake.exit, VCPU_GROUP_RIP | VCPU_GROUP_RFLAGS | ABOUT_EXITS);
	memcpy(fake.guest.registers, fake.exit.registers, sizeof(fake.guest.registers));
	fake.guest.registers[4] = rsp;
	fake.guest.cr3 = fake.exit.cr3;
	// The entry has delivered it.
	fake.guest.event.information &= ~VCPU_EVENT_VALID;
	for (unsigned i = 0; i < PARTS; i++)
		if (!(parts[i].group & KEPT))
			memset((char *)page + parts[i].first, POISON, parts[i].size);
	copy(page, &fake.guest, saved | VCPU_GROUP_EVENT);
	memcpy(page->registers, fake.guest.registers, sizeof(page->registers));
	if (!(saved & VCPU_GROUP_RSP)) page->registers[4] = 0xa5a5a5a5a5a5a5a5;
	page->reason = reason;
	page->qualification = fake.exit.qualification;
	page->instruction_length = fake.exit.instruction_length;
	page->exception = fake.exit.exception;
	page->saved = saved;
}

void fake_reset(void) {
	memset(&fake, 0, sizeof(fake));
	fake.tsc = 1000000;
	fake.compacted_size = 832;
	fake.page.controls_offered = ~VCPU_BY_AMD_V;
	fake.page.xcr0_offered = 7;
}

uint64_t host_tsc(void) { return fake.tsc; }

// A CPU with everything: the masks decide.
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
	for (unsigned i = 0; i < 4; i++)
		words[i] = UINT32_MAX;
	if (leaf == 0) words[0] = 0x20;
	if (leaf == 0x80000000) words[0] = 0x80000021;
	if (leaf == 0xd) {
		words[0] = 256;
		words[1] = 576;
		words[2] = 0;
	}
	if (leaf == 0xd && subleaf == 1) {
		words[0] = 0x1f;
		words[1] = fake.compacted_size;
	}
}

struct vcpu_state_page *host_vcpu_page(unsigned) {
	return &fake.page;
}

void host_vcpu_save(unsigned, uint64_t groups) {
	check_equal(groups & (VCPU_GROUP_INTERRUPTED | VCPU_GROUP_ADDRESS), 0);
	fake.saves++;
	copy(&fake.page, &fake.guest, groups);
	fake.page.saved |= groups;
}

bool host_msr_direct(unsigned, uint32_t number) {
	fake.speculation_msrs += number == MSR_SPEC_CTRL || number == MSR_PRED_CMD;
	return true;
}

void host_guest_run(void) { fake.running = true; }

void host_guest_pause(void) { fake.running = false; }

bool host_timer_arm(uint64_t tsc) {
	fake.timer_calls++;
	fake.armed = tsc;
	return true;
}

uint64_t host_wall_clock(uint64_t *tsc) {
	*tsc = fake.tsc;
	return 1700000000;
}

bool host_pci(enum pci_request request, uint64_t words[HOST_PCI_WORDS]) {
	return fake.pci && fake.pci(request, words);
}

void host_message_write(uint64_t entry, unsigned channel) {
	const uint32_t words[4] = {0xfee00000, 0, channel, 0};

	memcpy((void *)entry, words, sizeof(words));
}

void host_message_set(unsigned device, unsigned channel) {
	fake.message_device = device;
	fake.message_channel = channel;
}

void host_message_taken(unsigned channel) { fake.messages_taken += channel != 0; }

void host_signal(void *channel) { fake.signals[(uintptr_t)channel]++; }
