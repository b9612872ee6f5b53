// SPDX-License-Identifier: BSD-2-Clause
// The building steps in their order. Each step handles the domains of one group, or of all groups,
// and allocates from the group's own memory.
#include <root/build.h>

#include <abi/object.h>

#include <sel4/nacre.h>

#include <root/devices.h>
#include <root/domain.h>
#include <root/io_space.h>
#include <root/needs.h>
#include <root/pages.h>
#include <root/passed.h>
#include <root/regions.h>
#include <root/time_domain.h>
#include <root/wire.h>

#include <user/untyped.h>

enum {
	// Kernel objects and page tables beside the pages: a fixed number of bytes for each domain
	// and mapping, and 1/256 of the pages.
	OVERHEAD_BYTES_PER_DOMAIN = 96 << 10,
	OVERHEAD_BYTES_PER_MAP = 12 << 10,
	OVERHEAD_BYTES_PER_GUEST = 64 << 10,
	OVERHEAD_PART = 256,
};

// Bytes of RAM a group takes beside its large frames.
static seL4_Word small_bytes(const struct system *system, unsigned group) {
	const struct image *image = &system->image;
	struct pages_demand demand = regions_needed(system, group);
	seL4_Word bytes = demand.bytes - (demand.large << LARGE_PAGE_BITS) +
		demand.bytes / OVERHEAD_PART + io_spaces_bytes(system, group) +
		passed_bytes(system, group);

	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		if (system->domains[i].omitted || group_of_domain(system, i) != group) continue;
		bytes += OVERHEAD_BYTES_PER_DOMAIN;
		if (image->domains[i].guest != SYSTEM_NONE) bytes += OVERHEAD_BYTES_PER_GUEST;
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_MAPS); i++) {
		if (group_of_map(system, &image->maps[i]) == group) bytes += OVERHEAD_BYTES_PER_MAP;
	}
	return bytes;
}

static bool group_exists(const struct system *system, unsigned group) {
	return group == GROUP_NONE ||
		(group <= image_count(&system->image, SYSTEM_DOMAINS) &&
			!system->domains[group - 1].omitted &&
			group_of_domain(system, group - 1) == group);
}

seL4_Word build_bytes_missing(const struct system *system) {
	seL4_Word left = untyped_left();
	seL4_Word room = untyped_room(LARGE_PAGE_BITS);
	seL4_Word stored = regions_storage(system) + passed_storage(system);
	seL4_Word needed = (1ul << (SLOT_BITS + pages_storage_bits(stored))) +
		stored * sizeof(seL4_Word);
	seL4_Word large = 0;

	for (unsigned group = 0; group < GROUP_LIMIT; group++) {
		if (!group_exists(system, group)) continue;
		large += regions_needed(system, group).large;
		needed += small_bytes(system, group);
	}
	needed += large << LARGE_PAGE_BITS;
	if (needed > left) return needed - left;
	return large > room ? (large - room) << LARGE_PAGE_BITS : 0;
}

typedef seL4_Error (*domain_step)(struct system *system, uint32_t index);

static seL4_Error for_domain(
	struct system *system, unsigned group, domain_step step, uint32_t index) {
	unsigned own = group_of_domain(system, index);
	seL4_Error error;

	if (system->domains[index].omitted || !group_matches(group, own)) return seL4_NoError;
	untyped_select(own);
	error = step(system, index);
	untyped_select(GROUP_NONE);
	return error ? system_report(error, "protection domain", system->image.domains[index].name)
		     : seL4_NoError;
}

static seL4_Error for_domains(struct system *system, unsigned group, domain_step step) {
	seL4_Error error = seL4_NoError;

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_DOMAINS); i++)
		error = for_domain(system, group, step, i);
	return error;
}

// A guest that the CPU cannot run is omitted; everything else is an error.
static seL4_Error make_guest(struct system *system, uint32_t index) {
	seL4_Error error;

	if (system->faults.guests) {
		needs_omit(system, system->image.guests[index].domain,
			"the self-test of guests failed");
		return seL4_NoError;
	}
	error = guest_make(system, index);
	if (error != seL4_IllegalOperation) return error;
	needs_omit(system, system->image.guests[index].domain, "no VT-x or AMD-V on this CPU");
	return seL4_NoError;
}

static seL4_Error for_guests(struct system *system, unsigned group, domain_step step) {
	seL4_Error error = seL4_NoError;

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_GUESTS); i++) {
		const struct system_guest *guest = &system->image.guests[i];
		unsigned own = group_of_domain(system, guest->domain);

		if (system->domains[guest->domain].omitted || !group_matches(group, own)) continue;
		untyped_select(own);
		error = step(system, i);
		untyped_select(GROUP_NONE);
		if (error) system_report(error, "virtual machine", guest->name);
	}
	return error;
}

// Large frames first: small ones would fragment the memory that they need.
static seL4_Error reserve_groups(struct system *system) {
	for (unsigned group = 1; group < GROUP_LIMIT; group++) {
		seL4_Error error;

		if (!group_exists(system, group)) continue;
		error = untyped_reserve(
			group, regions_needed(system, group).large << LARGE_PAGE_BITS);
		if (!error) error = untyped_reserve(group, small_bytes(system, group));
		if (error)
			return system_report(
				error, "memory to restart", system->image.domains[group - 1].name);
	}
	return seL4_NoError;
}

// Private pages of a group are stored contiguously, so that a rebuild finds the same places.
static seL4_Error build_pages(struct system *system, unsigned group) {
	seL4_Error error;

	system->group_stored[group] = system->storage_used;
	error = regions_build(system, group);
	return error ? error : for_domains(system, group, pages_build_domain);
}

static seL4_Error build_all_pages(struct system *system) {
	seL4_Error error = seL4_NoError;

	for (unsigned group = 0; !error && group < GROUP_LIMIT; group++) {
		if (group_exists(system, group)) error = build_pages(system, group);
	}
	return error;
}

static seL4_Error connect(struct system *system, unsigned group) {
	seL4_Error error = for_domains(system, group, domain_configure);

	if (!error) error = for_guests(system, group, guest_configure);
	return error ? error : wire_group(system, group);
}

static seL4_Error start_here(struct system *system, uint32_t index) {
	return system->domains[index].core == 0 ? domain_start(system, index) : seL4_NoError;
}

static seL4_Error start_elsewhere(struct system *system, uint32_t index) {
	return system->domains[index].core == 0 ? seL4_NoError : domain_start(system, index);
}

// Domains of other cores run at once, those of this core when the initial task waits. Children are
// started before their parents there, which may stop or restart them as soon as they run.
static seL4_Error start(struct system *system, unsigned group) {
	seL4_Error error = for_domains(system, group, start_here);

	for (uint32_t i = image_count(&system->image, SYSTEM_DOMAINS); !error && i > 0; i--)
		error = for_domain(system, group, start_elsewhere, i - 1);
	return error;
}

seL4_Error build_system(struct system *system) {
	seL4_Error error = reserve_groups(system);

	time_domains_find(system);
	if (!error) error = for_guests(system, GROUP_ALL, make_guest);
	if (!error) error = pages_init(system, regions_storage(system) + passed_storage(system));
	if (!error) error = for_domains(system, GROUP_ALL, domain_make_inputs);
	if (!error) error = for_domains(system, GROUP_ALL, domain_make);
	if (!error) error = build_all_pages(system);
	// The devices' registers before their memory, which is the last that is built of them.
	if (!error) error = passed_build(system, GROUP_ALL);
	if (!error) error = io_spaces_build(system, GROUP_ALL);
	if (!error) error = connect(system, GROUP_ALL);
	if (!error) error = time_domains_assign(system);
	if (!error) error = start(system, GROUP_ALL);
	return error ? error : time_domains_start(system);
}

// The initial task keeps the reply object, too: callers of a domain that is about to be destroyed
// would otherwise wait for ever. Without a caller the reply has no effect.
static seL4_Error answer_callers(struct system *system, uint32_t index) {
	seL4_NBSend(
		system->domains[index].reply, seL4_MessageInfo_new(NACRE_REPLY_RESTARTED, 0, 0, 0));
	return seL4_NoError;
}

static seL4_Error suspend(struct system *system, uint32_t index) {
	return seL4_TCB_Suspend(system->domains[index].tcb);
}

// The group's scheduling contexts are gone, and with them the time of a passive domain that was
// serving one of the group. Given its own context it finishes the call; its next receive returns
// that context to its notification. The kernel refuses the bind for domains that run on another
// client's time; those that wait handle one event on their own time.
static void rescue_servers(const struct system *system, unsigned group) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		const struct domain *domain = &system->domains[i];
		bool passive = system->image.domains[i].flags & SYSTEM_DOMAIN_PASSIVE;

		if (passive && !domain->omitted && group_of_domain(system, i) != group)
			seL4_SchedContext_Bind(domain->sched_context, domain->tcb);
	}
}

// They were for the life that is over.
static seL4_Error forget_signals(struct system *system, uint32_t index) {
	seL4_Word badge;

	seL4_Poll(system->domains[index].notification, &badge);
	return seL4_NoError;
}

seL4_Error build_again(struct system *system, unsigned group) {
	seL4_Word stored = system->storage_used;
	seL4_Error error = for_domains(system, group, suspend);

	if (!error) devices_stop_again(system, group);
	if (!error) error = for_domains(system, group, answer_callers);
	if (!error) error = untyped_revoke(group);
	if (!error) error = for_domains(system, group, forget_signals);
	if (error) return error;
	rescue_servers(system, group);
	error = for_guests(system, group, make_guest);
	if (!error) error = for_domains(system, group, domain_make);
	if (error) return error;
	system->storage_used = system->group_stored[group];
	error = build_pages(system, group);
	system->storage_used = stored;
	if (!error) error = regions_map_again(system, group);
	devices_ready(system, group);
	if (!error) error = passed_build(system, group);
	if (!error) error = io_spaces_build(system, group);
	if (!error) error = connect(system, group);
	if (!error) error = time_domains_assign(system);
	return error ? error : start(system, group);
}
