// SPDX-License-Identifier: BSD-2-Clause
#include "entry.h"

#include <abi/syscall.h>
#include <base/compiler.h>
#include <cpu/apic.h>
#include <cpu/segments.h>
#include <entry/fastpath.h>
#include <entry/trap.h>
#include <sched/thread.h>

bool apic_is_in_service(unsigned vector) { return host_core()->in_service == vector; }

bool apic_is_pending(void) { return host_is_interrupted(host_core()); }

uint32_t apic_take_errors(void) { return 0; }

// The frame of an exception or interrupt.
static void frame_complete(void) {
	struct thread *thread = this_cpu()->current;

	thread->context.rflags |= CONTEXT_WHOLE;
	thread->trap.rcx = thread->trap.r11 = 0;
	thread->trap.fault_ip = thread->context.rip;
}

static bool gave_up(struct host_core *core) {
	bool is_slow = core->slow;

	core->slow = 0;
	return is_slow;
}

typedef void fast_path(uint64_t address, uint64_t tag);

// As the gate of trap.asm that gates.c installs: for one core, and for several.
static const struct fast_row {
	int64_t number;
	fast_path *alone, *with_others;
} fast_rows[] = {
	{SYSCALL_CALL, fastpath_call, fastpath_cores_call},
	{SYSCALL_REPLY_RECV, fastpath_reply_recv, fastpath_cores_reply_recv},
	{SYSCALL_SEND, fastpath_send, fastpath_cores_send},
};

// False: the fast path has done everything.
static bool is_for_slow_path(struct host_core *core, const struct context *context) {
	for (unsigned i = 0; i < array_count(fast_rows); i++) {
		const struct fast_row *row = &fast_rows[i];

		if (row->number != (int64_t)context->rdx) continue;
		(core->cpu->has_peers ? row->with_others : row->alone)(context->rdi, context->rsi);
		return gave_up(core);
	}
	return true;
}

void entry_syscall(void) {
	struct host_core *core = host_core();
	struct context *context = &core->cpu->current->context;
	struct slot *slot;

	context->rflags = CONTEXT_RFLAGS;
	core->slow_slot = NULL;
	if (context->rdx == (uint64_t)SYSCALL_VCPU_RUN) {
		core->way = trap_vcpu_run();
	} else if (!is_for_slow_path(core, context)) {
		core->way = EXIT_TO_USER;
	} else {
		slot = core->slow_slot;
		core->way = slot ? trap_call(slot) : trap_syscall();
	}
}

void entry_exception(unsigned vector, unsigned code) {
	struct host_core *core = host_core();

	frame_complete();
	fastpath_exception(vector, code);
	core->way = gave_up(core) ? trap_exception(vector, code) : EXIT_TO_USER;
}

void entry_guest_exit(void) {
	host_core()->in_service = 0;
	host_core()->way = trap_guest_exit();
}

void entry_interrupt(unsigned vector) {
	struct host_core *core = host_core();

	core->in_service = vector;
	if (core->way == EXIT_TO_GUEST) {
		core->way = trap_guest_exit();
		return;
	}
	if (core->way == EXIT_TO_IDLE) {
		core->way = trap_idle(vector);
		return;
	}
	frame_complete();
	core->way = trap_interrupt(vector, 0);
}
