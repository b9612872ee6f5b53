// SPDX-License-Identifier: BSD-2-Clause
// Tests: every refusal of the TCB operations.
#include "world.h"

static uint64_t tcb_make(void) { return object_new(OBJECT_TCB, 0); }

static void truncated(void) {
	static const struct {
		uint64_t label;
		unsigned words;
		unsigned caps;
	} rows[] = {
		{LABEL_TCB_READ_REGISTERS, 2, 0},
		{LABEL_TCB_WRITE_REGISTERS, 2, 0},
		{LABEL_TCB_COPY_REGISTERS, 1, 1},
		{LABEL_TCB_CONFIGURE, 3, 3},
		{LABEL_TCB_SET_PRIORITY, 1, 1},
		{LABEL_TCB_SET_MC_PRIORITY, 1, 1},
		{LABEL_TCB_SET_SCHED_PARAMS, 2, 3},
		{LABEL_TCB_SET_TIMEOUT_ENDPOINT, 0, 1},
		{LABEL_TCB_SET_IPC_BUFFER, 1, 1},
		{LABEL_TCB_SET_SPACE, 2, 3},
		{LABEL_TCB_BIND_NOTIFICATION, 0, 1},
		{LABEL_TCB_SET_TLS_BASE, 1, 0},
		{LABEL_TCB_SET_FLAGS, 2, 0},
	};
	static const uint64_t zeros[4];
	static const uint64_t nulls[4];
	uint64_t tcb = tcb_make();

	for (unsigned row = 0; row < array_count(rows); row++) {
		if (rows[row].words != 0)
			CHECK_ERROR(
				invoke(tcb, rows[row].label, (struct words){rows[row].caps, nulls},
					(struct words){rows[row].words - 1, zeros}),
				ERROR_TRUNCATED_MESSAGE);
		if (rows[row].caps != 0)
			CHECK_ERROR(invoke(tcb, rows[row].label,
					    (struct words){rows[row].caps - 1, nulls},
					    (struct words){rows[row].words, zeros}),
				ERROR_TRUNCATED_MESSAGE);
	}
}

static void read_registers(void) {
	uint64_t tcb = tcb_make();

	CHECK_ERROR(invoke(tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, 0)), ERROR_RANGE, 1, 20);
	CHECK_ERROR(
		invoke(tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, 21)), ERROR_RANGE, 1, 20);
	CHECK_ERROR(invoke(ROOT_SLOT_TCB, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, 20)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_TCB, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(0, 0)),
		ERROR_RANGE, 1, 20);
}

static void write_registers(void) {
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_WRITE_REGISTERS, CAPS(), WORDS(0, 3, 0, 0)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(ROOT_SLOT_TCB, LABEL_TCB_WRITE_REGISTERS, CAPS(), WORDS(0, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void copy_registers(void) {
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_COPY_REGISTERS, CAPS(ROOT_SLOT_CNODE), WORDS(0)),
		ERROR_INVALID_CAPABILITY, 1);
}

static void configure_buffer(void) {
	uint64_t tcb = tcb_make();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	CHECK_ERROR(
		invoke(tcb, LABEL_TCB_CONFIGURE,
			CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, ROOT_SLOT_TCB), WORDS(0, 0, 1024)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE,
			    CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, NULL_CAP), WORDS(0, 0, 1024)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, frame),
			    WORDS(0, 0, 1000)),
		ERROR_ALIGNMENT);
	CHECK_OK(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, frame),
		WORDS(0, 0, 1024)));
}

static void configure_underived(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);

	(void)object_new_in(untyped, OBJECT_ENDPOINT, 0);
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_CONFIGURE,
			    CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, untyped), WORDS(0, 0, 1024)),
		ERROR_REVOKE_FIRST);
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_SET_IPC_BUFFER, CAPS(untyped), WORDS(1024)),
		ERROR_REVOKE_FIRST);
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_CONFIGURE,
			    CAPS(untyped, ROOT_SLOT_SPACE, NULL_CAP), WORDS(0, 0, 0)),
		ERROR_REVOKE_FIRST);
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_SET_SPACE,
			    CAPS(NULL_CAP, untyped, ROOT_SLOT_SPACE), WORDS(0, 0)),
		ERROR_REVOKE_FIRST);
}

static void configure_roots(void) {
	uint64_t tcb = tcb_make();
	uint64_t space = object_new(OBJECT_PML4, 0);

	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(ROOT_SLOT_TCB, ROOT_SLOT_SPACE, NULL_CAP),
			    WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(NULL_CAP, ROOT_SLOT_SPACE, NULL_CAP),
			    WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE,
			    CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, NULL_CAP), WORDS(53, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(ROOT_SLOT_CNODE, space, NULL_CAP),
			    WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE,
			    CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_CNODE, NULL_CAP), WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_CONFIGURE, CAPS(ROOT_SLOT_CNODE, NULL_CAP, NULL_CAP),
			    WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void set_space(void) {
	uint64_t tcb = tcb_make();
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t receive_only = cap_copy_rights(endpoint, RIGHT_READ | RIGHT_GRANT);

	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_SPACE, CAPS(endpoint, ROOT_SLOT_TCB, ROOT_SLOT_SPACE),
			    WORDS(0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_SPACE,
			    CAPS(endpoint, ROOT_SLOT_CNODE, ROOT_SLOT_SPACE), WORDS(53, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_SPACE, CAPS(endpoint, ROOT_SLOT_CNODE, ROOT_SLOT_TCB),
			    WORDS(0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_SPACE,
			    CAPS(receive_only, ROOT_SLOT_CNODE, ROOT_SLOT_SPACE), WORDS(0, 0)),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_SPACE,
			    CAPS(ROOT_SLOT_TCB, ROOT_SLOT_CNODE, ROOT_SLOT_SPACE), WORDS(0, 0)),
		ERROR_INVALID_CAPABILITY, 1);
}

static void priorities(void) {
	uint64_t tcb = tcb_make();
	uint64_t authority = tcb_make();

	CHECK_OK(invoke(authority, LABEL_TCB_SET_MC_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(40)));
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_CNODE), WORDS(1)),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_PRIORITY, CAPS(authority), WORDS(41)), ERROR_RANGE, 0,
		40);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(256)),
		ERROR_RANGE, 0, 255);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_MC_PRIORITY, CAPS(NULL_CAP), WORDS(1)),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_MC_PRIORITY, CAPS(authority), WORDS(~0ul)),
		ERROR_RANGE, 0, 40);
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_MC_PRIORITY, CAPS(authority), WORDS(40)));
}

static struct message sched_params(uint64_t tcb, struct words caps) {
	return invoke(tcb, LABEL_TCB_SET_SCHED_PARAMS, caps, WORDS(40, 30));
}

static void sched_params_ranges(void) {
	uint64_t tcb = tcb_make();
	uint64_t authority = tcb_make();
	struct words caps = CAPS(authority, NULL_CAP, NULL_CAP);

	CHECK_OK(invoke(authority, LABEL_TCB_SET_MC_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(40)));
	CHECK_ERROR(
		sched_params(tcb, CAPS(NULL_CAP, NULL_CAP, NULL_CAP)), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(
		invoke(tcb, LABEL_TCB_SET_SCHED_PARAMS, caps, WORDS(41, 50)), ERROR_RANGE, 0, 40);
	CHECK_ERROR(
		invoke(tcb, LABEL_TCB_SET_SCHED_PARAMS, caps, WORDS(40, 41)), ERROR_RANGE, 0, 40);
	CHECK_OK(sched_params(tcb, caps));
}

static void sched_params_bound(void) {
	struct sched_setting setting = {.budget = TIME_SLICE, .period = TIME_SLICE};
	uint64_t first = sched_context_make(setting);
	uint64_t second = sched_context_make(setting);
	uint64_t tcb = tcb_make();

	CHECK_OK(sched_params(tcb, CAPS(ROOT_SLOT_TCB, first, NULL_CAP)));
	CHECK_OK(sched_params(tcb, CAPS(ROOT_SLOT_TCB, first, NULL_CAP)));
	CHECK_ERROR(
		sched_params(tcb, CAPS(ROOT_SLOT_TCB, second, NULL_CAP)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(sched_params(tcb_make(), CAPS(ROOT_SLOT_TCB, first, NULL_CAP)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_TCB, LABEL_TCB_SET_SCHED_PARAMS,
			    CAPS(ROOT_SLOT_TCB, NULL_CAP, NULL_CAP), WORDS(255, PRIORITY_MAIN)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(sched_params(tcb_make(), CAPS(ROOT_SLOT_TCB, ROOT_SLOT_CNODE, NULL_CAP)),
		ERROR_INVALID_CAPABILITY, 2);
}

static void wait_for_signal(struct helper *helper) { (void)ipc_wait(helper->argument[0]); }

static void sched_params_unreleased(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t unconfigured = object_new(OBJECT_SCHED_CONTEXT, 8);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_for_signal);
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_ERROR(sched_params(helper->tcb, CAPS(ROOT_SLOT_TCB, unconfigured, NULL_CAP)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(unconfigured, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(sched_params(helper->tcb, CAPS(ROOT_SLOT_TCB, helper->sched_context, NULL_CAP)));
}

static void fault_handlers(void) {
	uint64_t tcb = tcb_make();
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t no_grant = cap_copy_rights(endpoint, RIGHT_READ | RIGHT_WRITE);
	uint64_t reply_right = cap_copy_rights(endpoint, RIGHT_WRITE | RIGHT_GRANT_REPLY);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	CHECK_ERROR(sched_params(tcb, CAPS(ROOT_SLOT_TCB, NULL_CAP, no_grant)),
		ERROR_INVALID_CAPABILITY, 3);
	CHECK_ERROR(sched_params(tcb, CAPS(ROOT_SLOT_TCB, NULL_CAP, notification)),
		ERROR_INVALID_CAPABILITY, 3);
	CHECK_OK(sched_params(tcb, CAPS(ROOT_SLOT_TCB, NULL_CAP, reply_right)));
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAPS(no_grant), WORDS()),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAPS(notification), WORDS()),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAPS(reply_right), WORDS()));
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_TIMEOUT_ENDPOINT, CAPS(NULL_CAP), WORDS()));
}

static void ipc_buffer(void) {
	uint64_t tcb = tcb_make();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(ROOT_SLOT_TCB), WORDS(1024)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(NULL_CAP), WORDS(1024)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(
		invoke(tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(frame), WORDS(512)), ERROR_ALIGNMENT);
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(frame), WORDS(1024)));
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(NULL_CAP), WORDS(0)));
}

static void bind_notification(void) {
	uint64_t tcb = tcb_make();
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t write_only = cap_copy_rights(notification, RIGHT_WRITE);

	CHECK_ERROR(invoke(tcb, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(ROOT_SLOT_TCB), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(write_only), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(invoke(tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
	CHECK_ERROR(invoke(tcb, LABEL_TCB_BIND_NOTIFICATION,
			    CAPS(object_new(OBJECT_NOTIFICATION, 0)), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb_make(), LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(invoke(tcb, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS()));
	CHECK_OK(invoke(tcb_make(), LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
}

static void bind_waited(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_for_signal);
	settle();
	CHECK_ERROR(
		invoke(tcb_make(), LABEL_TCB_BIND_NOTIFICATION, CAPS(helper->argument[0]), WORDS()),
		ERROR_ILLEGAL_OPERATION);
}

static void ept_root(void) {
	uint64_t tcb = tcb_make();

	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_EPT_ROOT, CAPS(), WORDS()), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_EPT_ROOT, CAPS(ROOT_SLOT_SPACE), WORDS()),
		ERROR_ILLEGAL_OPERATION);
}

static const struct test tests[] = {
	{"tcb-truncated", "each operation wants its words and extra capabilities", truncated,
		"TCBReadRegisters/1 TCBWriteRegisters/1 TCBCopyRegisters/1 TCBConfigure/1 "
		"TCBSetPriority/1 TCBSetMCPriority/1 TCBSetSchedParams/1 TCBSetTimeoutEndpoint/1 "
		"TCBSetIPCBuffer/1 TCBSetSpace/1 TCBBindNotification/1 TCBSetTLSBase/1 "
		"TCBSetFlags/1"},
	{"tcb-read-range", "1 to 20 registers are read, never one's own", read_registers,
		"TCBReadRegisters/2 TCBReadRegisters/3"},
	{"tcb-write-length", "as many words as counted must be there, never for oneself",
		write_registers, "TCBWriteRegisters/2 TCBWriteRegisters/3"},
	{"tcb-copy-source", "CopyRegisters wants a TCB", copy_registers, "TCBCopyRegisters/2"},
	{"tcb-configure-buffer", "Configure wants an aligned RAM frame as buffer", configure_buffer,
		"TCBConfigure/3 TCBConfigure/4"},
	{"tcb-configure-derive", "roots and buffers that cannot be derived are refused",
		configure_underived,
		"TCBConfigure/2 TCBConfigure/6 TCBSetIPCBuffer/2 TCBSetSpace/3"},
	{"tcb-configure-roots", "Configure wants a CNode and a PML4 with ASID", configure_roots,
		"TCBConfigure/7 TCBConfigure/8 TCBConfigure/9"},
	{"tcb-space", "SetSpace checks roots first, then the fault handler", set_space,
		"TCBSetSpace/4 TCBSetSpace/5 TCBSetSpace/6"},
	{"tcb-priorities", "priorities stay below the authority's limit", priorities,
		"TCBSetPriority/2 TCBSetPriority/3 TCBSetMCPriority/2 TCBSetMCPriority/3"},
	{"tcb-sched-ranges", "SetSchedParams checks authority, limit and priority",
		sched_params_ranges, "TCBSetSchedParams/2 TCBSetSchedParams/3 TCBSetSchedParams/4"},
	{"tcb-sched-bound", "SetSchedParams refuses bound contexts, oneself and other kinds",
		sched_params_bound,
		"TCBSetSchedParams/5 TCBSetSchedParams/6 TCBSetSchedParams/8 TCBSetSchedParams/9"},
	{"tcb-sched-unreleased", "a blocked thread takes no scheduling context without budget",
		sched_params_unreleased, "TCBSetSchedParams/7 SchedContextBind/3"},
	{"tcb-handlers", "a fault handler needs Write and one of the grant rights", fault_handlers,
		"TCBSetSchedParams/10 TCBSetTimeoutEndpoint/0 TCBSetTimeoutEndpoint/2"},
	{"tcb-buffer-errors", "SetIPCBuffer wants an aligned frame, or address 0", ipc_buffer,
		"TCBSetIPCBuffer/3 TCBSetIPCBuffer/4"},
	{"tcb-bind", "a notification is bound once, with Read, to a TCB that has none",
		bind_notification,
		"TCBBindNotification/0 TCBBindNotification/2 TCBBindNotification/3 "
		"TCBBindNotification/4 TCBBindNotification/5 TCBUnbindNotification/0 "
		"TCBUnbindNotification/1"},
	{"tcb-bind-waited", "a notification with waiters cannot be bound", bind_waited,
		"TCBBindNotification/5"},
	{"tcb-ept-root", "SetEPTRoot wants an EPT PML4", ept_root,
		"TCBSetEPTRoot/1 TCBSetEPTRoot/2"},
};

TEST_FILE(tcb_errors);
