// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs whose guest runs on one core while another one changes something.
#include "scenario.h"

#include <base/compiler.h>
#include <cpu/features.h>

enum { NOTIFICATION = SLOT_OTHERS, VCPU };

#define VM_ENTER \
	{ .kind = STEP_CALL, .number = SYSCALL_VM_ENTER }

// The first thread of core 0 has a virtual CPU, and a bound notification.
static void guest_make(const struct step *program) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_object(OBJECT_VCPU, 0);
	rig_thread(0, program);
	rig_invoke(VCPU, LABEL_VCPU_SET_TCB,
		&(struct invocation_words){.caps = {SLOT_THREAD}, .cap_count = 1});
	rig_invoke(SLOT_THREAD, LABEL_TCB_BIND_NOTIFICATION,
		&(struct invocation_words){.caps = {NOTIFICATION}, .cap_count = 1});
}

// The same with a guest that stays prepared, and runs in a guest space. Returns another one.
static unsigned guest_start(const struct step *program) {
	unsigned space;

	for (unsigned i = 0; i < host.core_count; i++)
		host.cores[i].cpu->features = 1ul << FEATURE_FSGSBASE | 1ul << FEATURE_XSAVEOPT;
	guest_make(program);
	space = rig_guest_space();
	rig_invoke(SLOT_THREAD, LABEL_TCB_SET_EPT_ROOT,
		&(struct invocation_words){.caps = {space}, .cap_count = 1});
	return rig_guest_space();
}

static void signal_and_entry(void) {
	guest_make(PROGRAM(START, VM_ENTER, VM_ENTER));
	rig_thread(1, PROGRAM(START, SEND(NOTIFICATION, 0)));
}

static void suspension_and_entry(void) {
	guest_make(PROGRAM(START, VM_ENTER, VM_ENTER));
	rig_thread(1,
		PROGRAM(START, INVOKE(SLOT_THREAD, LABEL_TCB_SUSPEND, 0),
			INVOKE(SLOT_THREAD, LABEL_TCB_RESUME, 0)));
}

static void deletion_and_entry(void) {
	guest_make(PROGRAM(START, VM_ENTER, YIELD));
	rig_thread(1, PROGRAM(START, DELETE(VCPU)));
}

static void other_thread(void) {
	guest_make(PROGRAM(START, VM_ENTER, YIELD));
	rig_thread(1,
		PROGRAM(START, INVOKE_WITH(VCPU, LABEL_VCPU_SET_TCB, 0, SLOT_THREAD + 1),
			VM_ENTER));
}

static void move_and_entry(void) {
	guest_make(PROGRAM(START, VM_ENTER, VM_ENTER));
	rig_thread(1, PROGRAM(START, CONFIGURE(1, 0), YIELD));
}

// The guest space changes on a core where the guest never was.
static void space_and_move(void) {
	unsigned space = guest_start(PROGRAM(VM_ENTER, VM_ENTER));

	rig_thread(1,
		PROGRAM(START, CONFIGURE(1, 0),
			INVOKE_WITH(SLOT_THREAD, LABEL_TCB_SET_EPT_ROOT, 0, space),
			CONFIGURE(0, 0)));
}

// The guest stays on its core, and gets a thread with another space.
static void space_and_thread(void) {
	unsigned space = guest_start(PROGRAM(VM_ENTER, YIELD));
	unsigned first = rig_object(OBJECT_NOTIFICATION, 0);
	unsigned second = rig_object(OBJECT_NOTIFICATION, 0);

	rig_thread(0, PROGRAM(WAIT(second), VM_ENTER));
	rig_thread(0,
		PROGRAM(WAIT(first), INVOKE_WITH(VCPU, LABEL_VCPU_SET_TCB, 0, SLOT_THREAD + 1),
			SEND(second, 0), WAIT(first)));
	rig_thread(1, PROGRAM(START, SEND(first, 0)));
	rig_invoke(SLOT_THREAD + 1, LABEL_TCB_SET_EPT_ROOT,
		&(struct invocation_words){.caps = {space}, .cap_count = 1});
	rig.threads[1].thread->priority = rig.threads[2].thread->priority = RIG_PRIORITY + 1;
}

// An exit is reported once, whatever the other core does to the thread meanwhile.
static void exit_and_suspension(void) {
	const struct step enter = {.kind = STEP_CALL, .number = SYSCALL_VM_ENTER, .exits = true};

	guest_make(PROGRAM(START, enter, YIELD));
	rig_thread(1,
		PROGRAM(START, INVOKE(SLOT_THREAD, LABEL_TCB_SUSPEND, 0),
			INVOKE(SLOT_THREAD, LABEL_TCB_RESUME, 0)));
}

// The interrupt is taken although the thread that was in the guest is not there any more.
static void interrupt_and_suspension(void) {
	unsigned notification;

	guest_make(PROGRAM(START, VM_ENTER, VM_ENTER));
	notification = rig_object(OBJECT_NOTIFICATION, 0);
	rig_interrupt(notification);
	rig.untaken = cap_object(&rig.slots[notification].cap);
	rig_thread(1,
		PROGRAM(START, DEVICE(0), INVOKE(SLOT_THREAD, LABEL_TCB_SUSPEND, 0),
			INVOKE(SLOT_THREAD, LABEL_TCB_RESUME, 0)));
}

// The thread goes back into its guest, which is on the core that has looked at it meanwhile.
static void look_and_return(void) {
	unsigned first, second;

	guest_make(PROGRAM(VM_ENTER, VM_ENTER));
	first = rig_object(OBJECT_NOTIFICATION, 0);
	second = rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(POLL(second), WAIT(first), WAIT(second)));
	rig.threads[1].thread->priority = RIG_PRIORITY + 1;
	rig_thread(1, PROGRAM(START, SEND(first, 0), INVOKE(VCPU, LABEL_VCPU_SAVE_STATE, 1, 0)));
}

static const struct scenario rows[] = {
	{"GST001", "a signal against the entry of the guest that it ends", signal_and_entry},
	{"GST002", "suspension against the entry of a guest", suspension_and_entry},
	{"GST003", "deletion of a virtual CPU whose guest runs", deletion_and_entry},
	{"GST004", "a virtual CPU goes to a thread of another core", other_thread},
	{"GST005", "a thread in its guest goes to another core", move_and_entry},
	{"GST006", "a device interrupts a guest whose thread is suspended",
		interrupt_and_suspension},
	{"GST007", "a thread gets another guest space on another core, and comes back",
		space_and_move},
	{"GST008", "a virtual CPU goes to a thread with another guest space", space_and_thread},
	{"GST009", "a guest's exit against suspension of its thread", exit_and_suspension},
	{"GST010", "a thread goes back into its guest, which another core has loaded",
		look_and_return},
};

SCENARIOS(guest_scenarios);
