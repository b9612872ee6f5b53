// SPDX-License-Identifier: BSD-2-Clause
// Fields and the state page on a CPU without VMX-preemption timer, which no emulator has.
#include "../check.h"

#include <base/compiler.h>
#include <guest/vmx/internal.h>
#include <stdlib.h>

uint64_t fields[0x8000];
enum vmcs_field lacking;

static const struct guest_engine engine = {
	.field_write = vmx_field_write, .field_get = vmx_field_get};
static struct cpu cpu = {.engine = &engine};
static struct vcpu_state_page page;
static struct guest guest;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

bool guest_xcr0_write(struct guest *, uint64_t *) { return true; }

void guest_debug_take(struct guest *) {}

uint64_t vmx_apply(enum vmx_word word, uint64_t value) {
	bool may = word != VMX_PIN || guest.vmx.has_timer;

	return may ? value : value & ~(uint64_t)PIN_TIMER;
}

static void no_timer(void) {
	uint64_t value = 1000;

	lacking = VMCS_PREEMPTION_TIMER;
	guest = (struct guest){.page = &page};
	page.timer = 1000;
	page.dirty = UINT64_MAX;
	check_equal(guest_page_load(&guest), -1);
	check_equal(page.dirty, 0);
	check_equal(fields[VMCS_PIN_CONTROLS], 0);
	check(vmx_field_write(&guest, VCPU_FIELD_TIMER, &value));
	check(!vmx_field_write(&guest, VMCS_PREEMPTION_TIMER, &value));
}

static void timer(void) {
	uint64_t value = 1000;

	lacking = 0;
	guest = (struct guest){.vmx = {.has_timer = 1, .timer_rate = 5}};
	check(vmx_field_write(&guest, VCPU_FIELD_TIMER, &value));
	check_equal(value, 1000);
	check_equal(fields[VMCS_PREEMPTION_TIMER], 1000 >> 5);
	check_equal(fields[VMCS_PIN_CONTROLS], PIN_TIMER);
}

// Switched off while a thread that is suspended runs the guest, and on again after that run.
static void timer_anew(void) {
	uint64_t value = PIN_TIMER;

	lacking = 0;
	guest = (struct guest){.vmx = {.has_timer = 1, .timer_value = 100, .timer_left = 40}};
	check(vmx_field_write(&guest, VMCS_PIN_CONTROLS, &value));
	check_equal(guest.vmx.timer_left, 100);
}

static const struct test tests[] = {
	{"fields-no-timer", "without preemption timer the page's timer has no effect", no_timer},
	{"fields-timer-anew", "a timer that is switched on has all of its value left", timer_anew},
	{"fields-timer", "the timer's ticks are steps of the CPU's own", timer},
};

int main(void) { return check_run(tests, array_count(tests)); }
