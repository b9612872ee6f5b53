// SPDX-License-Identifier: BSD-2-Clause
// Other cores are coroutines of the first. Each has what differs in machine_cores; all else is
// equal.
#include "machine.h"

#include <base/compiler.h>
#include <cpu/clock.h>
#include <cpu/features.h>
#include <cpu/kernel_map.h>
#include <cpu/msr.h>
#include <cpu/pcid.h>
#include <entry/mitigate.h>
#include <guest/engine.h>
#include <sched/schedule.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <x86/apic.h>

enum {
	IMAGE_SIZE = 16 << 20,
	RAM_START = 1 << 20,
	STACK = 256 << 10,
	BITS = 0x5a, // features, mitigations and the like of every core
	MTRR_DEFAULT = 0xc06,
	MTRR_VALUE = 0x80000000,
	ALL_DELIVERY = 7 << COMMAND_DELIVERY_SHIFT,
	PATTERN = 0xa5,
};

struct machine_core machine_cores[MACHINE_IDS];
struct acpi_facts machine_acpi;
struct boot_memory machine_memory;
unsigned machine_options[OPTIONS];
struct kernel machine_kernel;
struct cpu machine_first;
char machine_printed[16384];
unsigned machine_mapped;

const char trap_stubs[1];
const char core_trampoline[CORE_TRAMPOLINE_SIZE] = {1, 2, 3};

static alignas(4096) uint8_t image[IMAGE_SIZE], low[0xa0000];
static uint8_t stack[STACK];
static const void *first_stack;
static size_t first_stack_size;
static ucontext_t first_context, other_context;
static struct machine_core *other, *running; // null: the first core runs; other: a coroutine
static uint64_t now, other_enters_at;
static bool is_other_on;
static struct guest_engine engine;

static struct machine_core *own(void) {
	return running ? running : &machine_cores[machine_first.start.apic_id];
}

void print(const char *format, ...) {
	size_t length = strlen(machine_printed);
	va_list arguments;

	if (this_cpu()->is_silent) return;
	va_start(arguments, format);
	vsnprintf(machine_printed + length, sizeof(machine_printed) - length, format, arguments);
	va_end(arguments);
}

// Memory

void *machine_pointer(physical_t address) {
	return address.value < sizeof(low) ? low + address.value : (void *)address.value;
}

uint64_t machine_image(void) { return (uint64_t)image - RAM_START; }

bool machine_low_is_kept(void) {
	for (size_t i = 0; i < sizeof(low); i++)
		if (low[i] != PATTERN) return false;
	return true;
}

// The processor

struct cpu *this_cpu(void) {
	return running && running->cpu ? running->cpu : &machine_first;
}

void machine_msr_write(uint32_t msr, uint64_t value) {
	if (msr == MSR_GS_BASE && running) running->cpu = (struct cpu *)value;
}

bool msr_try_read(uint32_t msr, uint64_t *value) {
	const struct machine_core *core = own();

	if (msr == MSR_MTRR_FIRST)
		*value = core->mtrr;
	else if (msr == MSR_MTRR_DEFAULT_TYPE)
		*value = core->mtrr_default;
	else if (msr == MSR_TSC_ADJUST && core->has_tsc_adjust)
		*value = core->tsc_adjust;
	else
		return false;
	return true;
}

bool msr_try_write(uint32_t msr, uint64_t value) {
	struct machine_core *core = own();

	if (msr == MSR_TSC_ADJUST && core->has_tsc_adjust) {
		core->tsc_adjust = value;
		return true;
	}
	if (core->unfit == UNFIT_MTRRS) return false;
	if (msr != MSR_MTRR_FIRST && msr != MSR_MTRR_DEFAULT_TYPE) return false;
	if (!(core->cr0 & CR0_CD) || core->cr4 & CR4_PGE || core->flushes == 0 ||
		(msr == MSR_MTRR_FIRST && core->mtrr_default))
		core->mtrrs_were_written_wrong = true;
	*(msr == MSR_MTRR_FIRST ? &core->mtrr : &core->mtrr_default) = value;
	return true;
}

uint64_t *machine_cr0(void) { return &own()->cr0; }

uint64_t *machine_cr4(void) { return &own()->cr4; }

void machine_caches_flush(void) { own()->flushes++; }

uint64_t clock_now(void) { return now += READING_US; }

uint64_t clock_ticks_per_us(void) { return 1; }

uint64_t machine_tsc(void) {
	const struct machine_core *core = own();
	uint64_t adjust = core->is_tsc_fixed ? 0 : core->tsc_adjust;

	return clock_now() + (uint64_t)core->tsc_ahead + adjust;
}

// Turns

static void other_body(void) {
	struct cpu *cpu;

	__sanitizer_finish_switch_fiber(NULL, &first_stack, &first_stack_size);
	memcpy(&cpu, low + MACHINE_LOW_END - 4096 + CORE_TRAMPOLINE_SIZE - sizeof(cpu),
		sizeof(cpu));
	if (core_main(cpu) == EXIT_TO_IDLE) running->is_idle = true;
	machine_stop();
}

// The sanitizer must know which stack is in use.
static void turn(ucontext_t *from, ucontext_t *to, struct machine_core *next) {
	void *fake;

	__sanitizer_start_switch_fiber(
		&fake, next ? stack : first_stack, next ? sizeof(stack) : first_stack_size);
	running = next;
	if (swapcontext(from, to)) abort();
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

// A core that has compared itself waits for the others.
void machine_relax(void) {
	if (running && !this_cpu()->is_silent) running->is_idle = true;
	if (running)
		turn(&other_context, &first_context, NULL);
	else if (is_other_on && now >= other_enters_at)
		turn(&first_context, &other_context, other);
}

void machine_stop(void) {
	if (!running) abort();
	running->is_stopped = !running->is_idle;
	is_other_on = false;
	turn(&other_context, &first_context, NULL);
	abort();
}

void panic(const char *format, ...) {
	printf("%s\n", format);
	abort();
}

void apic_send(uint32_t id, uint32_t command) {
	struct machine_core *core = &machine_cores[id];

	if (id >= MACHINE_IDS || core->command_count == MACHINE_COMMANDS) abort();
	core->times[core->command_count] = now;
	core->commands[core->command_count++] = command;
	if ((command & ALL_DELIVERY) == COMMAND_INIT) is_other_on = false;
	if ((command & ALL_DELIVERY) != COMMAND_STARTUP || is_other_on ||
		core->unfit == UNFIT_SILENT)
		return;
	if ((command & 0xff) != (MACHINE_LOW_END - 4096) >> 12 ||
		memcmp(low + MACHINE_LOW_END - 4096, core_trampoline, 8) != 0)
		abort();
	other = core;
	is_other_on = true;
	other_enters_at = now + core->enters_after;
	if (getcontext(&other_context)) abort();
	other_context.uc_stack.ss_sp = stack;
	other_context.uc_stack.ss_size = sizeof(stack);
	makecontext(&other_context, other_body, 0);
}

// What the kernel finds

uint64_t options_hidden(const unsigned options[OPTIONS]) {
	if (options != machine_options) abort();
	return BITS;
}

bool features_init(uint64_t hidden) {
	struct cpu *cpu = this_cpu();

	if (hidden != BITS) abort();
	print("cpu: another\n");
	while (running->unfit == UNFIT_STUCK)
		machine_relax();
	if (running->unfit == UNFIT_PANIC) {
		cpu->platform->console.panicking = cpu;
		machine_stop();
	}
	cpu->features = BITS ^ (running->unfit == UNFIT_FEATURES);
	return running->unfit != UNFIT_FEATURE_MISSING;
}

void mitigate_start(struct cpu *cpu, const unsigned options[OPTIONS]) {
	if (options != machine_options) abort();
	cpu->mitigations = BITS ^ (running->unfit == UNFIT_MITIGATIONS);
	cpu->spec_ctrl = BITS ^ (running->unfit == UNFIT_SPEC_CTRL);
	cpu->start.microcode = running->microcode;
}

bool clock_join(const struct cpu *first) {
	return first == &machine_first && running->unfit != UNFIT_TIMER;
}

void fpu_init(void) {
	this_cpu()->platform->found.xcr0_supported = BITS ^ (own()->unfit == UNFIT_XCR0);
}

const struct paging_format *guest_engine_init(void) {
	struct cpu *cpu = this_cpu();

	cpu->platform->found.words[VMX_ENTRY].may = BITS ^ (own()->unfit == UNFIT_VMX);
	cpu->platform->found.svm.asids = BITS ^ (own()->unfit == UNFIT_SVM);
	cpu->engine = own()->unfit == UNFIT_ENGINE ? NULL : &engine;
	return NULL;
}

uint32_t apic_id(void) { return machine_first.start.apic_id; }

uint64_t apic_init(void) { return 0; }

void apic_open(void) {
	if (this_cpu()->has_peers) running->is_open = true;
}

void kernel_map_core(const struct cpu *) { machine_mapped++; }

void machine_check_init(void) {}

void pcid_start(bool) {}

void schedule_init(struct cpu *) {}

void segments_init(struct cpu *, const char *) {}

void segments_use_entry(enum syscall_entry) {}

void machine_reset(unsigned cores, uint32_t first_id, bool has_x2apic) {
	static volatile uint32_t page;

	memset(machine_cores, 0, sizeof(machine_cores));
	memset(&machine_kernel, 0, sizeof(machine_kernel));
	memset(&machine_first, 0, sizeof(machine_first));
	memset(&machine_acpi, 0, sizeof(machine_acpi));
	memset(&machine_memory, 0, sizeof(machine_memory));
	memset(low, PATTERN, sizeof(low));
	memset(image, PATTERN, sizeof(image));
	machine_printed[0] = '\0';
	machine_mapped = 0;
	is_other_on = false;
	running = NULL;
	for (unsigned i = 0; i < MACHINE_IDS; i++) {
		machine_cores[i].mtrr = MTRR_VALUE;
		machine_cores[i].mtrr_default = MTRR_DEFAULT;
		machine_cores[i].cr4 = CR4_PGE;
		machine_cores[i].has_tsc_adjust = true;
	}
	machine_acpi.core_count = cores;
	for (unsigned i = 0; i < cores && i < ACPI_MAX_CORES; i++)
		machine_acpi.cores[i] = i;
	region_add(&machine_memory.ram, 0, MACHINE_LOW_END);
	region_add(&machine_memory.free, RAM_START, RAM_START + IMAGE_SIZE);
	machine_options[OPTION_CORES] = ACPI_MAX_CORES;
	core_begin(&machine_first, &machine_kernel);
	machine_first.start.apic_id = first_id;
	machine_first.apic_page = has_x2apic ? NULL : &page;
	machine_first.features = machine_first.mitigations = machine_first.spec_ctrl = BITS;
	fpu_init();
	(void)guest_engine_init();
}

void machine_start(void) {
	cores_start(&machine_first, &machine_acpi, machine_options, &machine_memory);
	if (is_other_on) turn(&first_context, &other_context, other);
}
