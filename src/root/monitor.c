// SPDX-License-Identifier: BSD-2-Clause
// Receives the faults of all domains, writes a report and does what the description says; the other
// domains keep running. Passive domains signal here when their init has finished.
#include <root/monitor.h>

#include <root/fault_report.h>
#include <root/printer.h>
#include <root/restart.h>

#include <user/print.h>
#include <user/untyped.h>

// A passive domain has finished init: from now on it runs on the time of its callers and signals.
static void make_passive(struct domain *domain, const char *name) {
	seL4_Error error = seL4_SchedContext_UnbindObject(domain->sched_context, domain->tcb);

	if (!error) error = seL4_SchedContext_Bind(domain->sched_context, domain->notification);
	if (error)
		system_report(error, "passive domain", name);
	else
		domain->passive = true;
}

static void handle(struct system *system, uint32_t domain, seL4_MessageInfo_t tag) {
	const struct system_domain *record = &system->image.domains[domain];

	printer_select(record->priority);
	if (seL4_MessageInfo_get_label(tag) == seL4_Fault_NullFault) {
		make_passive(&system->domains[domain], record->name);
		return;
	}
	fault_report(system, domain, seL4_MessageInfo_get_label(tag));
	if (record->flags & SYSTEM_DOMAIN_RESTART) restart_plan(system, domain);
}

void monitor_run(struct system *system) {
	seL4_CPtr reply = object_make(OBJECT_REPLY, 0);

	printer_start();
	for (;;) {
		seL4_Word badge = 0;
		seL4_MessageInfo_t tag = seL4_Recv(system->fault_endpoint, &badge, reply);

		// Several signals arrive merged in one badge.
		if (badge & RESTART_BADGE) restart_tick(system);
		if (badge >= 1 && badge <= image_count(&system->image, SYSTEM_DOMAINS))
			handle(system, (uint32_t)badge - 1, tag);
		printer_update();
	}
}
