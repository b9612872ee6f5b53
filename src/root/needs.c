// SPDX-License-Identifier: BSD-2-Clause
// Cores, interrupts, I/O ports, physical memory and time that domains request.
#include <root/needs.h>

#include <stdarg.h>

#include <root/cores.h>
#include <root/devices.h>
#include <root/group.h>
#include <root/extent.h>
#include <root/regions.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	// Message words of a RangeError.
	RANGE_MAXIMUM_WORD = 1,
};

// Interrupts and ports of an omitted domain are available to others.
static void drop_claims(struct system *system, uint32_t domain) {
	const struct image *image = &system->image;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_IRQS); i++) {
		if (image->irqs[i].domain == domain && system->irqs[i])
			slots_delete(system->irqs[i], 2);
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_PORTS); i++) {
		if (image->ports[i].domain == domain && system->ports[i])
			slots_delete(system->ports[i], 1);
	}
}

// A child's faults are sent to its parent, so it cannot run without.
static void omit_children(struct system *system) {
	const struct system_domain *records = system->image.domains;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		uint32_t parent = records[i].parent;

		if (parent == SYSTEM_NONE || system->domains[i].omitted ||
			!system->domains[parent].omitted)
			continue;
		print("system: '%s' is not started: its parent '%s' is not\n", records[i].name,
			records[parent].name);
		system->domains[i].omitted = true;
		drop_claims(system, i);
	}
}

void needs_omit(struct system *system, uint32_t domain, const char *reason, ...) {
	const struct system_domain *record = &system->image.domains[domain];
	va_list arguments;

	if (system->domains[domain].omitted) return;
	print("system: '%s' is not started: ", record->name);
	va_start(arguments, reason);
	print_list(reason, arguments);
	va_end(arguments);
	if (record->guest != SYSTEM_NONE)
		print(" (its virtual machine '%s' does not run)",
			system->image.guests[record->guest].name);
	print("\n");
	system->domains[domain].omitted = true;
	drop_claims(system, domain);
	omit_children(system);
}

static const char *refusal(seL4_Error error) {
	if (error == seL4_RangeError) return "this machine has none";
	if (error == seL4_IllegalOperation) return "this machine has no I/O APIC that ACPI names";
	if (error == seL4_RevokeFirst) return "in use";
	return error == seL4_NotEnoughMemory ? "no slots left" : "the kernel refused";
}

// What raises it, with the function of a device that was found.
static void irq_source(
	const struct system *system, const struct system_irq *irq, uint32_t arguments[4]) {
	uint16_t function;

	for (unsigned i = 0; i < 4; i++)
		arguments[i] = irq->arguments[i];
	if (irq->kind != SYSTEM_IRQ_DEVICE) return;
	function = system->devices[irq->arguments[0]].requester;
	arguments[3] = irq->arguments[1];
	arguments[0] = PCI_BUS(function);
	arguments[1] = PCI_SLOT(function);
	arguments[2] = PCI_NUMBER(function);
}

static seL4_Error irq_get(
	const struct system_irq *irq, const uint32_t arguments[4], seL4_CPtr slot) {
	if (irq->kind == SYSTEM_IRQ_IOAPIC)
		return seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, seL4_CapInitThreadCNode, slot,
			seL4_WordBits, arguments[0], arguments[1], arguments[2], arguments[3],
			irq->vector);
	return seL4_IRQControl_GetMSI(seL4_CapIRQControl, seL4_CapInitThreadCNode, slot,
		seL4_WordBits, arguments[0], arguments[1], arguments[2], arguments[3], irq->vector);
}

static void claim_irq(struct system *system, uint32_t index) {
	const struct system_irq *irq = &system->image.irqs[index];
	uint32_t arguments[4];
	seL4_CPtr slots = slots_allocate(2);
	seL4_Error error = seL4_NotEnoughMemory;

	irq_source(system, irq, arguments);
	if (slots) error = irq_get(irq, arguments, slots);

	if (!error) {
		system->irqs[index] = slots;
		return;
	}
	if (slots) slots_release(slots, 2);
	if (irq->kind == SYSTEM_IRQ_IOAPIC)
		needs_omit(system, irq->domain, "pin %u of I/O APIC %u: %s", arguments[1],
			arguments[0], refusal(error));
	else
		needs_omit(system, irq->domain, "interrupt %u of PCI device %x:%x.%x: %s",
			arguments[3], arguments[0], arguments[1], arguments[2], refusal(error));
}

// Those of devices that are found at the start, or the others.
static void claim_irqs(struct system *system, bool of_devices) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IRQS); i++) {
		const struct system_irq *irq = &system->image.irqs[i];
		bool of_device = irq->kind == SYSTEM_IRQ_DEVICE;

		if (system->domains[irq->domain].omitted || of_device != of_devices ||
			(of_device && !system->devices[irq->arguments[0]].found))
			continue;
		claim_irq(system, i);
	}
}

static void claim_port(struct system *system, uint32_t index) {
	const struct system_port *port = &system->image.ports[index];
	seL4_CPtr slot = slots_allocate(1);
	seL4_Error error = seL4_NotEnoughMemory;

	if (slot)
		error = seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, port->first, port->last,
			seL4_CapInitThreadCNode, slot, seL4_WordBits);
	if (!error) {
		system->ports[index] = slot;
		return;
	}
	if (slot) slots_release(slot, 1);
	needs_omit(system, port->domain, "I/O ports 0x%x..0x%x: %s", port->first, port->last,
		refusal(error));
}

static void omit_users(struct system *system, uint32_t index, const char *reason, seL4_Word at) {
	const struct system_region *region = &system->image.regions[index];

	system->region_missing[index] = true;
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region == index)
			needs_omit(system, domain_of_map(system, map),
				"memory region '%s' at 0x%lx: %s", region->name, at, reason);
	}
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_MAPS); i++) {
		const struct system_io_map *map = &system->image.io_maps[i];
		uint32_t owner = system->image.io_spaces[map->space].owner;

		if (map->region == index && owner != SYSTEM_NONE)
			needs_omit(system, owner, "its device's memory '%s' at 0x%lx: %s",
				region->name, at, reason);
	}
}

static void find_region(struct system *system, uint32_t index) {
	struct extent extent = extent_of(system, index);
	seL4_Word missing;

	if (extent.paddr == SYSTEM_ANY_ADDRESS || !region_is_needed(system, index)) return;
	if (!untyped_covers(extent.paddr, extent.size, extent.bits, &missing))
		omit_users(system, index, "this machine has no memory there", missing);
}

static void keep_region(struct system *system, uint32_t index) {
	struct extent extent = extent_of(system, index);

	if (extent.paddr != SYSTEM_ANY_ADDRESS && region_is_needed(system, index) &&
		untyped_keep(extent.paddr, extent.size))
		omit_users(system, index, "out of memory or slots", extent.paddr);
}

static void try_time(struct system *system, uint32_t domain, seL4_CPtr sched_context) {
	const struct system_domain *record = &system->image.domains[domain];
	seL4_Error error = seL4_SchedControl_ConfigureFlags(cores_control(system, domain),
		sched_context, record->budget, record->period, 0, 0, 0);

	if (error == seL4_RangeError)
		needs_omit(system, domain, "%lu us in %lu us: the kernel takes at most %lu us",
			record->budget, record->period, seL4_GetMR(RANGE_MAXIMUM_WORD));
	else if (error)
		needs_omit(system, domain, "%lu us in %lu us: the kernel refused", record->budget,
			record->period);
}

static seL4_Error check_times(struct system *system) {
	seL4_CPtr trial = object_make(OBJECT_SCHED_CONTEXT, DOMAIN_SCHED_CONTEXT_BITS);

	if (!trial) return seL4_NotEnoughMemory;
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++)
		try_time(system, i, trial);
	slots_delete(trial, 1);
	return seL4_NoError;
}

seL4_Error needs_check(struct system *system) {
	const struct image *image = &system->image;

	cores_place(system);
	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++)
		find_region(system, i);
	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++)
		keep_region(system, i);
	claim_irqs(system, false);
	for (uint32_t i = 0; i < image_count(image, SYSTEM_PORTS); i++) {
		if (!system->domains[image->ports[i].domain].omitted) claim_port(system, i);
	}
	devices_find(system);
	claim_irqs(system, true);
	return check_times(system);
}
