// SPDX-License-Identifier: BSD-2-Clause
// State of one core. Reached through GS inside the kernel; touched by its own core only, unless a
// member says otherwise.
#pragma once

#include <abi/object.h>
#include <cpu/acpi.h>
#include <cpu/segments.h>
#include <x86/svm.h>
#include <x86/vmx.h>

// What the assembler must do to leave the kernel; the C side of each entry returns it.
enum exit_path {
	EXIT_TO_USER = 0, // load the frame of `current`, SYSRET or IRETQ as its rflags say
	EXIT_TO_GUEST = 1, // VM entry of `guest`
	EXIT_TO_IDLE = 2, // wait for an interrupt
};

// What the benchmark build counts, of a thread and of a core (sched/benchmark.h): ticks of the
// clock, and numbers, in the order of abi/benchmark.h.
struct utilisation {
	uint64_t cycles, schedules, kernel_cycles, kernel_entries;
};

struct benchmark {
	struct utilisation total; // but for the cycles: from start to end
	uint64_t start, end;
	uint64_t switched; // since when the current thread is that
	uint64_t entered; // when the kernel was entered; 0: it is left
	bool is_on;
};

enum { READY_QUEUES = DOMAINS * PRIORITIES };

// The queues of a core: threads that could run, by domain and priority, and threads that wait for
// their context's next refill, by time. Written by the functions of run_queue.h only.
struct scheduler {
	struct thread *ready[READY_QUEUES];
	uint64_t ready_bits[READY_QUEUES / 64];
	unsigned domain; // all cores are in
	struct thread *release; // root of the release queue: due first
	struct thread *idle; // runs when no other can
};

// What a core and the first one say to each other while it starts (entry/cores.c). The first core
// writes apic_id and options before, tsc and answered meanwhile, and refusal for a silent one.
struct core_start {
	uint32_t apic_id;
	const unsigned *options; // enum option
	uint32_t microcode; // revision; 0: unknown
	uint32_t step; // enum core_step
	const char *refusal; // why the core is left out, or null
	uint32_t asked, answered; // readings of the first core's TSC, counted
	uint64_t tsc; // the last one
	int64_t ahead; // ticks that this core's was ahead of it when it came
};

// Work that one core has another one do, inside the kernel (lock.h).
typedef void core_work(void *argument);

// A core's part of the kernel's lock, on a line that fast paths write too.
struct cpu_lock {
	uint32_t is_inside; // a fast path of this core is under way; written by this core only
	uint32_t hold; // none may begin. This and what follows is written by who runs alone
	uint32_t rest; // hold while no core runs alone: biglock, or late_space
	uint32_t asked; // work is to be done; cleared by this core
	core_work *work;
	void *argument;
	uint32_t is_waiting; // for its turn, in the kernel; this and the next by this core
	bool restarts; // and makes its entry again if its thread is taken away
	bool has_waited; // so that others may have run alone; cleared by who asks (trap_call)
	struct cpu *next; // the ring of the cores that are up
	bool is_alone; // this core; debug build, as what follows
	uint64_t seen, waited, looked; // what it waits for, ticks since that changed, and when
};

enum { CORE_TRAMPOLINE_SIZE = 128, HOST_MSRS = 6, KERNEL_STACK_SIZE = 16384 };

struct cpu {
	// One cache line for kernel entry, exit and the fast paths.
	alignas(64) struct cpu *self; // at gs:0
	struct thread *current; // running; the idle thread when no other can run
	uint64_t kernel_stack; // top of the only stack
	uint64_t scratch; // entry parks the user's rsp here
	uint64_t space_root; // what CR3 was loaded with
	struct fpu_state *fpu_allowed; // whose registers the FPU holds; null: CR0.TS is set
	int32_t ready_top; // highest level in the domain's ready queues; -1: they are empty
	uint32_t bases_loaded; // FS and GS base are those of current, and may have changed; 2: and
			       // the CPU can switch registers in line
	uint32_t need_resched; // choose anew who runs
	uint16_t crowded; // more than one thread became ready in this entry
	uint16_t has_peers; // other cores are up

	// Time, and what schedule() goes by (schedule.c).
	uint64_t now; // ticks at this entry
	uint64_t next_event; // from when on an entry finds a turn over or a release due
	uint64_t charged_until; // up to when the time of charged_context is charged
	struct sched_context *charged_context; // whose time runs; null while idle
	struct thread *candidate; // runs next unless something of higher priority is ready
	uint64_t minimum_budget; // ticks a head refill must hold to be worth running on
	uint64_t deadline; // what the timer is set to; all ones: nothing (clock.c)
	uint64_t features; // 1 << enum feature; written by features_init only

	struct guest *guest; // whose VM entry EXIT_TO_GUEST means
	const struct guest_engine *engine; // runs this core's guests; null: nothing does
	struct guest *guest_prepared; // guest, if nothing has changed that calls for preparing
	struct guest *vmcs_loaded; // whose VMCS is current on this core, or null
	struct guest *debug_owner; // whose DR0 to DR3 the registers hold, or null
	struct guest *msr_map_owner; // whose rights msr_map holds, or null
	struct fpu_state *fpu_parked; // while fpu_allowed is null: whose registers the FPU holds
	uint64_t xcr0; // what XCR0 holds (fpu.c)
	uint64_t timer_ratio; // APIC timer ticks a TSC tick, 32.32; 0: TSC-deadline mode
	volatile uint32_t *apic_page; // null in x2APIC mode
	uint64_t kernel_cr3; // the kernel's own tables, as CR3 takes them (space.c)

	// For trap.asm.
	uint64_t program_root; // of who ran last
	uint32_t mitigations; // 1 << enum mitigation
	// IA32_SPEC_CTRL inside the kernel, outside, and while guest runs.
	uint32_t spec_ctrl, program_spec_ctrl, guest_spec_ctrl;
	uint64_t host_block; // physical address of host_vmcb

	bool is_silent; // prints nothing: while it starts the first core, which set it, reports

	// What the cores of a kernel image share: as far as this room knows it, and all of it
	// (kernel.h).
	struct platform *platform;
	struct kernel *kernel;

	// What the CPU uses by itself (segments.c). By its GDT a core finds this structure where GS
	// is unknown (trap.asm).
	alignas(16) uint64_t gdt[GDT_ENTRIES];
	struct task_state tss; // rsp[0]: where interrupts push, the kernel's stack or shown_stack
	struct table_register gdt_register, idt_register;
	alignas(16) uint64_t idt[VECTOR_COUNT][2];
	alignas(16) uint8_t ist_stacks[IST_STACKS][4096];
	alignas(16) uint8_t shown_stack[1024]; // for them where programs are isolated

	// The tables of isolated programs show what comes before, and nothing from here on.
	alignas(4096) struct benchmark benchmark;
	alignas(64) struct cpu_lock lock;
	alignas(64) uint32_t number; // in platform->cores
	uint64_t woken; // other cores that have to look at their queues, as bits by number
	uint64_t late_space; // a root and its PCID, to be forgotten when this core enters alone
	struct scheduler scheduler;
	struct core_start start;
	// A struct thread, which this room does not know.
	alignas(64) uint8_t idle_thread[1 << TCB_BITS];
	unsigned preempt_calls, checks; // calls of preempt_wanted() and, in the debug build, of
					// check_current()

	// Of either guest engine: generation and, in the low 16 bits, the VPID or ASID given out
	// last. VT-x: what a VM exit loads (guest/vmx/msr.c). AMD-V: TSC_AUX outside guests.
	uint64_t last_tag;
	alignas(16) struct vmx_msr_entry host_msrs[HOST_MSRS];
	uint64_t tsc_aux;

	// What only the CPU uses; where AMD-V's VMLOAD finds what VMRUN does not restore of the
	// host; what the guest of msr_map_owner may touch (guest/state.c).
	alignas(4096) uint32_t engine_page[1024];
	alignas(4096) struct vmcb host_vmcb;
	alignas(4096) uint8_t msr_map[8192];

	alignas(4096) uint8_t stack_guard[4096]; // never mapped
	uint8_t stack[KERNEL_STACK_SIZE];
};

_Static_assert(offsetof(struct cpu, now) == 64);
_Static_assert(offsetof(struct cpu, guest) == 128);

// The only access to struct cpu. GS holds its address whenever C code of the kernel runs.
static inline struct cpu *this_cpu(void) {
	struct cpu *cpu;

	asm("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

// this_cpu()->current by one load.
static inline struct thread *this_thread(void) {
	struct thread *thread;

	asm volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(offsetof(struct cpu, current)));
	return thread;
}

static inline struct kernel *this_kernel(void) {
	struct kernel *kernel;

	asm("movq %%gs:%c1, %0" : "=r"(kernel) : "i"(offsetof(struct cpu, kernel)));
	return kernel;
}
