// SPDX-License-Identifier: BSD-2-Clause
// Operations on scheduling contexts and domains. Times are microseconds.
#pragma once

#include <sel4/constants.h>
#include <sel4/syscalls.h>

static inline seL4_Error seL4_SchedControl_ConfigureFlags(seL4_SchedControl _service,
	seL4_SchedContext schedcontext, seL4_Time budget, seL4_Time period, seL4_Word extra_refills,
	seL4_Word badge, seL4_Word flags) {
	struct sel4_invocation call = {.label = LABEL_SCHED_CONTROL_CONFIGURE_FLAGS,
		.caps = 1,
		.length = 5,
		.words = {budget, period, extra_refills, badge}};

	seL4_SetCap(0, schedcontext);
	seL4_SetMR(4, flags);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_SchedControl_Configure(seL4_SchedControl _service,
	seL4_SchedContext schedcontext, seL4_Time budget, seL4_Time period, seL4_Word extra_refills,
	seL4_Word badge) {
	return seL4_SchedControl_ConfigureFlags(_service, schedcontext, budget, period,
		extra_refills, badge, seL4_SchedContext_NoFlag);
}

static inline seL4_Error seL4_SchedContext_Bind(seL4_SchedContext _service, seL4_CPtr cap) {
	return sel4_invoke_cap(_service, LABEL_SCHED_CONTEXT_BIND, cap);
}

static inline seL4_Error seL4_SchedContext_Unbind(seL4_SchedContext _service) {
	return sel4_invoke_plain(_service, LABEL_SCHED_CONTEXT_UNBIND);
}

static inline seL4_Error seL4_SchedContext_UnbindObject(seL4_SchedContext _service, seL4_CPtr cap) {
	return sel4_invoke_cap(_service, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, cap);
}

typedef struct seL4_SchedContext_Consumed {
	int error;
	seL4_Time consumed;
} seL4_SchedContext_Consumed_t;

static inline seL4_SchedContext_Consumed_t seL4_SchedContext_Consumed(seL4_SchedContext _service) {
	struct sel4_invocation call = {.label = LABEL_SCHED_CONTEXT_CONSUMED};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_SchedContext_Consumed_t){(int)error, call.words[0]};
}

typedef struct seL4_SchedContext_YieldTo {
	int error;
	seL4_Time consumed;
} seL4_SchedContext_YieldTo_t;

static inline seL4_SchedContext_YieldTo_t seL4_SchedContext_YieldTo(seL4_SchedContext _service) {
	struct sel4_invocation call = {.label = LABEL_SCHED_CONTEXT_YIELD_TO};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_SchedContext_YieldTo_t){(int)error, call.words[0]};
}

static inline seL4_Error seL4_DomainSet_Set(
	seL4_DomainSet _service, seL4_Uint8 domain, seL4_TCB thread) {
	struct sel4_invocation call = {
		.label = LABEL_DOMAIN_SET, .caps = 1, .length = 1, .words = {domain}};

	seL4_SetCap(0, thread);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_DomainSet_ScheduleConfigure(
	seL4_DomainSet _service, seL4_Word index, seL4_Uint8 domain, seL4_Time duration) {
	struct sel4_invocation call = {.label = LABEL_DOMAIN_SCHEDULE_CONFIGURE,
		.length = 3,
		.words = {index, domain, duration}};

	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_DomainSet_ScheduleSetStart(seL4_DomainSet _service, seL4_Word index) {
	struct sel4_invocation call = {
		.label = LABEL_DOMAIN_SCHEDULE_SET_START, .length = 1, .words = {index}};

	return sel4_invoke(_service, &call);
}
