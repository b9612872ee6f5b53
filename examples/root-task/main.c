// SPDX-License-Identifier: BSD-2-Clause
// The smallest initial task that does something: makes a thread, exchanges one message with it,
// and ends the machine. Start it with `./nacre boot --kernel-only`.
#include <sel4/sel4.h>

#include <user/print.h>
#include <user/root/root.h>
#include <user/untyped.h>

enum {
	STACK_BYTES = 4096,
	BUDGET_US = 1000,
	PERIOD_US = 10000,
	PRIORITY = 100,
	FULL_ACCESS = 15,
};

static seL4_CPtr endpoint;
static seL4_CPtr reply;
static _Alignas(16) unsigned char stack[STACK_BYTES];

// The second thread: answers each number with its square.
[[gnu::noreturn]] static void square_server(void) {
	seL4_Word badge;
	seL4_Word number = 0;
	seL4_MessageInfo_t info = seL4_RecvWithMRs(
		endpoint, &badge, &number, NULL, NULL, NULL, reply);

	for (;;) {
		number *= number;
		info = seL4_MessageInfo_new(0, 0, 0, 1);
		info = seL4_ReplyRecvWithMRs(
			endpoint, info, &badge, &number, NULL, NULL, NULL, reply);
	}
}

static seL4_Error start_server(const seL4_BootInfo *bootinfo) {
	seL4_CPtr tcb = object_make(seL4_TCBObject, 0);
	seL4_CPtr context = object_make(seL4_SchedContextObject, seL4_MinSchedContextBits);
	seL4_UserContext registers = {
		.rip = (seL4_Word)square_server,
		// As after a call: the ABI wants rsp 8 below a multiple of 16 at a function's
		// start.
		.rsp = (seL4_Word)(stack + STACK_BYTES) - 8,
		.rflags = 0x202,
	};
	seL4_Error error = seL4_SchedControl_ConfigureFlags(
		bootinfo->schedcontrol.start, context, BUDGET_US, PERIOD_US, 0, 0, 0);

	if (!error)
		error = seL4_TCB_Configure(tcb, seL4_CapInitThreadCNode, 0,
			seL4_CapInitThreadVSpace, 0, 0, seL4_CapNull);
	if (!error)
		error = seL4_TCB_SetSchedParams(
			tcb, seL4_CapInitThreadTCB, PRIORITY, PRIORITY, context, seL4_CapNull);
	if (!error)
		error = seL4_TCB_WriteRegisters(
			tcb, true, 0, sizeof(registers) / sizeof(seL4_Word), &registers);
	return error;
}

void root_main(const seL4_BootInfo *bootinfo) {
	seL4_Word number = 12;

	print("example: %lu untyped blocks, free slots %lu to %lu\n",
		bootinfo->untyped.end - bootinfo->untyped.start, bootinfo->empty.start,
		bootinfo->empty.end - 1);
	endpoint = object_make(seL4_EndpointObject, 0);
	reply = object_make(seL4_ReplyObject, 0);
	if (start_server(bootinfo)) {
		print("example: the server cannot start\n");
	} else {
		seL4_CallWithMRs(
			endpoint, seL4_MessageInfo_new(0, 0, 0, 1), &number, NULL, NULL, NULL);
		print("example: the square of 12 is %lu\n", number);
	}
	machine_exit(0);
}
