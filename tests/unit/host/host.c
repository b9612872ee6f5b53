// SPDX-License-Identifier: BSD-2-Clause
// The machine below the kernel in host tests.
#include "host.h"

#include <base/bits.h>
#include <base/panic.h>
#include <cpu/apic.h>
#include <cpu/bases.h>
#include <cpu/clock.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/fpu.h>
#include <cpu/kernel_map.h>
#include <cpu/registers.h>
#include <cpu/segments.h>
#include <guest/vmx/guest.h>
#include <entry/fastpath.h>
#include <kernel.h>
#include <sched/schedule.h>
#include <object/vcpu.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86/ioapic.h>

struct host host;

static struct cpu boot_cpu;
static struct kernel boot_kernel;
static _Thread_local struct host_core *here = &host.cores[0];
static uint64_t kernel_root[512];

void host_start(void) {
	void *window = mmap((void *)PHYSICAL_WINDOW, HOST_MEMORY, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (window != (void *)PHYSICAL_WINDOW) {
		perror("host tests need memory at the place of the physical window");
		exit(1);
	}
	host_restart();
}

void host_restart(void) {
	memset(&host, 0, sizeof(host));
	memset(&boot_cpu, 0, sizeof(boot_cpu));
	memset(&boot_kernel, 0, sizeof(boot_kernel));
	host.now = 1000;
	host.ioapics = HOST_IOAPICS;
	host.has_vmx = true;
	for (unsigned i = 256; i < 512; i++)
		kernel_root[i] = i << 12 | 1;
	host_start_core(&boot_cpu, &boot_kernel);
}

struct host_core *host_core(void) {
	return here;
}

// The one that is the core, or is to be it.
static struct host_core *core_of(const struct cpu *cpu) {
	for (unsigned i = 0; i < host.core_count; i++)
		if (host.cores[i].cpu == cpu) return &host.cores[i];
	if (host.core_count == HOST_CORES) abort();
	return &host.cores[host.core_count++];
}

void host_start_core(struct cpu *cpu, struct kernel *kernel) {
	*core_of(cpu) = (struct host_core){.cpu = cpu, .deadline = UINT64_MAX};
	cpu->platform = &kernel->platform;
	cpu->platform->paging[SPACE_HOST] = &paging_host;
	cpu->platform->paging[SPACE_GUEST] = &paging_ept;
	cpu->kernel = kernel;
	cpu->self = cpu;
	cpu->start.apic_id = (uint32_t)(core_of(cpu) - host.cores);
	cpu->number = kernel->platform.core_count;
	kernel->platform.cores[kernel->platform.core_count++] = cpu;
	for (unsigned i = 0; i < cpu->number; i++) {
		struct cpu *other = kernel->platform.cores[i];

		other->lock.next = kernel->platform.cores[i + 1];
		cpu->has_peers = other->has_peers = true;
	}
	cpu->lock.next = kernel->platform.cores[0];
	schedule_init(cpu);
	cpu->deadline = UINT64_MAX;
}

[[gnu::no_sanitize_thread]] struct cpu *host_use_core(struct cpu *cpu) {
	struct cpu *before = here->cpu;

	here = core_of(cpu);
	return before;
}

struct cpu *this_cpu(void) {
	return here->cpu;
}

// Console

void panic(const char *format, ...) {
	va_list arguments;

	if (host.before_panic) host.before_panic();
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	abort();
}

void print(const char *format, ...) {
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(host.output + host.output_length, HOST_OUTPUT - host.output_length,
		format, arguments);
	va_end(arguments);
	host.output_length += (unsigned)length;
	if (host.output_length >= HOST_OUTPUT) host.output_length = HOST_OUTPUT - 1;
}

bool console_prints_debug(void) { return !here->cpu->platform->console.is_quiet; }

// Time

uint64_t clock_now(void) { return __atomic_load_n(&host.now, __ATOMIC_RELAXED); }

uint64_t clock_ticks_per_us(void) { return HOST_TICKS_PER_US; }

void clock_set_deadline(uint64_t deadline) {
	if (deadline < here->deadline) here->deadline = deadline;
}

void clock_expired(void) { here->deadline = UINT64_MAX; }

void apic_end_of_interrupt(void) { here->in_service = 0; }

bool preempt_wanted(void) {
	here->preempt_asked++;
	return host.preempt_period && here->preempt_asked % host.preempt_period == 0;
}

// Interrupts

[[gnu::weak]] void cpu_relax(void) {}

void apic_send(uint32_t id, uint32_t command) {
	unsigned vector = (uint8_t)command;

	if (id >= host.core_count || vector - HOST_VECTOR_FIRST >= 32u) abort();
	__atomic_fetch_or(
		&host.cores[id].interrupts, 1u << (vector - HOST_VECTOR_FIRST), __ATOMIC_RELAXED);
}

bool host_is_interrupted(const struct host_core *core) {
	return __atomic_load_n(&core->interrupts, __ATOMIC_RELAXED);
}

// The highest first, as the APIC does.
unsigned host_take_interrupt(void) {
	uint32_t interrupts = __atomic_load_n(&here->interrupts, __ATOMIC_RELAXED);
	unsigned highest;

	if (!interrupts) return 0;
	highest = bits_highest(interrupts);
	__atomic_fetch_and(&here->interrupts, ~(1u << highest), __ATOMIC_RELAXED);
	return HOST_VECTOR_FIRST + highest;
}

unsigned ioapic_count(void) { return host.ioapics; }

unsigned ioapic_pins(unsigned) { return HOST_PINS; }

void ioapic_set_target(unsigned ioapic, unsigned pin, uint32_t high) {
	host.pins[ioapic][pin].high = high;
}

void ioapic_set_route(unsigned ioapic, unsigned pin, uint32_t low) {
	struct host_pin *to = &host.pins[ioapic][pin];

	to->vector = low & REDIRECTION_VECTOR;
	to->level = !!(low & REDIRECTION_LEVEL);
	to->polarity = !!(low & REDIRECTION_LOW_ACTIVE);
	to->unmasked = !(low & REDIRECTION_MASKED);
}

// Registers

const uint64_t *kernel_map_root(void) { return kernel_root; }

physical_t kernel_map_root_physical(void) { return physical(0); }

uint64_t cr0_read(void) { return 0; }

void cr0_write(uint64_t) {}

uint64_t cr2_read(void) { return here->cr2; }

void caches_flush(void) {}

uint64_t cr4_read(void) { return 0; }

void cr4_write(uint64_t) {}

void bases_save(struct context *save) {
	save->fs_base = here->fs_base;
	save->gs_base = here->gs_base;
}

bool bases_have_selectors(void) { return here->has_selectors; }

void bases_load(const struct context *load) {
	here->fs_base = load->fs_base;
	here->gs_base = load->gs_base;
	here->has_selectors = false;
}

void bases_load_fast(const struct context *) {}

void bases_save_fast(struct context *save) { bases_save(save); }

void bases_exchange(struct context *save, const struct context *load) {
	bases_save(save);
	here->fs_base = load->fs_base;
	here->gs_base = load->gs_base;
}

static uint64_t *fpu_word(struct fpu_state *state) { return (uint64_t *)state->area; }

uint64_t fpu_native_xcr0(void) { return 7; }

bool fpu_is_eager(void) { return host.is_fpu_eager; }

void fpu_reset(struct fpu_state *state, size_t, uint64_t xcr0) {
	state->xcr0 = xcr0;
	*fpu_word(state) = 0;
}

// As the real one does (cpu/fpu.c), without CR0.TS.
void fpu_give(struct fpu_state *next) {
	struct cpu *cpu = here->cpu;
	struct fpu_state *owner = cpu->fpu_allowed ? cpu->fpu_allowed : cpu->fpu_parked;

	if (cpu->fpu_allowed == next) return;
	cpu->fpu_allowed = next;
	if (!next) {
		cpu->fpu_parked = owner;
	} else if (owner != next) {
		if (owner) *fpu_word(owner) = here->fpu;
		here->fpu = *fpu_word(next);
	}
}

void fpu_take(struct fpu_state *state) {
	struct cpu *cpu = here->cpu;

	if (cpu->fpu_allowed == state) fpu_give(NULL);
	if (cpu->fpu_allowed || cpu->fpu_parked != state) return;
	*fpu_word(state) = here->fpu;
	cpu->fpu_parked = NULL;
}

uint8_t io_in8(uint16_t) { return 0; }

uint16_t io_in16(uint16_t) { return 0; }

uint32_t io_in32(uint16_t) { return 0; }

void io_out8(uint16_t, uint8_t) {}

void io_out16(uint16_t, uint16_t) {}

void io_out32(uint16_t, uint32_t) {}

bool guest_engine_is_on(void) { return host.has_vmx; }

void vmx_invalidate_guest(physical_t, unsigned, uint64_t) {}

// Fast paths

void segments_use_entry(enum syscall_entry) {}

void exit_to_user(void) {}

void syscall_slow(void) { here->slow++; }

void call_slow(struct slot *slot) {
	here->slow++;
	here->slow_slot = slot;
}

void exception_slow(uint64_t, uint64_t) { here->slow++; }
