// SPDX-License-Identifier: BSD-2-Clause
// The first core starts the others one after the other, and each compares itself with it: what the
// kernel knows of its CPU holds for all of them.
#include <entry/cores.h>

#include <entry/mitigate.h>
#include <guest/engine.h>
#include <kernel.h>
#include <sched/schedule.h>
#include <x86/apic.h>

enum {
	INIT_WAIT_US = 10000, // SDM 3A 9.4.4.1
	STARTUP_WAIT_US = 200,
	ANSWER_WAIT_US = 2000000, // to try a timer that does not work takes one second
	LOW_END = 0xa0000,
	READINGS = 16,
	ADJUSTMENTS = 3,
};

// What a core has done.
enum core_step { CORE_OFF, CORE_ENTERED, CORE_COMPARED, CORE_NEVER };

void core_begin(struct cpu *cpu, struct kernel *kernel) {
	cpu->self = cpu;
	cpu->platform = &kernel->platform;
	cpu->kernel = kernel;
	cpu->kernel_stack = (uint64_t)(cpu->stack + sizeof(cpu->stack));
	cpu->tss.rsp[0] = cpu->kernel_stack;
	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	msr_write(MSR_KERNEL_GS_BASE, 0);
}

// On a core that starts

// How far its TSC is ahead of the first core's; 0: no difference can be seen.
static int64_t tsc_ahead(struct core_start *start) {
	int64_t low = INT64_MIN, high = INT64_MAX;

	for (unsigned i = 0; i < READINGS; i++) {
		int64_t before = (int64_t)tsc_read_ordered(), after;

		store_release(&start->asked, start->asked + 1);
		while (load_acquire(&start->answered) != start->asked)
			cpu_relax();
		after = (int64_t)(tsc_read_ordered() - start->tsc);
		before -= (int64_t)start->tsc;
		low = before > low ? before : low;
		high = after < high ? after : high;
	}
	return low <= 0 && high >= 0 ? 0 : low / 2 + high / 2;
}

static bool tsc_match(struct core_start *start) {
	int64_t ahead = start->ahead = tsc_ahead(start);
	uint64_t adjust;

	for (unsigned i = 0; ahead && i < ADJUSTMENTS; i++) {
		if (!msr_try_read(MSR_TSC_ADJUST, &adjust) ||
			!msr_try_write(MSR_TSC_ADJUST, adjust - (uint64_t)ahead))
			return false;
		ahead = tsc_ahead(start);
	}
	return !ahead;
}

// What a core finds is written where the first one's is, which waits.
static bool found_is_same(struct cpu *cpu, const struct cpu *first) {
	struct found *found = &cpu->platform->found, of_first = *found;
	bool is_same;

	fpu_init();
	(void)guest_engine_init();
	is_same = cpu->engine == first->engine && memcmp(found, &of_first, sizeof(*found)) == 0;
	*found = of_first;
	return is_same;
}

// Why the core is left out, or null. INIT does not reach a core in VMX operation (SDM 3C 24.8), so
// nothing that waits comes after that.
static const char *join(struct cpu *cpu, const struct cpu *first) {
	segments_init(cpu, trap_stubs);
	if (!features_init(options_hidden(cpu->start.options)) || cpu->features != first->features)
		return "differs in features";
	machine_check_init();
	mitigate_start(cpu, cpu->start.options);
	segments_use_entry(SYSCALL_ENTRY_CORES);
	if (cpu->mitigations != first->mitigations || cpu->spec_ctrl != first->spec_ctrl)
		return "differs in mitigations";
	if (!memory_types_join(cpu->platform->memory_types)) return "differs in MTRRs";
	pcid_start(cpu->start.options[OPTION_PCID] != MODE_OFF);
	(void)apic_init();
	if (!clock_join(first)) return "its timer does not work";
	if (!tsc_match(&cpu->start)) return "its TSC cannot be made equal";
	schedule_init(cpu);
	return found_is_same(cpu, first) ? NULL : "differs in virtualization or XCR0";
}

enum exit_path core_main(struct cpu *cpu) {
	core_begin(cpu, cpu->kernel);
	store_release(&cpu->start.step, CORE_ENTERED);
	cpu->start.refusal = join(cpu, cpu->platform->cores[0]);
	cpu->is_silent = false;
	store_release(&cpu->start.step, CORE_COMPARED);
	if (cpu->start.refusal) cpu_stop();
	// An interrupt that is pending is taken with the lock.
	while (!__atomic_load_n(&cpu->has_peers, __ATOMIC_ACQUIRE))
		cpu_relax();
	apic_open();
	return EXIT_TO_IDLE;
}

// On the first core

static struct cpu *core_make(const struct cpu *first, struct boot_memory *memory) {
	uint64_t address = memory_take(memory, sizeof(struct cpu), GIB);
	struct cpu *cpu = (struct cpu *)(KERNEL_IMAGE + address);

	if (!address) return NULL;
	kernel_map_core(cpu);
	memset(cpu, 0, offsetof(struct cpu, stack_guard));
	cpu->kernel = first->kernel;
	cpu->is_silent = true;
	return cpu;
}

// Until the core has taken the step, and tells it the time; false after us without that.
static bool core_waits(struct core_start *start, uint32_t step, uint64_t us) {
	uint64_t end = clock_now() + us * clock_ticks_per_us();

	while (load_acquire(&start->step) < step) {
		uint32_t asked = load_acquire(&start->asked);

		if (asked != start->answered) {
			start->tsc = tsc_read_ordered();
			store_release(&start->answered, asked);
		}
		if (clock_now() > end) return false;
		cpu_relax();
	}
	return true;
}

static void core_reset(struct core_start *start) {
	apic_send(start->apic_id, COMMAND_INIT | COMMAND_ASSERT);
	(void)core_waits(start, CORE_NEVER, INIT_WAIT_US);
	this_cpu()->platform->console.panicking = NULL; // if that was why
}

// The page is as before when the core has left it. One that is silent may not go on there.
[[gnu::noinline]] static bool core_run(struct cpu *cpu, uint64_t page) {
	uint32_t startup = COMMAND_STARTUP | COMMAND_ASSERT | (uint32_t)(page / PAGE_SIZE);
	uint8_t *low = physical_pointer(physical(page));
	uint8_t saved[CORE_TRAMPOLINE_SIZE];
	bool runs;

	memcpy(saved, low, sizeof(saved));
	memcpy(low, physical_pointer(physical((uint64_t)core_trampoline)), sizeof(saved));
	memcpy(low + sizeof(saved) - sizeof(cpu), &cpu, sizeof(cpu));
	core_reset(&cpu->start);
	apic_send(cpu->start.apic_id, startup);
	if (!core_waits(&cpu->start, CORE_ENTERED, STARTUP_WAIT_US))
		apic_send(cpu->start.apic_id, startup);
	runs = core_waits(&cpu->start, CORE_COMPARED, ANSWER_WAIT_US);
	if (!runs) core_reset(&cpu->start);
	memcpy(low, saved, sizeof(saved));
	return runs;
}

static bool core_start(struct cpu *cpu, const struct cpu *first, uint64_t page) {
	struct core_start *start = &cpu->start;
	uint64_t began = clock_now();

	// The ids above mean all cores.
	if (start->apic_id >= (first->apic_page ? UINT8_MAX : UINT32_MAX))
		start->refusal = "has no id in this mode of the APIC";
	else if (!core_run(cpu, page))
		start->refusal = "does not answer";
	if (start->refusal)
		return refuse("cores: APIC id %u left out: %s\n", start->apic_id, start->refusal);
	print("cores: core %u, APIC id %u, microcode %x, TSC corrected by %ld, up in %lu us\n",
		cpu->platform->core_count, start->apic_id, start->microcode, -start->ahead,
		(clock_now() - began) / clock_ticks_per_us());
	return true;
}

// Nothing runs yet but this core's start. What was compiled for one core gives way.
static void use_cores(struct platform *platform, bool has_big_lock) {
	for (unsigned i = 0; i < platform->core_count; i++) {
		struct cpu *cpu = platform->cores[i];

		cpu->lock.hold = cpu->lock.rest = has_big_lock ? HOLD_ALWAYS : 0;
		cpu->lock.next = platform->cores[(i + 1) % platform->core_count];
	}
	for (unsigned i = 0; i < platform->core_count; i++)
		__atomic_store_n(&platform->cores[i]->has_peers, true, __ATOMIC_RELEASE);
	platform->syscall_entries[SYSCALL_ENTRY_FAST] =
		platform->syscall_entries[SYSCALL_ENTRY_CORES];
	segments_use_entry(SYSCALL_ENTRY_FAST);
}

void cores_start(struct cpu *first, const struct acpi_facts *acpi, const unsigned options[OPTIONS],
	struct boot_memory *memory) {
	struct platform *platform = first->platform;
	uint64_t page = LOW_END - PAGE_SIZE; // where others start; 0: there is none

	while (page && !region_has(&memory->ram, page, PAGE_SIZE))
		page -= PAGE_SIZE;
	platform->cores[platform->core_count++] = first;
	memory_types_read(platform->memory_types);
	first->start.apic_id = apic_id();
	for (unsigned i = 0; i < acpi->core_count && i < ACPI_MAX_CORES; i++) {
		struct cpu *cpu;

		if (platform->core_count == options[OPTION_CORES]) break;
		if (acpi->cores[i] == first->start.apic_id) continue;
		cpu = page ? core_make(first, memory) : NULL;
		if (!cpu) {
			print("cores: no RAM for another one below 1 GiB and 640 KiB\n");
			break;
		}
		cpu->start.apic_id = acpi->cores[i];
		cpu->start.options = options;
		cpu->number = platform->core_count;
		if (core_start(cpu, first, page)) platform->cores[platform->core_count++] = cpu;
	}
	if (platform->core_count > 1) use_cores(platform, options[OPTION_BIG_LOCK] == MODE_ON);
	if (acpi->core_count > 1)
		print("cores: %u of %u, %lu KiB each\n", platform->core_count, acpi->core_count,
			sizeof(struct cpu) / 1024);
	region_add(&memory->free, platform->map.pool_next, platform->map.pool_end);
}
