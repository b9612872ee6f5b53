// SPDX-License-Identifier: BSD-2-Clause
// Bootinfo has a SchedControl capability for each core that is up, in the order of the cores.
#include <root/cores.h>

#include <root/needs.h>

#include <user/print.h>

void cores_place(struct system *system) {
	seL4_Word last = system->bootinfo->numNodes - 1;
	bool moved = false;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		const struct system_domain *record = &system->image.domains[i];

		if (record->core <= last) {
			system->domains[i].core = record->core;
		} else if (record->flags & SYSTEM_DOMAIN_NEEDS_CORES) {
			needs_omit(system, i, "core %u: the last core here is %lu", record->core,
				last);
		} else {
			if (!moved)
				print("system: the last core here is %lu; on core 0 instead:",
					last);
			print("%s '%s' (core %u)", moved ? "," : "", record->name, record->core);
			moved = true;
		}
	}
	if (moved) print("\n");
}

seL4_CPtr cores_control(const struct system *system, uint32_t domain) {
	return system->bootinfo->schedcontrol.start + system->domains[domain].core;
}
