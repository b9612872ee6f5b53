// SPDX-License-Identifier: BSD-2-Clause
// Configures the description's time domains in the kernel.
#include <root/time_domain.h>

#include <base/memory.h>
#include <user/print.h>

#define MICROSECONDS_PER_SECOND 1000000ul

// The kernel has the domain, by its answer for a slot that is not used yet.
static bool kernel_has(uint32_t domain) {
	return !seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1, (seL4_Uint8)domain, 1) &&
		!seL4_DomainSet_ScheduleConfigure(seL4_CapDomain, 1, 0, 0);
}

// Of the description, by its schedule and its protection domains.
static uint32_t last_domain(const struct image *image) {
	uint32_t last = 0;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_SLICES); i++)
		if (image->slices[i].time_domain > last) last = image->slices[i].time_domain;
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++)
		if (image->domains[i].time_domain > last) last = image->domains[i].time_domain;
	return last;
}

void time_domains_find(struct system *system) {
	uint32_t last = last_domain(&system->image);

	system->one_time_domain = last == 0 || !kernel_has(last);
	if (last > 0 && system->one_time_domain)
		print("system: the kernel lacks time domains: all components run by priority, the "
		      "described schedule is not used; it needs the boot option domains=%u\n",
			last + 1);
}

seL4_Error time_domains_assign(const struct system *system) {
	const struct image *image = &system->image;

	if (system->one_time_domain) return seL4_NoError;
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		const struct system_domain *record = &image->domains[i];
		seL4_Error error;

		if (system->domains[i].omitted || record->time_domain == 0) continue;
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

	// A schedule for one time domain lets all threads run by priority, as without a schedule.
	if (count == 0 || system->one_time_domain) return seL4_NoError;
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
