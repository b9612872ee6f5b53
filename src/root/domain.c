// SPDX-License-Identifier: BSD-2-Clause
// Protection domains: slots, badges and initial state are those of Microkit, so that its programs
// run unchanged.
#include <root/domain.h>

#include <microkit.h>

#include <root/cores.h>
#include <root/group.h>
#include <root/pages.h>

#include <base/bits.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	// The address bits below the index in the root CNode and the index in the main CNode.
	DOMAIN_CNODE_GUARD_BITS = seL4_WordBits - PD_ROOT_CAP_BITS - DOMAIN_CNODE_BITS,
	CONTEXT_START_WORDS = 2, // instruction and stack pointer
};

struct object_row {
	seL4_Word type;
	seL4_Word size_bits;
	seL4_CPtr *slot;
};

static seL4_Error make_all(const struct object_row *rows, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		*rows[i].slot = object_make(rows[i].type, rows[i].size_bits);
		if (!*rows[i].slot) return seL4_NotEnoughMemory;
	}
	return seL4_NoError;
}

seL4_Error domain_make_inputs(struct system *system, uint32_t index) {
	struct domain *domain = &system->domains[index];
	const struct object_row rows[] = {
		{OBJECT_NOTIFICATION, 0, &domain->notification},
		// For domains with callers, children or a guest.
		{OBJECT_ENDPOINT, 0, &domain->endpoint},
	};
	bool is_callable = system->image.domains[index].flags & SYSTEM_DOMAIN_CALLABLE;

	untyped_select(GROUP_NONE);
	return make_all(rows, is_callable ? 2 : 1);
}

seL4_Error domain_make(struct system *system, uint32_t index) {
	struct domain *domain = &system->domains[index];
	const struct object_row rows[] = {
		{OBJECT_TCB, 0, &domain->tcb},
		{OBJECT_SCHED_CONTEXT, DOMAIN_SCHED_CONTEXT_BITS, &domain->sched_context},
		{OBJECT_REPLY, 0, &domain->reply},
		{OBJECT_CNODE, DOMAIN_CNODE_BITS, &domain->cnode},
		{OBJECT_CNODE, PD_ROOT_CAP_BITS, &domain->root_cnode},
	};
	seL4_Error error = make_all(rows, sizeof(rows) / sizeof(rows[0]));

	return error ? error : space_make(&domain->space, &space_native);
}

seL4_Error domain_give(const struct domain *domain, seL4_Word slot, seL4_CPtr cap,
	seL4_CapRights_t rights, seL4_Word badge) {
	return seL4_CNode_Mint(domain->cnode, slot, DOMAIN_CNODE_BITS, seL4_CapInitThreadCNode, cap,
		seL4_WordBits, rights, badge);
}

// Where the faults of a domain are sent: to its parent, else to the initial task.
static struct fault_handler {
	seL4_CPtr endpoint;
	seL4_Word badge;
} fault_handler_of(const struct system *system, uint32_t index) {
	const struct system_domain *record = &system->image.domains[index];

	if (record->parent == SYSTEM_NONE)
		return (struct fault_handler){system->fault_endpoint, index + 1};
	return (struct fault_handler){
		system->domains[record->parent].endpoint, BIT(BADGE_FAULT_BIT) | record->child_id};
}

static seL4_Error give_fixed(struct system *system, uint32_t index) {
	const struct domain *domain = &system->domains[index];
	uint32_t flags = system->image.domains[index].flags;
	struct fault_handler handler = fault_handler_of(system, index);
	seL4_CapRights_t send = seL4_CapRights_new(0, 1, 1, 1);
	seL4_Word input = domain->endpoint ? domain->endpoint : domain->notification;
	seL4_Error error = domain_give(domain, INPUT_CAP, input, seL4_AllRights, 0);

	if (!error)
		error = domain_give(domain, FAULT_EP_CAP, handler.endpoint, send, handler.badge);
	if (!error) error = domain_give(domain, VSPACE_CAP, domain->space.root, seL4_AllRights, 0);
	if (!error) error = domain_give(domain, REPLY_CAP, domain->reply, seL4_AllRights, 0);
	// Microkit's own library asks there to be made passive; ours does that by itself.
	if (!error && (flags & SYSTEM_DOMAIN_PASSIVE))
		error = domain_give(domain, MONITOR_EP, system->fault_endpoint, send, index + 1);
	if (!error && (flags & SYSTEM_DOMAIN_OWN_THREAD))
		error = domain_give(domain, TCB_CAP, domain->tcb, seL4_AllRights, 0);
	if (error) return error;
	return seL4_CNode_Mint(domain->root_cnode, 0, PD_ROOT_CAP_BITS, seL4_CapInitThreadCNode,
		domain->cnode, seL4_WordBits, seL4_AllRights,
		seL4_CNode_CapData_new(0, DOMAIN_CNODE_GUARD_BITS).words[0]);
}

// A badged copy of the fault endpoint, in a slot of ours while the thread is being configured.
static seL4_Error configure_sched(
	struct system *system, const struct domain *domain, uint32_t index) {
	const struct system_domain *record = &system->image.domains[index];
	struct fault_handler fault = fault_handler_of(system, index);
	seL4_CPtr handler = slots_allocate(1);
	seL4_Error error;

	if (!handler) return seL4_NotEnoughMemory;
	error = seL4_CNode_Mint(seL4_CapInitThreadCNode, handler, seL4_WordBits,
		seL4_CapInitThreadCNode, fault.endpoint, seL4_WordBits,
		seL4_CapRights_new(0, 1, 1, 1), fault.badge);
	if (!error)
		error = seL4_SchedControl_ConfigureFlags(cores_control(system, index),
			domain->sched_context, record->budget, record->period, 0, index + 1, 0);
	if (!error)
		error = seL4_TCB_SetSchedParams(domain->tcb, seL4_CapInitThreadTCB,
			record->priority, record->priority, domain->sched_context, handler);
	slots_delete(handler, 1);
	return error;
}

seL4_Error domain_configure(struct system *system, uint32_t index) {
	const struct domain *domain = &system->domains[index];
	const struct system_domain *record = &system->image.domains[index];
	seL4_Error error = give_fixed(system, index);

	if (!error)
		error = seL4_TCB_Configure(domain->tcb, domain->root_cnode, 0, domain->space.root,
			0, DOMAIN_IPC_BUFFER, domain->ipc_frame);
	if (!error) error = configure_sched(system, domain, index);
	if (!error) error = seL4_TCB_BindNotification(domain->tcb, domain->notification);
	// A thread that waits for an event returns the context that its notification has: so from
	// the first wait on, which is after init, it runs on the time of callers and signals. The
	// initial task, which may be on another core, has no part in it.
	if (!error && (record->flags & SYSTEM_DOMAIN_PASSIVE))
		error = seL4_SchedContext_Bind(domain->sched_context, domain->notification);
	if (!error && (record->flags & SYSTEM_DOMAIN_NO_FPU))
		error = (seL4_Error)seL4_TCB_SetFlags(domain->tcb, 0, seL4_TCBFlag_fpuDisabled)
				.error;
	if (!error && system->debug_calls) seL4_DebugNameThread(domain->tcb, record->name);
	return error;
}

seL4_Error domain_start(struct system *system, uint32_t index) {
	seL4_UserContext context = {
		.rip = system->image.domains[index].entry,
		.rsp = DOMAIN_STACK_TOP,
	};

	return seL4_TCB_WriteRegisters(
		system->domains[index].tcb, seL4_True, 0, CONTEXT_START_WORDS, &context);
}

seL4_Error guest_make(struct system *system, uint32_t index) {
	struct guest *guest = &system->guests[index];
	seL4_Error error;

	guest->vcpu = slots_allocate(1);
	if (!guest->vcpu) return seL4_NotEnoughMemory;
	error = untyped_make(OBJECT_VCPU, 0, guest->vcpu);
	return error ? error : space_make(&guest->space, &space_guest);
}

seL4_Error guest_configure(struct system *system, uint32_t index) {
	const struct system_guest *record = &system->image.guests[index];
	const struct guest *guest = &system->guests[index];
	const struct domain *monitor = &system->domains[record->domain];
	seL4_Error error = seL4_TCB_SetEPTRoot(monitor->tcb, guest->space.root);

	if (!error) error = seL4_X86_VCPU_SetTCB(guest->vcpu, monitor->tcb);
	if (!error)
		error = domain_give(
			monitor, BASE_VCPU_CAP + record->vcpu_id, guest->vcpu, seL4_AllRights, 0);
	if (!error)
		error = domain_give(
			monitor, DOMAIN_VCPU_STATE_CAP, guest->state_frame, seL4_AllRights, 0);
	return error;
}
