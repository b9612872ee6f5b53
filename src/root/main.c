// SPDX-License-Identifier: BSD-2-Clause
// The initial task: builds the system its image describes, starts it, and then only watches.
#include <root/domain.h>
#include <root/module.h>
#include <root/monitor.h>
#include <root/pages.h>
#include <root/probe.h>
#include <root/system.h>
#include <root/wire.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	// Kernel objects and page tables beside the pages: this much a domain, and one part of 256.
	OVERHEAD_BYTES_PER_DOMAIN = 96 << 10,
	OVERHEAD_PART = 256,
	MIB = 1 << 20,
};

// Written while the system is built; afterwards only read.
static struct system the_system;

seL4_Error system_report(seL4_Error error, const char *what, const char *name) {
	if (error == seL4_NotEnoughMemory)
		print("system: %s '%s': out of memory or slots (%lu KiB, %lu slots left)\n", what,
			name, untyped_left() >> 10, slots_left());
	else if (error == seL4_RangeError)
		print("system: %s '%s': no such memory, pin or port on this machine\n", what, name);
	else
		print("system: %s '%s': the kernel refused with error %d\n", what, name, error);
	return error;
}

// Bytes of RAM that are missing, either in all or for large frames, which need whole blocks.
static seL4_Word bytes_missing(const struct system *system) {
	struct pages_demand pages = pages_needed(system);
	seL4_Word domains = image_count(&system->image, SYSTEM_DOMAINS);
	seL4_Word needed = pages.bytes + pages.bytes / OVERHEAD_PART +
		domains * OVERHEAD_BYTES_PER_DOMAIN;
	seL4_Word left = untyped_left();
	seL4_Word room = untyped_room(LARGE_PAGE_BITS);

	if (needed > left) return needed - left;
	return pages.large > room ? (pages.large - room) << LARGE_PAGE_BITS : 0;
}

static void omit_guest(struct system *system, uint32_t index) {
	system->domains[system->image.guests[index].domain].omitted = true;
}

// Leave guests out, last first, until the memory is enough.
static bool fit_memory(struct system *system) {
	uint32_t guest = image_count(&system->image, SYSTEM_GUESTS);

	for (;;) {
		seL4_Word missing = (bytes_missing(system) + MIB - 1) / MIB;

		if (missing == 0) return true;
		if (guest == 0) {
			print("system: not enough memory: %lu MiB more needed; nothing started\n",
				missing);
			return false;
		}
		guest--;
		print("system: not enough memory: %lu MiB more needed: "
		      "virtual machine '%s' and its monitor '%s' are not started\n",
			missing, system->image.guests[guest].name,
			system->image.domains[system->image.guests[guest].domain].name);
		omit_guest(system, guest);
	}
}

static seL4_Error make_guests(struct system *system) {
	const struct image *image = &system->image;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_GUESTS); i++) {
		const struct system_guest *guest = &image->guests[i];
		const char *monitor = image->domains[guest->domain].name;
		seL4_Error error;

		if (system->domains[guest->domain].omitted) continue;
		error = guest_make(system, i);
		if (error == seL4_IllegalOperation) {
			print("system: no VT-x on this CPU: virtual machine '%s' cannot run, its "
			      "monitor '%s' is not started\n",
				guest->name, monitor);
			omit_guest(system, i);
		} else if (error) {
			return system_report(error, "virtual machine", guest->name);
		}
	}
	return seL4_NoError;
}

// One step of building, for all domains that are started.
static seL4_Error for_domains(
	struct system *system, seL4_Error (*step)(struct system *system, uint32_t index)) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		seL4_Error error;

		if (system->domains[i].omitted) continue;
		error = step(system, i);
		if (error)
			return system_report(
				error, "protection domain", system->image.domains[i].name);
	}
	return seL4_NoError;
}

static seL4_Error configure_guests(struct system *system) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_GUESTS); i++) {
		const struct system_guest *guest = &system->image.guests[i];
		seL4_Error error;

		if (system->domains[guest->domain].omitted) continue;
		error = guest_configure(system, i);
		if (error) return system_report(error, "virtual machine", guest->name);
	}
	return seL4_NoError;
}

static seL4_Error build(struct system *system) {
	seL4_Error error = make_guests(system);

	if (!error) error = pages_init(system);
	if (!error) error = for_domains(system, domain_make);
	// Regions first: large frames need memory that small ones have not cut up.
	if (!error) error = pages_build_regions(system);
	if (!error) error = for_domains(system, pages_build_domain);
	if (!error) error = for_domains(system, domain_configure);
	if (!error) error = configure_guests(system);
	if (!error) error = wire_all(system);
	return error ? error : for_domains(system, domain_start);
}

void root_main(const seL4_BootInfo *bootinfo) {
	struct system *system = &the_system;
	const char *problem;
	const void *bytes;
	seL4_Word size;

	system->bootinfo = bootinfo;
	system->debug_calls = probe_debug_calls(bootinfo);
	if (!system->debug_calls) print_silence();
	bytes = module_map(bootinfo, &size);
	if (!bytes) return;
	problem = image_open(&system->image, bytes, size);
	if (problem) {
		print("system: the system image cannot be used: %s\n", problem);
		return;
	}
	system->fault_endpoint = object_make(OBJECT_ENDPOINT, 0);
	if (!system->fault_endpoint || !fit_memory(system)) return;
	if (build(system)) {
		print("system: nothing more is started\n");
		return;
	}
	monitor_run(system);
}
