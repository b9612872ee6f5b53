// SPDX-License-Identifier: BSD-2-Clause
// Bootinfo has a SchedControl capability for each core that is up, in the order of the cores.
#include <root/cores.h>

#include <root/needs.h>

#include <user/print.h>

static seL4_Word last_core(const struct system *system) { return system->bootinfo->numNodes - 1; }

// Whether the machine has it, and its self-tests have not failed. Without the first one there would
// be nothing.
static bool is_usable(const struct system *system, seL4_Word core) {
	return core <= last_core(system) && (core == 0 || !(system->faults.cores >> core & 1));
}

// The end of a line about a core that is not usable.
static const char *problem(const struct system *system, seL4_Word core) {
	return core <= last_core(system) ? "its self-test failed; the last core here is"
					 : "the last core here is";
}

// Whether core 0 may stand in for a core of this domain that is missing.
static bool may_stand_in(const struct system *system, uint32_t domain) {
	return !(system->image.domains[domain].flags & SYSTEM_DOMAIN_NEEDS_CORES);
}

static void place_domain(struct system *system, uint32_t index) {
	uint32_t core = system->image.domains[index].core;

	if (is_usable(system, core))
		system->domains[index].core = core;
	else if (!may_stand_in(system, index))
		needs_omit(system, index, "core %u: %s %lu", core, problem(system, core),
			last_core(system));
}

// Whether it is to come to a core that is missing.
static bool lacks_core(const struct system *system, const struct system_irq *irq) {
	return !is_usable(system, irq->core);
}

static void check_irq(struct system *system, const struct system_irq *irq) {
	if (lacks_core(system, irq) && !may_stand_in(system, irq->domain))
		needs_omit(system, irq->domain, "core %u of interrupt %u: %s %lu", irq->core,
			irq->id, problem(system, irq->core), last_core(system));
}

// Begins or continues the line of what core 0 stands in for.
static void print_next(const struct system *system, bool *begun) {
	if (!*begun)
		print("system: the last core here is %lu%s; on core 0 instead:", last_core(system),
			system->faults.cores > 1 ? ", and the self-test of some failed" : "");
	else
		print(",");
	*begun = true;
}

static void print_moved(const struct system *system) {
	const struct image *image = &system->image;
	bool begun = false;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		const struct system_domain *record = &image->domains[i];

		if (is_usable(system, record->core) || !may_stand_in(system, i)) continue;
		print_next(system, &begun);
		print(" '%s' (core %u)", record->name, record->core);
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IRQS); i++) {
		const struct system_irq *irq = &image->irqs[i];
		const struct system_domain *record = &image->domains[irq->domain];

		if (!lacks_core(system, irq) || irq->core == record->core ||
			!may_stand_in(system, irq->domain))
			continue;
		print_next(system, &begun);
		print(" interrupt %u of '%s' (core %u)", irq->id, record->name, irq->core);
	}
	if (begun) print("\n");
}

void cores_place(struct system *system) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++)
		place_domain(system, i);
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IRQS); i++)
		check_irq(system, &system->image.irqs[i]);
	print_moved(system);
}

seL4_CPtr cores_control(const struct system *system, uint32_t domain) {
	return system->bootinfo->schedcontrol.start + system->domains[domain].core;
}

seL4_Word cores_of_irq(const struct system *system, const struct system_irq *irq) {
	return lacks_core(system, irq) ? 0 : irq->core;
}
