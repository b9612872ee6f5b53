// SPDX-License-Identifier: BSD-2-Clause
// The machine below the kernel in host tests.
#include "host.h"

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
#include <cap/invocation.h>
#include <sched/schedule.h>
#include <object/vcpu.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <x86/ioapic.h>

struct host host;

static struct cpu boot_cpu;
static struct cpu *here = &boot_cpu;
static struct kernel boot_kernel;
static uint64_t kernel_root[512];

void host_start(void) {
	void *window = mmap((void *)PHYSICAL_WINDOW, HOST_MEMORY, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (window != (void *)PHYSICAL_WINDOW) {
		perror("host tests need memory at the place of the physical window");
		exit(1);
	}
	host.now = 1000;
	host.deadline = UINT64_MAX;
	host.ioapics = HOST_IOAPICS;
	host.has_vmx = true;
	for (unsigned i = 256; i < 512; i++)
		kernel_root[i] = i << 12 | 1;
	host_start_core(&boot_cpu, &boot_kernel);
}

void host_start_core(struct cpu *cpu, struct kernel *kernel) {
	cpu->platform = &kernel->platform;
	cpu->platform->paging[SPACE_HOST] = &paging_host;
	cpu->platform->paging[SPACE_GUEST] = &paging_ept;
	cpu->kernel = kernel;
	schedule_init(cpu);
	cpu->deadline = UINT64_MAX;
}

struct cpu *host_use_core(struct cpu *cpu) {
	struct cpu *before = here;

	here = cpu;
	return before;
}

struct cpu *this_cpu(void) {
	return here;
}

// Console

void panic(const char *format, ...) {
	va_list arguments;

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

bool console_prints_debug(void) { return !here->platform->console.is_quiet; }

// Time

uint64_t clock_now(void) { return host.now; }

uint64_t clock_ticks_per_us(void) { return HOST_TICKS_PER_US; }

void clock_set_deadline(uint64_t deadline) {
	if (deadline < host.deadline) host.deadline = deadline;
}

void clock_expired(void) { host.deadline = UINT64_MAX; }

void apic_end_of_interrupt(void) {}

bool preempt_wanted(void) {
	host.preempt_asked++;
	return host.preempt_period && host.preempt_asked % host.preempt_period == 0;
}

// Interrupts

unsigned ioapic_count(void) { return host.ioapics; }

unsigned ioapic_pins(unsigned) { return HOST_PINS; }

uint32_t ioapic_route(
	unsigned ioapic, unsigned pin, unsigned cpu_vector, unsigned level, unsigned polarity) {
	host.pins[ioapic][pin] = (struct host_pin){cpu_vector, level, polarity, true};
	return cpu_vector;
}

void ioapic_set_route(unsigned ioapic, unsigned pin, uint32_t route) {
	host.pins[ioapic][pin].unmasked = !(route & REDIRECTION_MASKED);
}

// Registers

const uint64_t *kernel_map_root(void) { return kernel_root; }

physical_t kernel_map_root_physical(void) { return physical(0); }

uint64_t cr0_read(void) { return 0; }

void cr0_write(uint64_t) {}

uint64_t cr2_read(void) { return host.cr2; }

void cr3_write(uint64_t value) { host.cr3 = value; }

void caches_flush(void) {}

void tlb_invalidate_page(uint64_t) {}

void tlb_invalidate(enum tlb_kind, uint64_t, uint64_t) {}

uint64_t cr4_read(void) { return 0; }

void cr4_write(uint64_t) {}

void bases_save(struct context *save) {
	save->fs_base = host.fs_base;
	save->gs_base = host.gs_base;
}

bool bases_have_selectors(void) { return host.has_selectors; }

void bases_load(const struct context *load) {
	host.fs_base = load->fs_base;
	host.gs_base = load->gs_base;
	host.has_selectors = false;
}

void bases_load_fast(const struct context *) {}

void bases_exchange(struct context *save, const struct context *load) {
	bases_save(save);
	host.fs_base = load->fs_base;
	host.gs_base = load->gs_base;
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
	struct fpu_state *owner = here->fpu_allowed ? here->fpu_allowed : here->fpu_parked;

	if (here->fpu_allowed == next) return;
	here->fpu_allowed = next;
	if (!next) {
		here->fpu_parked = owner;
	} else if (owner != next) {
		if (owner) *fpu_word(owner) = host.fpu;
		host.fpu = *fpu_word(next);
	}
}

void fpu_forget(struct fpu_state *state) {
	if (here->fpu_parked == state) here->fpu_parked = NULL;
	if (here->fpu_allowed != state) return;
	here->fpu_allowed = NULL;
	here->fpu_parked = NULL;
}

void fpu_flush(struct fpu_state *state) {
	if (here->fpu_allowed == state || (!here->fpu_allowed && here->fpu_parked == state))
		*fpu_word(state) = host.fpu;
}

uint8_t io_in8(uint16_t) { return 0; }

uint16_t io_in16(uint16_t) { return 0; }

uint32_t io_in32(uint16_t) { return 0; }

void io_out8(uint16_t, uint8_t) {}

void io_out16(uint16_t, uint16_t) {}

void io_out32(uint16_t, uint32_t) {}

// Virtual CPUs

bool guest_engine_is_on(void) { return host.has_vmx; }

void vmx_invalidate_guest(physical_t) {}

void vcpu_init(void *) {}

void vcpu_destroy(struct slot *, bool) {}

void vcpu_frame_destroy(struct slot *slot, bool last) { frame_destroy(slot, last); }

void vcpu_withdraw_ports(const struct cap *range) { host.withdrawn = *range; }

bool vcpu_enter(struct thread *, uint64_t) { return true; }

bool vcpu_prepare(struct thread *) { return true; }

void vcpu_detach(struct thread *) {}

#define NO_HANDLER(name) \
	enum error name(struct invocation *) { return ERROR_ILLEGAL_OPERATION; }

NO_HANDLER(vcpu_set_tcb)
NO_HANDLER(vcpu_read_vmcs)
NO_HANDLER(vcpu_write_vmcs)
NO_HANDLER(vcpu_read_msr)
NO_HANDLER(vcpu_write_msr)
NO_HANDLER(vcpu_enable_io_port)
NO_HANDLER(vcpu_disable_io_port)
NO_HANDLER(vcpu_write_registers)
NO_HANDLER(vcpu_set_msr_access)
NO_HANDLER(vcpu_set_state_page)
NO_HANDLER(vcpu_save_state)
#undef NO_HANDLER

// Fast paths

void segments_use_entry(enum syscall_entry) {}

void exit_to_user(void) {}

void syscall_slow(void) { host.slow++; }

void call_slow(struct slot *slot) {
	host.slow++;
	host.slow_slot = slot;
}

void exception_slow(uint64_t, uint64_t) { host.slow++; }
