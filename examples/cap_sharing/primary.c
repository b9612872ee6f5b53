// SPDX-License-Identifier: BSD-2-Clause
// Suspends and resumes another component with the capability to its thread.
#include <microkit.h>

enum {
	SECONDARY_CHANNEL = 0,
	SLOT_SECONDARY_SCHED_CONTEXT = 1,
	SLOT_SECONDARY_THREAD = 2,
	SLOT_OWN_THREAD = 4,
};

static void say(const char *text) {
	microkit_dbg_puts("|primary  | ");
	microkit_dbg_puts(text);
	microkit_dbg_putc('\n');
}

static void check(seL4_Error error, const char *what) {
	if (error) say(what);
}

void init(void) {
	seL4_CPtr secondary = microkit_cspace_root_slot_to_cptr(SLOT_SECONDARY_THREAD);
	seL4_CPtr context = microkit_cspace_root_slot_to_cptr(SLOT_SECONDARY_SCHED_CONTEXT);

	say("hello, world");
	check((seL4_Error)seL4_SchedContext_Consumed(context).error, "error: no context");
	say("notifying secondary");
	microkit_notify(SECONDARY_CHANNEL);
	say("suspending secondary");
	check(seL4_TCB_Suspend(secondary), "error: cannot suspend");
	say("notifying secondary (it should not print)");
	microkit_notify(SECONDARY_CHANNEL);
	say("resuming secondary (it should then print)");
	check(seL4_TCB_Resume(secondary), "error: cannot resume");
	say("halting (success)...");
	seL4_TCB_Suspend(microkit_cspace_root_slot_to_cptr(SLOT_OWN_THREAD));
	say("error: still running");
}

void notified(microkit_channel channel) { (void)channel; }
