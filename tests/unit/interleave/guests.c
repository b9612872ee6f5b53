// SPDX-License-Identifier: BSD-2-Clause
// An engine whose guests do nothing until an interrupt comes, or they ask for something at once:
// the reason is how often guests have asked.
#include "guests.h"

#include "../host/host.h"
#include "explore.h"
#include "rig.h"

#include <cap/invocation.h>
#include <cpu/features.h>
#include <memory/space.h>
#include <object/vcpu.h>
#include <stdlib.h>

uint64_t fpu_guest_xcr0(size_t) { return 3; }

struct cpuid cpuid_leaf(uint32_t, uint32_t) {
	return (struct cpuid){};
}

uint64_t dr0_read(void) { return 0; }

void dr0_write(uint64_t) {}

uint64_t dr1_read(void) { return 0; }

void dr1_write(uint64_t) {}

uint64_t dr2_read(void) { return 0; }

void dr2_write(uint64_t) {}

uint64_t dr3_read(void) { return 0; }

void dr3_write(uint64_t) {}

void msr_write(uint32_t, uint64_t) {}

void xcr0_write(uint64_t) {}

// None of these is called: no thread has a state page here, and scenarios read no registers.
#define NO_HANDLER(name) \
	enum error name(struct invocation *) { abort(); }

NO_HANDLER(vcpu_read_vmcs)
NO_HANDLER(vcpu_write_vmcs)
NO_HANDLER(vcpu_read_msr)
NO_HANDLER(vcpu_write_msr)
NO_HANDLER(vcpu_write_registers)
NO_HANDLER(vcpu_set_msr_access)
#undef NO_HANDLER

enum error vcpu_save_state(struct invocation *invocation) {
	guest_load(&((struct vcpu *)cap_object(&invocation->slot->cap))->guest);
	return ERROR_NONE;
}

const uint8_t vcpu_register_order[VCPU_REGISTERS];

int guest_page_load(struct guest *) { abort(); }

void guest_page_save(struct guest *, uint64_t) { abort(); }

void guest_page_give(struct guest *, struct vcpu_state_page *) { abort(); }

void guest_page_take(struct guest *) { abort(); }

static void create(struct guest *, void *, const void *) {}

static void unload(struct guest *guest) {
	if (this_cpu()->vmcs_loaded == guest) this_cpu()->vmcs_loaded = NULL;
}

static void arrive(struct guest *) {}

// What one core has loaded no other one may use.
static void load(struct guest *guest) {
	for (unsigned i = 0; i < host.core_count; i++)
		if (host.cores[i].cpu != this_cpu() && host.cores[i].cpu->vmcs_loaded == guest)
			explore_fail("a guest is loaded on two cores");
	this_cpu()->vmcs_loaded = guest;
}

static void prepare(struct cpu *cpu, struct guest *guest, physical_t space) {
	guest->host_root = cpu->space_root;
	rig.prepared[cpu->number] = space.value;
}

static void enter(struct cpu *cpu, struct guest *guest, struct context *context, uint64_t) {
	const struct cap *space = &cpu->current->slots[THREAD_GUEST_SPACE].cap;

	if (cpu->vmcs_loaded != guest) explore_fail("a guest is entered that is not loaded");
	if (rig.prepared[cpu->number] != space_guest_root(space).value)
		explore_fail("a guest is entered with a space that its thread has not");
	if (cpu->bases_loaded) bases_save(context);
	cpu->bases_loaded = false;
	fpu_give(&guest->fpu);
}

static uint64_t leave(struct guest *) {
	unsigned vector = host_core()->in_service;

	return vector ? vector : (uint64_t)GUEST_EXIT_DONE + ++rig.exits;
}

static uint64_t report(struct guest *, uint64_t reason, uint64_t) { return reason; }

static void timer_reset(struct guest *) {}

static void words_load(struct guest *, const struct context *) {}

static void words_save(const struct guest *, struct context *) {}

static uint64_t *exit_words(struct guest *, uint64_t, uint64_t *word) { return word; }

const struct guest_engine guest_idle = {
	.create = create,
	.unload = unload,
	.arrive = arrive,
	.load = load,
	.prepare = prepare,
	.enter = enter,
	.exit = leave,
	.report = report,
	.timer_reset = timer_reset,
	.words_load = words_load,
	.words_save = words_save,
	.exit_words = exit_words,
};
