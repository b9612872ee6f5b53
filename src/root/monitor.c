// SPDX-License-Identifier: BSD-2-Clause
// Receives the faults of all domains, writes a report and does what the description says; the other
// domains keep running.
#include <root/monitor.h>

#include <root/devices.h>
#include <root/fault_report.h>
#include <root/printer.h>
#include <root/restart.h>

#include <user/print.h>
#include <user/untyped.h>

static void handle(struct system *system, uint32_t domain, seL4_MessageInfo_t tag) {
	const struct system_domain *record = &system->image.domains[domain];
	bool in_reset;

	// Passive domains of Microkit's own library say here that init is finished.
	if (seL4_MessageInfo_get_label(tag) == seL4_Fault_NullFault) return;
	printer_select(record->priority);
	fault_report(system, domain, seL4_MessageInfo_get_label(tag));
	in_reset = devices_stop(system, domain);
	if (record->flags & SYSTEM_DOMAIN_RESTART)
		restart_plan(system, domain, in_reset ? PCI_RESET_TIME : 0);
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
