// SPDX-License-Identifier: BSD-2-Clause
// The supervisor's own random operations. None can block it, and none names anything of its own.
#include "control.h"

#include <base/compiler.h>

#include "random.h"
#include "pool.h"

static seL4_CPtr any(char kind) { return pool_slot(pool_pick(kind, POOL_SPACES)); }

// Only harmless ports: other ranges would let a thread end the emulator.
static void port_issue(void) {
	(void)seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x80 + random_below(16),
		0x80 + random_below(16), any(POOL_CNODE), random_below(POOL_SLOTS), POOL_RADIX);
}

static void irq_issue(void) {
	switch (random_below(3)) {
	case 0:
		(void)seL4_IRQControl_Get(seL4_CapIRQControl, random_edge(), any(POOL_CNODE),
			random_below(POOL_SLOTS), POOL_RADIX);
		break;
	case 1:
		(void)seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, any(POOL_CNODE),
			random_below(POOL_SLOTS), POOL_RADIX, random_below(2), random_below(26),
			random_below(3), random_below(3), random_below(110));
		break;
	default:
		(void)seL4_IRQControl_GetMSI(seL4_CapIRQControl, any(POOL_CNODE),
			random_below(POOL_SLOTS), POOL_RADIX, random_below(300), random_below(40),
			random_below(10), random_edge(), random_below(110));
	}
}

static void notification_signal(void) { seL4_Signal(any(POOL_NOTIFICATION)); }

static void time_give(void) {
	seL4_Word budget = 20 + random_below(500);
	seL4_CPtr context = any(POOL_SCHED_CONTEXT);

	(void)seL4_SchedControl_ConfigureFlags(
		pool_slot(pool_pick(POOL_SCHED_CONTROL, POOL_SPACES)), context, budget,
		budget * (1 + random_below(3)), random_below(4), random_edge(), random_below(2));
	(void)seL4_SchedContext_Bind(context, any(random_below(4) ? POOL_TCB : POOL_NOTIFICATION));
}

static void time_take(void) { (void)seL4_SchedContext_Unbind(any(POOL_SCHED_CONTEXT)); }

static void thread_suspend(void) { (void)seL4_TCB_Suspend(any(POOL_TCB)); }

static void thread_resume(void) { (void)seL4_TCB_Resume(any(POOL_TCB)); }

static void thread_priority(void) {
	(void)seL4_TCB_SetPriority(any(POOL_TCB), seL4_CapInitThreadTCB, random_below(101));
}

static void badges_cancel(void) {
	(void)seL4_CNode_CancelBadgedSends(any(POOL_CNODE), random_below(POOL_SLOTS), POOL_RADIX);
}

static void item_delete(void) {
	static const char destroyed[] = "ENRYUF321VGCTS";
	seL4_Word item = pool_pick(destroyed[random_below(sizeof(destroyed) - 1)], POOL_SPACES);

	// Without threads and spaces of its own the round would soon be over.
	if (item <= SCRIPTS + POOL_SPACES && random_below(10)) return;
	if (random_below(2))
		(void)seL4_CNode_Revoke(seL4_CapInitThreadCNode, pool_slot(item), seL4_WordBits);
	else
		(void)seL4_CNode_Delete(seL4_CapInitThreadCNode, pool_slot(item), seL4_WordBits);
}

void control_disturb(void) {
	static void (*const operations[])(void) = {port_issue, irq_issue, notification_signal,
		notification_signal, time_give, time_give, time_take, time_take, thread_suspend,
		thread_resume, thread_priority, badges_cancel, item_delete};

	for (unsigned left = random_below(4); left > 0; left--)
		operations[random_below(array_count(operations))]();
}
