// SPDX-License-Identifier: BSD-2-Clause
// Messages and signals.
#include "scenario.h"

#include <base/compiler.h>

enum { ENDPOINT = SLOT_OTHERS, NOTIFICATION = SLOT_OTHERS };

static void signal_and_wait(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_copy(NOTIFICATION, RIGHTS_ALL, 5);
	rig_thread(0, PROGRAM(START, WAIT(NOTIFICATION), WAIT(NOTIFICATION)));
	rig_thread(1, PROGRAM(START, SEND(NOTIFICATION + 1, 0)));
}

static void two_signals(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_copy(NOTIFICATION, RIGHTS_ALL, 1);
	rig_copy(NOTIFICATION, RIGHTS_ALL, 2);
	rig_thread(0, PROGRAM(WAIT(NOTIFICATION), WAIT(NOTIFICATION), WAIT(NOTIFICATION)));
	rig_thread(0, PROGRAM(START, SEND(NOTIFICATION + 1, 0)));
	rig_thread(1, PROGRAM(START, SEND(NOTIFICATION + 2, 0)));
}

static void server_start(unsigned core) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(core,
		PROGRAM(RECV(ENDPOINT, SLOT_REPLY), REPLY_RECV(ENDPOINT, SLOT_REPLY, TAG, 7),
			REPLY_RECV(ENDPOINT, SLOT_REPLY, TAG, 8),
			REPLY_RECV(ENDPOINT, SLOT_REPLY, TAG, 9)));
}

static void two_calls(void) {
	server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1)));
	rig_thread(1, PROGRAM(START, CALL(ENDPOINT, TAG, 2)));
}

// A server with no time of its own: it waits, and another thread takes its context away.
static void passive_server_start(unsigned core) {
	server_start(core);
	rig_thread(core,
		PROGRAM(YIELD, INVOKE(SLOT_CONTEXT, LABEL_SCHED_CONTEXT_UNBIND, 0),
			INVOKE(SLOT_THREAD + 1, LABEL_TCB_SUSPEND, 0)));
}

// It is where its caller is.
static void passive_server_of_two(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1)));
	rig_thread(1, PROGRAM(START, CALL(ENDPOINT, TAG, 2)));
}

// It waits between others, at an endpoint that the other core uses.
static void signal_of_bound(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(RECV(ENDPOINT, SLOT_REPLY), YIELD));
	rig_thread(0, PROGRAM(RECV(ENDPOINT, SLOT_REPLY + 1), YIELD));
	rig_thread(1, PROGRAM(POLL(ENDPOINT + 1), RECV(ENDPOINT, SLOT_REPLY + 2), YIELD));
	rig_thread(0, PROGRAM(START, SEND(ENDPOINT, TAG, 1), SEND(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, SEND(ENDPOINT + 1, 0)));
	rig_invoke(SLOT_THREAD + 2, LABEL_TCB_BIND_NOTIFICATION,
		&(struct invocation_words){.cap_count = 1, .caps = {ENDPOINT + 1}});
}

static void deletion_and_call(void) {
	server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1)));
	rig_thread(1, PROGRAM(START, DELETE(ENDPOINT)));
}

static void deletion_and_local_call(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, DELETE(ENDPOINT)));
}

static void suspension_and_donation(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1)));
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_THREAD, LABEL_TCB_SUSPEND, 0)));
}

static void suspension_of_caller(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1,
		PROGRAM(START, INVOKE(SLOT_THREAD + 2, LABEL_TCB_SUSPEND, 0),
			INVOKE(SLOT_THREAD + 2, LABEL_TCB_RESUME, 0)));
}

static void deletion_of_caller(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_THREAD + 2)));
}

static void deletion_of_server(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_THREAD)));
}

static void deletion_of_reply(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_REPLY)));
}

static void deletion_of_context(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(1, PROGRAM(START, DELETE(SLOT_CONTEXT + 2)));
}

static void cancellation_and_send(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_copy(ENDPOINT, RIGHTS_ALL, 5);
	rig_thread(0, PROGRAM(START, SEND(ENDPOINT + 1, TAG, 1)));
	rig_thread(1,
		PROGRAM(START,
			INVOKE(SLOT_CNODE, LABEL_CNODE_CANCEL_BADGED_SENDS, 2, ENDPOINT + 1, 64),
			RECV(ENDPOINT, SLOT_REPLY + 1)));
}

static void bound_signal(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(START, RECV(NOTIFICATION + 1, SLOT_REPLY)));
	rig_thread(1, PROGRAM(START, SEND(NOTIFICATION, 0)));
	rig_invoke(SLOT_THREAD, LABEL_TCB_BIND_NOTIFICATION,
		&(struct invocation_words){.caps = {NOTIFICATION}, .cap_count = 1});
}

#define TIME(us) \
	{ .kind = STEP_TIME, .number = (us)*HOST_TICKS_PER_US }

// The caller's context has a budget that is used up before the reply comes: its timeout handler is
// called, by the core of the server or by its own.
static void reply_and_timeout(void) {
	unsigned handlers;

	server_start(1);
	handlers = rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(START, TIME(900), CALL(ENDPOINT, TAG, 1), CALL(ENDPOINT, TAG, 2)));
	rig_thread(0,
		PROGRAM(RECV(handlers, SLOT_REPLY + 2), REPLY_RECV(handlers, SLOT_REPLY + 2, 0)));
	rig_thread(0, PROGRAM(START, TIME(990), YIELD));
	rig_budget(1, 1000, 5000);
	rig_invoke(SLOT_THREAD + 1, LABEL_TCB_SET_TIMEOUT_ENDPOINT,
		&(struct invocation_words){.caps = {handlers}, .cap_count = 1});
}

// A turn ends while the thread's context is with a passive server that another core stops.
static void timeout_and_suspension(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), TIME(11000), YIELD));
	rig_thread(1, PROGRAM(START, INVOKE(SLOT_THREAD, LABEL_TCB_SUSPEND, 0)));
}

static void fault_and_handler(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(1,
		PROGRAM(RECV(ENDPOINT, SLOT_REPLY),
			REPLY_RECV(ENDPOINT, SLOT_REPLY, 3, RIG_TEXT + 4, 0, 0)));
	rig_thread(0, PROGRAM(START, {.kind = STEP_FAULT}, YIELD));
	rig_thread(1, PROGRAM(START, DELETE(ENDPOINT)));
	rig_handler(1, ENDPOINT);
}

// The endpoint belongs to the caller's core, its first receiver to another one.
static void receiver_elsewhere(void) {
	passive_server_start(0);
	rig_thread(1, PROGRAM(RECV(ENDPOINT, SLOT_REPLY + 2)));
	rig_thread(1, PROGRAM(START, POLL(ENDPOINT), CALL(ENDPOINT, TAG, 1), YIELD));
	rig_thread(0, PROGRAM(START, YIELD));
}

// The context goes to another core while the server has it, and so does the server, but not the
// caller.
static void caller_elsewhere(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(YIELD, YIELD, CALL(ENDPOINT, TAG, 1)));
	rig_thread(1,
		PROGRAM(START, CONFIGURE(1, 2),
			{.kind = STEP_CALL, .number = SYSCALL_NB_SEND, .rdi = ENDPOINT}, YIELD));
	rig.threads[0].program[2] = rig.threads[0].program[1];
	rig.threads[0].program[1] = (struct step)START;
}

// The same of a notification and who waits for it.
static void waiter_elsewhere(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_thread(0, PROGRAM(WAIT(NOTIFICATION), YIELD));
	rig.threads[0].thread->priority = RIG_PRIORITY + 1;
	rig_thread(1, PROGRAM(WAIT(NOTIFICATION)));
	rig_thread(1, PROGRAM(START, SEND(NOTIFICATION, 0)));
	rig_thread(0, PROGRAM(START, YIELD));
}

// A context goes to an idle core while a passive server has it: so does the server.
static void server_moves(void) {
	passive_server_start(0);
	rig_thread(0, PROGRAM(START, CALL(ENDPOINT, TAG, 1), YIELD));
	rig_thread(0, PROGRAM(START, CONFIGURE(1, 2), YIELD));
	rig_thread(1, PROGRAM(START, WAIT(rig_object(OBJECT_NOTIFICATION, 0))));
	rig.threads[0].program[2] = rig.threads[0].program[1];
	rig.threads[0].program[1] = (struct step)YIELD;
}

// It is preempted behind each sender, and others use the endpoint then.
static void cancellation_and_others(void) {
	const struct step poll = {.kind = STEP_CALL, .number = SYSCALL_NB_SEND, .rdi = ENDPOINT};

	rig_object(OBJECT_ENDPOINT, 0);
	rig_copy(ENDPOINT, RIGHTS_ALL, 5);
	for (unsigned i = 0; i < 2; i++)
		rig_thread(0, PROGRAM(SEND(ENDPOINT, TAG, 1)));
	rig_thread(0,
		PROGRAM(START,
			INVOKE(SLOT_CNODE, LABEL_CNODE_CANCEL_BADGED_SENDS, 2, ENDPOINT + 1, 64)));
	rig_thread(1, PROGRAM(START, poll, poll, poll, poll));
	host.preempt_period = 1;
}

// A device interrupts core 0, whose entry stays with what is its own.

static void device_and_signals(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_interrupt(NOTIFICATION);
	rig_thread(0, PROGRAM(START, WAIT(NOTIFICATION)));
	rig_thread(1, PROGRAM(START, DEVICE(0), SEND(NOTIFICATION, 0), SEND(NOTIFICATION, 0)));
}

static void device_of_waiter_elsewhere(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_interrupt(NOTIFICATION);
	rig_thread(1, PROGRAM(WAIT(NOTIFICATION)));
	rig_thread(0, PROGRAM(START, POLL(NOTIFICATION), YIELD));
	rig_thread(1, PROGRAM(START, DEVICE(0), YIELD));
}

static void device_of_bound(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_interrupt(ENDPOINT + 1);
	rig_thread(0, PROGRAM(POLL(ENDPOINT + 1), RECV(ENDPOINT, SLOT_REPLY), YIELD));
	for (unsigned i = 1; i <= 2; i++) {
		rig_thread(1, PROGRAM(RECV(ENDPOINT, SLOT_REPLY + i)));
		rig.threads[i].thread->priority = RIG_PRIORITY + 1;
	}
	rig_thread(1, PROGRAM(START, DEVICE(0), SEND(ENDPOINT, TAG, 1), SEND(ENDPOINT, TAG, 2)));
	rig_invoke(SLOT_THREAD, LABEL_TCB_BIND_NOTIFICATION,
		&(struct invocation_words){.cap_count = 1, .caps = {ENDPOINT + 1}});
}

static void device_and_deletion(void) {
	rig_object(OBJECT_NOTIFICATION, 0);
	rig_interrupt(NOTIFICATION);
	rig_thread(0, PROGRAM(WAIT(NOTIFICATION), WAIT(NOTIFICATION)));
	rig_thread(1, PROGRAM(START, DEVICE(0), DELETE(NOTIFICATION)));
}

// Each at its core's own endpoint.
static void one_reply(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(POLL(ENDPOINT), START, RECV(ENDPOINT, SLOT_REPLY)));
	rig_thread(1, PROGRAM(POLL(ENDPOINT + 1), START, RECV(ENDPOINT + 1, SLOT_REPLY)));
}

// The turn is over when the system call comes, before the timer: it takes no reply object.
static void turn_and_reply(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(POLL(ENDPOINT), START, TIME(990), RECV(ENDPOINT, SLOT_REPLY)));
	rig_thread(1, PROGRAM(START, YIELD));
	rig_budget(0, 1000, 5000);
}

// The fault goes to a handler that has time of its own; another core receives with its reply
// object.
static void fault_and_reply(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(RECV(ENDPOINT, SLOT_REPLY)));
	rig_thread(0, PROGRAM(START, {.kind = STEP_FAULT}));
	rig_thread(1, PROGRAM(POLL(ENDPOINT + 1), START, RECV(ENDPOINT + 1, SLOT_REPLY)));
	rig_handler(1, ENDPOINT);
}

// A turn ends whose timeout handler waits at an endpoint of the other core.
static void turn_and_sends(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(0, PROGRAM(START, TIME(1100), YIELD));
	rig_thread(1,
		PROGRAM(RECV(ENDPOINT, SLOT_REPLY + 1), RECV(ENDPOINT, SLOT_REPLY + 1),
			RECV(ENDPOINT, SLOT_REPLY + 1)));
	rig_thread(1, PROGRAM(START, SEND(ENDPOINT, TAG, 1), SEND(ENDPOINT, TAG, 2)));
	rig_budget(0, 1000, 5000);
	rig_invoke(SLOT_THREAD, LABEL_TCB_SET_TIMEOUT_ENDPOINT,
		&(struct invocation_words){.caps = {ENDPOINT}, .cap_count = 1});
}

// The endpoint belongs to the core of the fault, the handler to the other one.
static void handler_elsewhere(void) {
	rig_object(OBJECT_ENDPOINT, 0);
	rig_thread(1, PROGRAM(RECV(ENDPOINT, SLOT_REPLY)));
	rig_thread(0, PROGRAM(START, POLL(ENDPOINT), {.kind = STEP_FAULT}, YIELD));
	rig_thread(1, PROGRAM(START, YIELD, YIELD));
	rig_handler(1, ENDPOINT);
}

static const struct scenario rows[] = {
	{"MSG001", "a signal against the wait for it", signal_and_wait},
	{"MSG002", "two signals to one waiter", two_signals},
	{"MSG003", "calls from two cores to a server", two_calls},
	{"MSG004", "calls from two cores to a passive server", passive_server_of_two},
	{"MSG005", "deletion of an endpoint against a call", deletion_and_call},
	{"MSG006", "the same on the fast path", deletion_and_local_call},
	{"MSG007", "donation against suspension of the server", suspension_and_donation},
	{"MSG008", "donation against suspension and resumption of the caller",
		suspension_of_caller},
	{"MSG009", "donation against deletion of the caller", deletion_of_caller},
	{"MSG010", "donation against deletion of the server", deletion_of_server},
	{"MSG011", "donation against deletion of the reply object", deletion_of_reply},
	{"MSG012", "donation against deletion of the context", deletion_of_context},
	{"MSG013", "cancellation of sends against a send and the receiver", cancellation_and_send},
	{"MSG014", "a signal to a bound thread against its receive", bound_signal},
	{"MSG015", "a reply from another core against the end of a turn", reply_and_timeout},
	{"MSG016", "the end of a donated turn against suspension", timeout_and_suspension},
	{"MSG017", "a fault against deletion of its handler's endpoint", fault_and_handler},
	{"MSG018", "a call to a receiver of another core", receiver_elsewhere},
	{"MSG019", "an answer to a caller of another core", caller_elsewhere},
	{"MSG020", "a signal to a waiter of another core", waiter_elsewhere},
	{"MSG021", "a bound thread is signalled while the other core uses its endpoint",
		signal_of_bound},
	{"MSG022", "a context goes to another core while a passive server has it", server_moves},
	{"MSG023", "cancellation of sends comes to an end while another core uses the endpoint",
		cancellation_and_others},
	{"MSG024", "a device's interrupt against another core's signals", device_and_signals},
	{"MSG025", "a device interrupts another core than that of who waits",
		device_of_waiter_elsewhere},
	{"MSG026", "a device signals a bound thread while the other core uses its endpoint",
		device_of_bound},
	{"MSG027", "a device's interrupt against deletion of its notification",
		device_and_deletion},
	{"MSG028", "two cores receive with the same free reply object", one_reply},
	{"MSG029", "the end of a turn against sends to its timeout handler", turn_and_sends},
	{"MSG030", "a fault whose handler is on another core", handler_elsewhere},
	{"MSG031", "a turn that is over takes no reply object", turn_and_reply},
	{"MSG032", "a fault against a receive with its handler's reply object", fault_and_reply},
};

SCENARIOS(message_scenarios);
