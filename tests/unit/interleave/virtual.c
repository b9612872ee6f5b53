// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs whose guest runs on one core while another one changes something.
#include "scenario.h"

#include <base/compiler.h>

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
	rig_thread(1,
		PROGRAM(START,
			INVOKE_WITH(SLOT_CONTROL + 1, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, 5,
				SLOT_CONTEXT, 10000, 10000),
			YIELD));
}

static const struct scenario rows[] = {
	{"GST001", "a signal against the entry of the guest that it ends", signal_and_entry},
	{"GST002", "suspension against the entry of a guest", suspension_and_entry},
	{"GST003", "deletion of a virtual CPU whose guest runs", deletion_and_entry},
	{"GST004", "a virtual CPU goes to a thread of another core", other_thread},
	{"GST005", "a thread in its guest goes to another core", move_and_entry},
};

SCENARIOS(guest_scenarios);
