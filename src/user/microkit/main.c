// SPDX-License-Identifier: BSD-2-Clause
// The life of a protection domain: constructors, init, then one event after the other.
#include <user/microkit/domain.h>
#include <user/microkit/internal.h>

#include <abi/vcpu_state.h>
#include <sel4/nacre.h>

enum {
	BADGE_CHILD_MASK = 0xff,
	BADGE_CHANNEL_MASK = 0x3f,
};

// The initial task maps every protection domain's IPC buffer here.
seL4_IPCBuffer *__sel4_ipc_buffer = (seL4_IPCBuffer *)DOMAIN_IPC_BUFFER;

struct event {
	seL4_Word badge;
	microkit_msginfo tag;
};

// The reply that the last event left to be sent.
struct answer {
	bool due;
	microkit_msginfo tag;
};

typedef void (*constructor)(void);
extern const constructor __init_array_start[];
extern const constructor __init_array_end[];

[[gnu::weak]] microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(" was called but has no entry point 'protected'\n");
	microkit_internal_crash(seL4_NoError);
	return microkit_msginfo_new(0, 0);
}

[[gnu::weak]] seL4_Bool fault(microkit_child, microkit_msginfo, microkit_msginfo *) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(" was sent a fault but has no entry point 'fault'\n");
	microkit_internal_crash(seL4_NoError);
	return seL4_False;
}

// These run the guest until it exits or a notification arrives. An exit looks like a fault of child
// 0.
static struct event guest_run_by_page(void) {
	struct event event = {0};
	seL4_Word reason = nacre_VCPU_Run(&event.badge);

	if (reason != VCPU_EXIT_NOTIFICATION) {
		event.badge = 1ul << BADGE_FAULT_BIT;
		event.tag = microkit_msginfo_new(reason, 0);
	}
	return event;
}

static struct event guest_run(void) {
	struct microkit_x86_vcpu_state *state = &microkit_x86_vcpu_state;
	struct event event = {0};
	seL4_Word result;

	seL4_SetMR(SEL4_VMENTER_CALL_EIP_MR, state->rip);
	seL4_SetMR(SEL4_VMENTER_CALL_CONTROL_PPC_MR, state->prim_proc_ctl);
	seL4_SetMR(SEL4_VMENTER_CALL_INTERRUPT_INFO_MR, state->irq_info);
	result = seL4_VMEnter(&event.badge);
	state->rip = seL4_GetMR(SEL4_VMENTER_CALL_EIP_MR);
	state->prim_proc_ctl = seL4_GetMR(SEL4_VMENTER_CALL_CONTROL_PPC_MR);
	state->irq_info = seL4_GetMR(SEL4_VMENTER_CALL_INTERRUPT_INFO_MR);
	if (result == SEL4_VMENTER_RESULT_FAULT) {
		event.badge = 1ul << BADGE_FAULT_BIT;
		event.tag = microkit_msginfo_new(0, SEL4_VMENTER_NUM_FAULT_MSGS);
	}
	return event;
}

static struct event event_receive(const struct answer *answer) {
	struct event event = {0};

	if (microkit_x86_vcpu_state.is_on) {
		signal_flush();
		return vcpu_by_state_page ? guest_run_by_page() : guest_run();
	}
	if (answer->due) {
		signal_flush();
		event.tag = seL4_ReplyRecv(INPUT_CAP, answer->tag, &event.badge, REPLY_CAP);
	} else if (microkit_have_signal) {
		microkit_have_signal = seL4_False;
		event.tag = seL4_NBSendRecv(microkit_signal_cap, microkit_signal_msg, INPUT_CAP,
			&event.badge, REPLY_CAP);
	} else {
		event.tag = seL4_Recv(INPUT_CAP, &event.badge, REPLY_CAP);
	}
	return event;
}

static void deliver_notifications(seL4_Word badge) {
	for (; badge != 0; badge &= badge - 1)
		notified((microkit_channel)__builtin_ctzl(badge));
}

// A guest exit has no reply message: true resumes the guest, false leaves it stopped.
static struct answer deliver_fault(struct event event) {
	struct answer answer = {.tag = microkit_msginfo_new(0, 0)};
	bool from_guest = microkit_x86_vcpu_state.is_on;
	seL4_Bool resume = fault(
		(microkit_child)(event.badge & BADGE_CHILD_MASK), event.tag, &answer.tag);

	if (!from_guest)
		answer.due = resume;
	else if (!resume)
		microkit_vcpu_x86_off();
	return answer;
}

static struct answer event_deliver(struct event event) {
	struct answer answer = {0};

	if (event.badge >> BADGE_FAULT_BIT & 1) return deliver_fault(event);
	if (event.badge >> BADGE_CALL_BIT) {
		answer.due = true;
		answer.tag = protected(
			(microkit_channel)(event.badge & BADGE_CHANNEL_MASK), event.tag);
	} else {
		deliver_notifications(event.badge);
	}
	return answer;
}

int main(void) {
	struct answer answer = {0};

	for (const constructor *each = __init_array_start; each < __init_array_end; each++)
		(*each)();
	init();
	// Interrupts are delivered only after the first acknowledgement, after init.
	for (seL4_Word rest = microkit_irqs; rest != 0; rest &= rest - 1)
		seL4_IRQHandler_Ack(BASE_IRQ_CAP + (seL4_Word)__builtin_ctzl(rest));
	for (;;)
		answer = event_deliver(event_receive(&answer));
}
