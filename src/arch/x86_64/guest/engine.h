// SPDX-License-Identifier: BSD-2-Clause
// The guest engine: runs what a virtual CPU object describes, and keeps its registers. VT-x is the
// one there is (vmx/). Threads, capabilities and ports are the object's business (object/vcpu.c).
#pragma once

#include <abi/vcpu.h>
#include <abi/vcpu_state.h>
#include <cpu/context.h>
#include <cpu/fpu.h>
#include <cpu/layout.h>
#include <guest/vmx/guest.h>

enum { GUEST_PAGE = 4096, GUEST_FPU_AREA = 3584 };

// Touched only inside the kernel, by the core that runs or is asked to change the guest.
struct guest {
	// Where trap.asm stores and loads the general registers: own_registers, or those of page.
	uint64_t *registers;
	uint64_t entry_failed; // the entry instruction fell through; set by trap.asm

	struct vcpu_state_page *page; // or null

	uint64_t cr2;
	uint64_t dr[4]; // out of date while this guest is debug_owner of a core
	uint64_t dr6;
	uint64_t tsc_offset;
	uint64_t xcr0; // what the guest sees; fpu.xcr0 is what is saved

	struct vmx_guest vmx;

	uint64_t own_registers[VCPU_GENERAL_REGISTERS];

	uint64_t before_fpu[3]; // the area behind fpu is aligned
	struct fpu_state fpu;
	alignas(64) uint8_t fpu_area[GUEST_FPU_AREA];
};

_Static_assert(offsetof(struct guest, fpu.area) == offsetof(struct guest, fpu_area));

// Switches the engine on. False after a line with the reason if this CPU or its firmware does not
// offer what virtual CPUs need; all else of the kernel works without.
[[nodiscard]] bool guest_engine_init(void);
[[nodiscard]] bool guest_engine_is_on(void);

// A new guest, in memory that is zero. The engine uses control, a page, by itself. Ports whose bit
// in io_bitmap is set exit; it may change at any time.
void guest_init(struct guest *guest, void *control, const void *io_bitmap);
// No core holds anything of the guest any more.
void guest_destroy(struct guest *guest);

// Makes the guest the one whose state the functions below reach on this core.
void guest_load(struct guest *guest);

// Before a run: all that stays loaded until another guest or program runs. space: root of what
// translates guest-physical addresses.
void guest_prepare(struct cpu *cpu, struct guest *guest, physical_t space);
// True if nothing has changed since that.
[[nodiscard]] bool guest_is_prepared(const struct cpu *cpu, const struct guest *guest);
// The registers get the guest's state; context is the current program's. EXIT_TO_GUEST does the
// rest.
void guest_enter(struct cpu *cpu, struct guest *guest, struct context *context);
// A run ended, or will not go on: the next one begins with the client's value of the timer.
void guest_timer_end(struct guest *guest);
void guest_timer_reset(struct guest *guest);

// What a VM exit means beside the vector of a host's interrupt, which is acknowledged.
enum {
	GUEST_EXIT_DONE = 256, // the monitor is sent reason and qualification
	// No exit for the monitor. It was the kernel's deadline, or comes again before any
	// interrupt does: time and interrupts are to be looked at.
	GUEST_EXIT_KERNEL,
};

struct guest_exit {
	uint32_t outcome, reason;
	uint64_t qualification;
};

// The guest of this core left: the registers get the host's state.
struct guest_exit guest_exit(struct guest *guest);

// Writes an exit to the state page. Returns the reason as the page has it.
uint32_t guest_report(struct guest *guest, struct guest_exit exit);

// Words 0 to 2 of VMEnter, in the registers of messages, and the six that follow the reason of an
// exit.
void guest_words_load(struct guest *guest, const struct context *context);
void guest_words_save(const struct guest *guest, struct context *context);
uint64_t *guest_exit_words(struct guest_exit exit, uint64_t *word);

// The state page. Loads the groups that are dirty; the number of the group that has a value which
// is refused, or -1. The second is for a guest that is prepared: false, and all is still dirty, if
// what is dirty takes longer, or is refused.
[[nodiscard]] int guest_page_load(struct guest *guest);
[[nodiscard]] bool guest_page_load_fast(struct guest *guest);
void guest_page_save(struct guest *guest, uint64_t groups);
void guest_page_give(struct guest *guest, struct vcpu_state_page *page);
void guest_page_take(struct guest *guest);

// ReadVMCS and WriteVMCS: false if clients have no such field on this CPU. Of a
// written value, value becomes what reading yields.
[[nodiscard]] bool guest_field_read(struct guest *guest, uint64_t field, uint64_t *value);
[[nodiscard]] bool guest_field_write(struct guest *guest, uint64_t field, uint64_t *value);

// ReadState and WriteState, of fields that there are; writing is false if the value is refused.
// VCPU_STATE_XCR0_ALLOWED is not written.
[[nodiscard]] bool guest_has_state(uint64_t field);
[[nodiscard]] bool guest_state_write(
	struct guest *guest, enum vcpu_state_field field, uint64_t value);
uint64_t guest_state_read(struct guest *guest, enum vcpu_state_field field);

// ReadMSR, WriteMSR and SetMSRAccess: false if they do not know the MSR.
[[nodiscard]] bool guest_msr_read(struct guest *guest, uint64_t msr, uint64_t *value);
[[nodiscard]] bool guest_msr_write(struct guest *guest, uint64_t msr, uint64_t *value);
[[nodiscard]] bool guest_msr_set_access(struct guest *guest, uint64_t msr, uint8_t access);
