// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs: a VMCS and the registers VM entry and exit leave to software (VCPU-1 to VCPU-25).
//
//   page 0  struct vcpu up to the XSAVE area, which fills the rest of the page
//   page 1  VMCS
//   page 2  I/O bitmap, ports 0 to 0x7fff
//   page 3  I/O bitmap, ports 0x8000 to 0xffff
#pragma once

#include <abi/vcpu.h>
#include <cpu/vmcs.h>
#include <cpu/vmx.h>
#include <cap/object.h>
#include <sched/thread.h>

struct thread;

// MSRs that are not in the VMCS and so are switched by software.
enum vcpu_msr {
	VCPU_MSR_STAR,
	VCPU_MSR_LSTAR,
	VCPU_MSR_CSTAR,
	VCPU_MSR_FMASK,
	VCPU_MSR_TSC_AUX, // not on every CPU
	VCPU_MSR_KERNEL_GS_BASE, // on the host a program's, not the kernel's
	VCPU_MSRS,
	VCPU_OPENABLE_MSRS = 13, // these and those in the VMCS: SetMSRAccess
};

enum { VCPU_PAGE = 4096, VCPU_FPU_AREA = 3712 };

// Touched only inside the kernel, by the core that runs or is asked to change the VCPU.
struct vcpu {
	// trap.asm stores and loads these. Order of VCPU WriteRegisters.
	uint64_t registers[VCPU_REGISTERS];
	uint64_t launched; // VMRESUME, not VMLAUNCH
	uint64_t entry_failed; // the entry instruction fell through; set by trap.asm

	struct thread *thread; // partner, or null
	struct vcpu *next; // list of all VCPUs (vcpu.c)

	uint64_t cr2;
	uint64_t dr[4]; // out of date while this VCPU is debug_owner of a core
	uint64_t dr6;
	uint64_t tsc_offset;
	uint64_t xcr0; // what the guest sees; fpu.xcr0 is what is saved
	uint64_t msrs[VCPU_MSRS];
	uint8_t msr_access[VCPU_OPENABLE_MSRS];

	uint8_t is_stale; // the client changed what linear translations depend on
	uint8_t timer_is_clients; // the running timer ends at the client's value, not the kernel's
	uint32_t pin, primary, exit, exceptions; // controls as the client sees them
	uint32_t timer_value; // preemption timer field as the client sees it
	uint32_t timer_left; // of this VMEnter, or of the next
	uint64_t timer_start; // TSC at the last entry

	uint64_t ept_pointer, host_cr3; // what the VMCS holds
	uint64_t vpid; // generation and number (vcpu_run.c)

	uint64_t before_fpu[5]; // the area behind fpu is aligned
	struct fpu_state fpu;
	alignas(64) uint8_t fpu_area[VCPU_FPU_AREA];

	alignas(VCPU_PAGE) uint8_t vmcs[VCPU_PAGE];
	uint64_t io_bitmap[65536 / 64]; // 1: exits
};

_Static_assert(sizeof(struct vcpu) == 1 << VCPU_BITS);
_Static_assert(offsetof(struct vcpu, fpu.area) == offsetof(struct vcpu, fpu_area));
_Static_assert(offsetof(struct vcpu, fpu_area) + VCPU_FPU_AREA == VCPU_PAGE);

// A guest's instruction pointer may stand right behind the lower half of addresses, where the next
// fetch faults; VM entry refuses what lies farther out (SDM 3C 27.3.1.4), which becomes 0.
static inline uint64_t vcpu_clean_rip(uint64_t value) {
	return (uint64_t)((int64_t)(value << 15) >> 15) == value ? value : 0;
}

// What the tables of object kinds name of this machine's objects (PORT-1, VCPU-1). Without
// VT-x there are no VCPUs (object.h, is_available).
cap_derive port_range_derive;
cap_destroy port_range_destroy, vcpu_destroy;
object_init vcpu_init;

// A port range capability goes: the VCPU it is enabled in loses the range.
void vcpu_withdraw_ports(struct cap *range);

// What a VM exit means to entry/trap.c beside the vector of a host's interrupt, which is
// acknowledged.
enum {
	GUEST_EXIT_DONE = 256, // all is done
	// The client does not hear of it. It was the kernel's deadline, or comes again before any
	// interrupt does: time and interrupts are to be looked at.
	GUEST_EXIT_KERNEL,
};

// The guest of this core, vcpu, left: puts host state back and tells the VMM, unless the exit is
// the kernel's own business. The caller goes on with schedule().
unsigned vcpu_exit(struct vcpu *vcpu);

// Between the files of this object:

// Makes the VCPU's VMCS current on this core.
void vcpu_load(struct vcpu *vcpu);

// Writes the primary controls a client asked for.
void vcpu_set_primary(struct vcpu *vcpu, uint64_t value);

// Initial values of all fields (VCPU-14). The VMCS is current.
void vcpu_reset_fields(struct vcpu *vcpu);

// The registers get the guest's state, or the host's back (vcpu_state.c).
void vcpu_state_init(struct vcpu *vcpu);
void vcpu_state_enter(struct vcpu *vcpu);
void vcpu_state_leave(struct vcpu *vcpu);
// No core holds anything of the VCPU.
void vcpu_state_forget(struct vcpu *vcpu);

// Which MSRs the guest may touch without an exit (vcpu_msr.c).
void vcpu_msr_init(struct vcpu *vcpu);
void vcpu_msr_enter(struct vcpu *vcpu);
void vcpu_msr_leave(struct vcpu *vcpu);

// An event whose delivery an exit interrupted is delivered again (vcpu_event.c).
void vcpu_inject_again(void);
// The exception or NMI of an exit. True: the client does not hear of it.
bool vcpu_take_exception(struct vcpu *vcpu);
void vcpu_machine_check(void);

// Enter, prepare, notify and pause of guest_hooks (vcpu_run.c).
void vcpu_enter(struct thread *thread);
enum exit_path vcpu_prepare(struct thread *thread);
void vcpu_notify(struct thread *thread);
void vcpu_pause(struct thread *thread);
