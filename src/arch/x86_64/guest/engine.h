// SPDX-License-Identifier: BSD-2-Clause
// Guest engines: they run what a virtual CPU object describes and keep its registers. A core's CPU
// decides which (vmx/, svm/); the state page and what every guest has are common (page.c, state.c).
// Threads, capabilities and ports are the object's business (object/vcpu.c).
#pragma once

#include <abi/vcpu.h>
#include <abi/vcpu_state.h>
#include <cpu/bases.h>
#include <cpu/fpu.h>
#include <cpu/paging.h>
#include <guest/svm/guest.h>
#include <guest/vmx/guest.h>

enum { GUEST_PAGE = 4096, GUEST_FPU_AREA = 3520 };

// MSRs that SetMSRAccess knows. VMCS and VMCB have no field for the first ones.
enum guest_msr {
	GUEST_MSR_KERNEL_GS_BASE, // on the host a program's, not the kernel's
	GUEST_MSR_STAR,
	GUEST_MSR_LSTAR,
	GUEST_MSR_CSTAR,
	GUEST_MSR_FMASK,
	GUEST_MSR_TSC_AUX, // the last of them but one, for not every CPU has it
	GUEST_MSR_SPEC_CTRL,
	GUEST_MSRS_SWITCHED,
	GUEST_MSR_PRED_CMD = 13,
	GUEST_MSR_EFER, // the last that a guest may be given
	GUEST_MSRS,
};

// Touched only inside the kernel, by the core that runs or is asked to change the guest.
struct guest {
	// Where trap.asm stores and loads the general registers: own_registers, or those of page.
	uint64_t *registers;

	struct vcpu_state_page *page; // or null
	// Of the exit's instruction the number of bytes that the CPU fetched, and they; or null.
	const uint8_t *fetched;

	uint64_t dr[4]; // out of date while this guest is debug_owner of a core
	// Not with AMD-V's own: what the guest has in SPEC_CTRL beside the kernel's bits.
	uint64_t spec_ctrl;
	uint64_t xcr0, xcr0_offered; // what the guest sees, and may have; fpu.xcr0 is what is saved

	struct cpu *cpu; // the core that holds what is not in here; null: none
	uint64_t host_root; // the tables that an exit loads
	bool by_page : 1; // it runs by VCPURun, and exits to the page; else by VMEnter
	bool is_stale : 1; // the monitor changed what linear translations depend on
	uint8_t msr_access[GUEST_MSRS];
	union {
		struct vmx_guest vmx;
		struct svm_guest svm;
	};

	uint64_t own_registers[VCPU_GENERAL_REGISTERS];

	uint64_t before_fpu[3]; // the area behind fpu is aligned
	struct fpu_state fpu;
	alignas(64) uint8_t fpu_area[GUEST_FPU_AREA];
};

_Static_assert(offsetof(struct guest, fpu.area) == offsetof(struct guest, fpu_area));

// What an exit means: up to 255, the vector of a host's interrupt, which is acknowledged.
enum guest_outcome {
	// No exit for the monitor. It was the kernel's deadline, or comes again before any
	// interrupt does: time and interrupts are to be looked at.
	GUEST_EXIT_KERNEL = 256,
	GUEST_EXIT_DONE = 512, // and the reason added: the monitor is sent it
	GUEST_ENTRY_REFUSED = UINT32_MAX, // in place of a reason: controls that cannot be
};

// Before every function but init and create the guest is loaded.
struct guest_engine {
	// Switches the engine on. False after a line with the reason if this CPU or its firmware
	// does not offer what virtual CPUs need; all else of the kernel works without.
	bool (*init)(void);

	// A new guest, in memory that is zero. The engine uses control, a page, by itself. Ports
	// whose bit in io_bitmap is set exit; it may change at any time.
	void (*create)(struct guest *guest, void *control, const void *io_bitmap);
	// The guest comes to this core, which it has not been on since the last unload.
	void (*arrive)(struct guest *guest);
	// This core holds nothing of the guest any more.
	void (*unload)(struct guest *guest);
	// Makes the guest, which is on this core, the one whose state the functions below reach.
	void (*load)(struct guest *guest);

	// Before a run: all that stays loaded until another guest or program runs. space: root of
	// what translates guest-physical addresses.
	void (*prepare)(struct cpu *cpu, struct guest *guest, physical_t space);
	// The registers get the guest's state, and RIP that of the page if it is in dirty; context
	// is the current program's. EXIT_TO_GUEST does the rest.
	void (*enter)(
		struct cpu *cpu, struct guest *guest, struct context *context, uint64_t dirty);
	// The guest left: the registers get the host's state, and the page what it is to have of an
	// exit for the monitor. Returns an outcome.
	uint64_t (*exit)(struct guest *guest);
	// The same for what is no exit of the CPU. Returns the reason.
	uint64_t (*report)(struct guest *guest, uint64_t reason, uint64_t qualification);
	// A run will not go on: the next one begins with the monitor's value of the timer.
	void (*timer_reset)(struct guest *guest);

	const struct guest_field *fields; // by FIELD_NUMBER (field.h)
	uint64_t (*field_made)(const struct guest *guest, uint64_t field, const void *word);
	bool (*field_write)(
		struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value);

	// Words 0 to 2 of VMEnter, in the registers of messages, and the six that follow the reason
	// of an exit.
	void (*words_load)(struct guest *guest, const struct context *context);
	void (*words_save)(const struct guest *guest, struct context *context);
	uint64_t *(*exit_words)(struct guest *guest, uint64_t reason, uint64_t *word);

	unsigned msrs; // of guest_msr_rows, those that guests can be given
	// In the map of MSRs, how many bits the next MSR is behind one, the first high one behind
	// the first low one, and writing behind reading.
	uint16_t map_next, map_high, map_write;
	const struct paging_format *paging; // of what translates guest-physical addresses
};

extern const struct guest_engine guest_vmx, guest_svm;

// Finds this core's engine, if it has one. Returns the format of guests' tables in any case.
const struct paging_format *guest_engine_init(void);
[[nodiscard]] bool guest_engine_is_on(void);
static inline const struct guest_engine *guest_engine(void) { return this_cpu()->engine; }

// The engine's functions of these names, with what every guest has (state.c).
void guest_create(struct guest *guest, void *control, const void *io_bitmap);
// The guest comes here from the core that it is on; or no core holds anything of it any more.
void guest_load(struct guest *guest);
void guest_unload(struct guest *guest);
void guest_prepare(struct cpu *cpu, struct guest *guest, physical_t space);
// True if nothing has changed since then.
[[nodiscard]] static inline bool guest_is_prepared(
	const struct cpu *cpu, const struct guest *guest) {
	return guest == cpu->guest_prepared && cpu->space_root == guest->host_root;
}

// Loads the guest. Fields of ReadVMCS and WriteVMCS, and those of enum vcpu_field: false if this
// CPU has no such field, or the value is refused; what was written becomes what reading yields.
[[nodiscard]] bool guest_field_read(struct guest *guest, uint64_t field, uint64_t *value);
[[nodiscard]] bool guest_field_write(struct guest *guest, uint64_t field, uint64_t *value);
// The state page (page.c). Loads the groups that are dirty; the number of the group that has a
// value which is refused, or -1.
[[nodiscard]] int guest_page_load(struct guest *guest);
void guest_page_save(struct guest *guest, uint64_t groups);
void guest_page_give(struct guest *guest, struct vcpu_state_page *page);
void guest_page_take(struct guest *guest);

// SetMSRAccess: false if it does not know the MSR.
[[nodiscard]] bool guest_msr_set_access(struct guest *guest, uint64_t msr, uint8_t access);
// The field (enum vcpu_field) that ReadMSR and WriteMSR mean; 0: they do not know the MSR.
[[nodiscard]] uint64_t guest_msr_field(uint64_t msr);

// For engines:

// This CPU or its firmware does not offer what virtual CPUs need: a line says so. False.
[[nodiscard]] bool guest_refuse(const char *missing);

// An event that comes of its instruction, behind which it returns.
static inline bool guest_event_is_software(uint64_t event) {
	uint64_t type = event & INTERRUPTION_TYPE;

	return type == INTERRUPTION_SOFTWARE || type == INTERRUPTION_PRIVILEGED ||
		type == INTERRUPTION_SOFTWARE_EXCEPTION;
}

// Runs the host's handler of an exception that came as an exit, which does not.
#define host_exception(vector) asm volatile("int %0" : : "i"(vector) : "memory")

extern const struct guest_msr_row {
	uint32_t msr;
	uint8_t access; // initially
} guest_msr_rows[GUEST_MSRS];
[[nodiscard]] bool guest_has_tsc_aux(void);
// A guest has a SPEC_CTRL of its own.
[[nodiscard]] bool guest_has_spec_ctrl(void);

// Before a value becomes a guest's XCR0: false if it cannot.
[[nodiscard]] bool guest_xcr0_write(struct guest *guest, uint64_t *value);
// dr of the guest is up to date, and loaded anew before the next run.
void guest_debug_take(struct guest *guest);
// Bases, FPU and XCR0 become the guest's; context is the current program's.
[[gnu::always_inline]] static inline void guest_switch_in(
	struct cpu *cpu, struct guest *guest, struct context *context) {
	// A program may have changed its bases; they give way to the guest's.
	if (likely(cpu->bases_loaded > 1)) {
		bases_save_fast(context);
		if (cpu->fpu_allowed != &guest->fpu) fpu_give_guest(cpu, &guest->fpu);
	} else {
		if (cpu->bases_loaded) bases_save(context);
		fpu_give(&guest->fpu);
	}
	cpu->bases_loaded = false;
	if (unlikely(guest->xcr0 != guest->fpu.xcr0)) xcr0_write(guest->xcr0);
}
