// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs: a VMCS and the registers VM entry and exit leave to software (VCPU-1 to VCPU-25).
//
//   page 0  struct vcpu up to the XSAVE area, which fills the rest of the page
//   page 1  VMCS
//   page 2  I/O bitmap, ports 0 to 0x7fff
//   page 3  I/O bitmap, ports 0x8000 to 0xffff
#pragma once

#include <abi/vcpu.h>
#include <abi/vcpu_state.h>
#include <cpu/vmcs.h>
#include <cpu/vmx.h>
#include <cap/object.h>
#include <sched/thread.h>

struct thread;

// MSRs that are not in the VMCS: VM entry and exit switch them by lists.
enum vcpu_msr {
	VCPU_MSR_STAR,
	VCPU_MSR_LSTAR,
	VCPU_MSR_CSTAR,
	VCPU_MSR_FMASK,
	VCPU_MSR_KERNEL_GS_BASE, // on the host a program's, not the kernel's
	VCPU_MSR_TSC_AUX, // not on every CPU
	VCPU_MSRS,
	VCPU_OPENABLE_MSRS = 13, // these and those in the VMCS: SetMSRAccess
};

enum { VCPU_PAGE = 4096, VCPU_FPU_AREA = 3584 };

// Touched only inside the kernel, by the core that runs or is asked to change the VCPU.
struct vcpu {
	// Where trap.asm stores and loads the general registers: own_registers, or those of page.
	uint64_t *registers;
	uint64_t launched; // VMRESUME, not VMLAUNCH
	uint64_t entry_failed; // the entry instruction fell through; set by trap.asm

	struct vcpu_state_page *page; // in the frame of page_slot, or null
	struct thread *thread; // partner, or null
	struct vcpu *next; // list of all VCPUs (vcpu.c)

	uint64_t cr2;
	uint64_t dr[4]; // out of date while this VCPU is debug_owner of a core
	uint64_t dr6;
	uint64_t tsc_offset;
	uint64_t xcr0; // what the guest sees; fpu.xcr0 is what is saved
	uint8_t msr_access[VCPU_OPENABLE_MSRS];

	uint8_t by_page; // it runs by VCPURun, and exits to the page
	uint8_t is_stale; // the client changed what linear translations depend on
	uint8_t timer_is_clients; // the running timer ends at the client's value, not the kernel's
	uint32_t pin, primary, exit, exceptions; // controls as the client sees them
	uint32_t timer_value; // preemption timer field as the client sees it
	uint32_t timer_left; // of this VMEnter, or of the next
	uint64_t timer_start; // TSC at the last entry

	uint64_t ept_pointer, host_cr3; // what the VMCS holds
	uint64_t vpid; // generation and number (vcpu_run.c)

	struct slot page_slot; // holds a capability derived from that to the page
	alignas(16) struct vmx_msr_entry
		msrs[VCPU_MSRS]; // VM entry loads them, VM exit stores them
	uint64_t own_registers[VCPU_GENERAL_REGISTERS];

	uint64_t before_fpu[7]; // the area behind fpu is aligned
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
// A frame may be the state page of a VCPU.
cap_destroy port_range_destroy, vcpu_destroy, vcpu_frame_destroy;
object_init vcpu_init;

// A port range capability goes: the VCPU it is enabled in loses the range.
void vcpu_withdraw_ports(struct cap *range);

// What a VM exit means to entry/trap.c beside the vector of a host's interrupt, which is
// acknowledged.
enum {
	GUEST_EXIT_DONE = 256, // all is done
	// The monitor does not see it. It was the kernel's deadline, or comes again before any
	// interrupt does: time and interrupts are to be looked at.
	GUEST_EXIT_KERNEL,
};

// The guest of this core, vcpu, left: puts host state back and reports to the monitor, unless the
// exit is the kernel's own business. The caller goes on with schedule(), but after GUEST_EXIT_DONE
// the current thread may go on at once, if time allows it.
unsigned vcpu_exit(struct vcpu *vcpu);

// VCPURun where the VCPU is prepared on this core and only what changes often is dirty: true, and
// the guest is to be entered. False: syscall_handle() does it.
[[nodiscard]] bool vcpu_run_fast(struct cpu *cpu, struct thread *thread);

// Between the files of this object:

// The order of registers in WriteRegisters and VMEnter: eax ebx ecx edx esi edi ebp r8..r15.
extern const uint8_t vcpu_register_order[VCPU_REGISTERS];

// Makes the VCPU's VMCS current on this core.
void vcpu_load(struct vcpu *vcpu);

// Writes the primary controls a client asked for.
void vcpu_set_primary(struct vcpu *vcpu, uint64_t value);

// WriteVMCS and WriteState, once the field is known to be there. The first is of a VMCS that is
// current, and false if this CPU has no such field; the second is false if the value is refused.
[[nodiscard]] bool vcpu_field_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value);
[[nodiscard]] bool vcpu_state_write(struct vcpu *vcpu, enum vcpu_state_field field, uint64_t value);
uint64_t vcpu_state_read(struct vcpu *vcpu, enum vcpu_state_field field);

// The state page (vcpu_page.c), which there is, of a VMCS that is current. Loading ends with the
// number of the group that has a value which is refused, or with -1.
int vcpu_page_load(struct vcpu *vcpu, uint64_t groups);
void vcpu_page_save(struct vcpu *vcpu, uint64_t groups);
void vcpu_page_save_event(struct vcpu *vcpu);
void vcpu_page_save_exception(struct vcpu_state_page *page);
// The VCPU has no page any more.
void vcpu_page_take(struct vcpu *vcpu);

// A thread that is in the guest will execute its system call again.
void vcpu_stop(struct vcpu *vcpu);

// Initial values of all fields (VCPU-14). The VMCS is current.
void vcpu_reset_fields(struct vcpu *vcpu);

// What of the registers stays the guest's until another one runs (vcpu_state.c).
void vcpu_state_init(struct vcpu *vcpu);
void vcpu_state_prepare(struct cpu *cpu, struct vcpu *vcpu);
// No core holds anything of the VCPU.
void vcpu_state_forget(struct vcpu *vcpu);

// Which MSRs the guest may touch without an exit (vcpu_msr.c).
void vcpu_msr_init(struct vcpu *vcpu);
void vcpu_msr_prepare(struct cpu *cpu, struct vcpu *vcpu);

// An event whose delivery an exit interrupted is delivered again (vcpu_event.c).
void vcpu_inject_again(void);
// The exception or NMI of an exit. True: the monitor does not see it.
[[nodiscard]] bool vcpu_take_exception(struct vcpu *vcpu);
void vcpu_machine_check(void);

// Enter and prepare of guest_hooks (vcpu_run.c).
[[nodiscard]] bool vcpu_enter(struct thread *thread, uint64_t number);
[[nodiscard]] bool vcpu_prepare(struct thread *thread);
