// SPDX-License-Identifier: BSD-2-Clause
// Configures the description's time domains in the kernel.
#include <root/time_domain.h>

#include <kernel/gen_config.h>

#include <base/memory.h>
#include <user/print.h>

#define MICROSECONDS_PER_SECOND 1000000ul

static seL4_Error give_up(struct system *system, const char *name) {
	if (!system->one_time_domain)
		print("system: this kernel has one time domain: '%s' and all others run in it by "
		      "priority, the described schedule is not used\n",
			name);
	system->one_time_domain = true;
	return seL4_NoError;
}

seL4_Error time_domains_assign(struct system *system) {
	const struct image *image = &system->image;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		const struct system_domain *record = &image->domains[i];
		seL4_Error error;

		if (system->domains[i].omitted || record->time_domain == 0) continue;
		if (record->time_domain >= CONFIG_NUM_DOMAINS) return give_up(system, record->name);
		error = seL4_DomainSet_Set(
			seL4_CapDomain, (seL4_Uint8)record->time_domain, system->domains[i].tcb);
		if (error) return system_report(error, "time domain of", record->name);
	}
	return seL4_NoError;
}

// The time stamp counter's ticks a second; 0 when the kernel does not report it.
static seL4_Word tsc_rate(const struct system *system) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(system->bootinfo, BOOTINFO_TSC_RATE);
	seL4_Word rate = 0;

	if (chunk && chunk->len == sizeof(*chunk) + sizeof(rate))
		memcpy(&rate, chunk + 1, sizeof(rate));
	return rate;
}

static seL4_Error load_slice(const struct system *system, uint32_t index) {
	const struct system_slice *slice = &system->image.slices[index];
	seL4_Word duration = slice->duration;

	if (slice->unit == SYSTEM_UNIT_MICROSECONDS) {
		seL4_Word rate = tsc_rate(system);

		if (rate == 0 || duration > ~0ul / rate) return seL4_RangeError;
		duration = duration * rate / MICROSECONDS_PER_SECOND;
	}
	return seL4_DomainSet_ScheduleConfigure(seL4_CapDomain,
		system->image.header->schedule_shift + index, (seL4_Uint8)slice->time_domain,
		duration);
}

seL4_Error time_domains_start(struct system *system) {
	const struct system_header *header = system->image.header;
	uint32_t count = image_count(&system->image, SYSTEM_SLICES);
	seL4_Error error = seL4_NoError;

	if (count == 0) return seL4_NoError;
	// A schedule for the only time domain lets all threads run by priority, as without a
	// schedule.
	if (CONFIG_NUM_DOMAINS == 1) return give_up(system, system->image.domains[0].name);
	// The slice that is running now cannot become an end marker: the start index moves first.
	for (uint32_t i = 0; !error && i < count; i++) {
		if (system->image.slices[i].duration > 0) error = load_slice(system, i);
	}
	if (!error)
		error = seL4_DomainSet_ScheduleSetStart(
			seL4_CapDomain, header->schedule_shift + header->schedule_start);
	for (uint32_t i = 0; !error && i < count; i++) {
		if (system->image.slices[i].duration == 0) error = load_slice(system, i);
	}
	if (!error && header->schedule_shift + count < SYSTEM_MAX_SLICES)
		error = seL4_DomainSet_ScheduleConfigure(
			seL4_CapDomain, header->schedule_shift + count, 0, 0);
	if (error) system_report(error, "domain schedule of", "the system");
	return error == seL4_RangeError ? seL4_NoError : error;
}
