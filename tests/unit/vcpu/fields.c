// SPDX-License-Identifier: BSD-2-Clause
// Fields and the state page on a CPU without VMX-preemption timer, or with SPEC_CTRL, which no
// emulator has.
#include "../check.h"

#include <base/compiler.h>
#include <cpu/mitigations.h>
#include <cpu/msr.h>
#include <guest/vmx/internal.h>
#include <stdlib.h>
#include <string.h>
#include <x86/msr.h>

uint64_t fields[0x8000];
enum vmcs_field lacking;

static void load(struct guest *) {}

static const struct guest_engine engine = {
	.load = load, .fields = vmx_fields, .field_write = vmx_field_write};
static struct platform platform = {.found.offered = VCPU_OFFERS_SPEC_CTRL,
	.found.words = {[0 ... VMX_WORDS - 1] = {.may = UINT64_MAX}}};
static struct cpu cpu = {.engine = &engine, .platform = &platform};
static struct vcpu_state_page page;
static struct guest guest;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

bool guest_xcr0_write(struct guest *, uint64_t *) { return true; }

void guest_debug_take(struct guest *) {}

// Of SPEC_CTRL the CPU knows the low bits.
static uint64_t spec_ctrl;

bool msr_try_write(uint32_t msr, uint64_t value) {
	check_equal(msr, MSR_SPEC_CTRL);
	if (value > (SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD)) return false;
	spec_ctrl = value;
	return true;
}

static void no_timer(void) {
	uint64_t value = 1000;

	lacking = VMCS_PREEMPTION_TIMER;
	platform.found.words[VMX_PIN].may = ~(uint64_t)PIN_TIMER;
	guest = (struct guest){.page = &page};
	page.timer = 1000;
	page.dirty = UINT64_MAX;
	check_equal(guest_page_load(&guest), -1);
	check_equal(page.dirty, 0);
	check_equal(fields[VMCS_PIN_CONTROLS], 0);
	check(guest_field_write(&guest, VCPU_FIELD_TIMER, &value));
	check(!guest_field_write(&guest, VMCS_PREEMPTION_TIMER, &value));
	platform.found.words[VMX_PIN].may = UINT64_MAX;
}

static void timer(void) {
	uint64_t value = 1000;

	lacking = 0;
	guest = (struct guest){.vmx = {.has_timer = 1, .timer_rate = 5}};
	check(guest_field_write(&guest, VCPU_FIELD_TIMER, &value));
	check_equal(value, 1000);
	check_equal(fields[VMCS_PREEMPTION_TIMER], 1000 >> 5);
	check_equal(fields[VMCS_PIN_CONTROLS], PIN_TIMER);
}

// Whether a field is in the VMCS or beside it: what a run loads is what is saved.
static void all_groups(void) {
	struct vcpu_state_page before;

	lacking = 0;
	guest = (struct guest){.page = &page, .vmx = {.has_timer = 1}};
	for (unsigned i = 0; i < sizeof(page) / 2; i++)
		((uint16_t *)&page)[i] = (uint16_t)(i + 1); // 15 bits, addresses that can be
	for (uint64_t *word = &page.star; word <= &page.spec_ctrl; word++)
		*word &= UINT16_MAX;
	page.event_length = 3;
	page.debugctl = page.activity = 1;
	page.dr6 = 0xffff0ff0;
	page.rip = page.spec_ctrl = 0;
	page.gdtr.limit = 0x1234;
	page.idtr.limit = 0x5678;
	for (unsigned i = 0; i < VCPU_SEGMENTS; i++)
		page.segments[i].attributes = (uint16_t)(0x1093 + i * 0x2000);
	page.windows = VCPU_WINDOW_NMI;
	page.exceptions |= 1 << 1 | 1 << 17 | 1 << 18; // always
	page.dirty = UINT64_MAX;
	check_equal(guest_page_load(&guest), -1);
	check_equal(fields[VMCS_ENTRY_CONTROLS] & ENTRY_GUEST_64,
		page.efer & EFER_LMA ? ENTRY_GUEST_64 : 0);
	check_equal(fields[VMCS_GUEST_TR_ACCESS], 0x1093 + 7 * 0x2000);
	before = page;
	memset(&page, 0xee, sizeof(page));
	guest_page_save(&guest, UINT64_MAX & ~(uint64_t)VCPU_GROUP_CONTROLS);
	check_equal(page.windows, before.windows);
	check_equal(page.activity, before.activity);
	check_equal(page.event.error_code, before.event.error_code);
	check(memcmp(&page.cr0, &before.cr0,
		      offsetof(struct vcpu_state_page, controls) -
			      offsetof(struct vcpu_state_page, cr0)) == 0);
	check(memcmp(&page.star, &before.star,
		      offsetof(struct vcpu_state_page, reserved_2) -
			      offsetof(struct vcpu_state_page, star)) == 0);
}

// Switched off while a thread that is suspended runs the guest, and on again after that run.
static void timer_anew(void) {
	uint64_t value = PIN_TIMER;

	lacking = 0;
	guest = (struct guest){.vmx = {.has_timer = 1, .timer_value = 100, .timer_left = 40}};
	check(guest_field_write(&guest, VMCS_PIN_CONTROLS, &value));
	check_equal(guest.vmx.timer_left, 100);
}

// A value that adds nothing to the kernel's is in no list; one that does adds to it, and VM exit
// loads the kernel's. Kernel entry and exit that write the register need no lists.
static void speculation(void) {
	static const struct {
		uint32_t mitigations, kernel;
		uint64_t written;
		bool is_listed;
	} rows[] = {
		{0, SPEC_CTRL_IBRS, 0, false},
		{0, SPEC_CTRL_IBRS, SPEC_CTRL_IBRS, false},
		{0, SPEC_CTRL_IBRS, SPEC_CTRL_SSBD, true},
		{0, 0, SPEC_CTRL_SSBD, true},
		{MITIGATION_BIT(IBRS_ENTRY), SPEC_CTRL_IBRS, SPEC_CTRL_SSBD, false},
	};
	const unsigned stored = 6;

	for (unsigned i = 0; i < array_count(rows); i++) {
		uint64_t value = rows[i].written;

		guest = (struct guest){};
		cpu.spec_ctrl = rows[i].kernel;
		cpu.mitigations = rows[i].mitigations;
		cpu.guest_prepared = &guest;
		fields[VMCS_EXIT_MSR_STORE_COUNT] = stored;
		check(guest_field_write(&guest, VCPU_FIELD_SPEC_CTRL, &value));
		check(!cpu.guest_prepared);
		check_equal(value, rows[i].written);
		if (value) check_equal(spec_ctrl, rows[i].kernel);
		check_equal(fields[VMCS_ENTRY_MSR_LOAD_COUNT], stored + rows[i].is_listed);
		check_equal(fields[VMCS_EXIT_MSR_LOAD_COUNT], stored - 1 + rows[i].is_listed);
		check_equal(guest.vmx.msrs[stored].value, rows[i].written | rows[i].kernel);
	}
}

// Nothing changes, and the kernel's bits are on.
static void speculation_refused(void) {
	static const uint64_t values[] = {1 << 3, 1ul << 32};

	guest = (struct guest){.spec_ctrl = SPEC_CTRL_SSBD};
	spec_ctrl = cpu.spec_ctrl = SPEC_CTRL_IBRS;
	for (unsigned i = 0; i < array_count(values); i++) {
		uint64_t value = values[i];

		check(!guest_field_write(&guest, VCPU_FIELD_SPEC_CTRL, &value));
		check_equal(guest.spec_ctrl, SPEC_CTRL_SSBD);
		check_equal(spec_ctrl, SPEC_CTRL_IBRS);
	}
}

static const struct test tests[] = {
	{"fields-no-timer", "without preemption timer the page's timer has no effect", no_timer},
	{"fields-groups", "each word of the page is loaded and saved", all_groups},
	{"fields-timer-anew", "a timer that is switched on has all of its value left", timer_anew},
	{"fields-speculation", "a guest's SPEC_CTRL adds to the kernel's", speculation},
	{"fields-speculation-refused", "bits that the CPU lacks are refused", speculation_refused},
	{"fields-timer", "the timer's ticks are steps of the CPU's own", timer},
};

int main(void) { return check_run(tests, array_count(tests)); }
